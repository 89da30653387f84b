#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace troupe {

/// What became of an item given to another thread.
enum class put_result : std::uint8_t {
  taken,  ///< the owner will see it
  wake,   ///< the owner will see it, if the caller wakes it now
  closed, ///< refused: the item stays with the caller
};

/// Items that any thread may give to the one thread that owns this object.
///
/// `claimed` says that the owner is bound to look in again.
///  1. Items present => claimed.
///  2. claimed => a wake-up is on its way to the owner, or the owner is awake and will call
///     `rest` before it sleeps.
///  3. Exactly the put that turns `claimed` on returns `wake`: that caller, and no other, has
///     to wake the owner.
/// An owner that was awake anyway may take the items and rest before the wake-up comes. So a
/// wake-up can be on its way although nothing is claimed; `wakes` counts those ever asked for.
///
/// `Mutex` is another type only in tests that prove that a missing lock would be found.
template <class T, class Mutex = std::mutex>
class hand_off {
public:
  /// Any thread.
  [[nodiscard]] put_result put(T&& item) {
    const std::lock_guard guard{mutex_};
    if (closed_)
      return put_result::closed;
    items_.push_back(std::move(item));
    return claim();
  }

  /// Any thread: all of them or, when closed, none.
  template <class Iterator>
  [[nodiscard]] put_result put(Iterator first, Iterator last) {
    const std::lock_guard guard{mutex_};
    if (closed_)
      return put_result::closed;
    if (first == last)
      return put_result::taken;
    items_.insert(items_.end(), std::make_move_iterator(first), std::make_move_iterator(last));
    return claim();
  }

  /// Owner. Appends everything that was put to `out`, in order. The claim stays.
  void take(std::deque<T>& out) {
    if (!claimed())
      return; // by 1. there is nothing
    {
      const std::lock_guard guard{mutex_};
      spare_.swap(items_);
    }
    out.insert(out.end(), std::make_move_iterator(spare_.begin()),
               std::make_move_iterator(spare_.end()));
    spare_.clear();
    if (spare_.capacity() > kept_capacity)
      std::vector<T>{}.swap(spare_);
  }

  /// Owner. True: nothing is left, and the next put will ask for a wake-up.
  [[nodiscard]] bool rest() {
    if (!claimed())
      return true;
    const std::lock_guard guard{mutex_};
    if (!items_.empty())
      return false;
    claimed_.store(false, std::memory_order_release);
    return true;
  }

  /// Owner. True: something was put since the last `rest`. Whoever could have put it before
  /// a message that the owner has seen is visible here.
  bool claimed() const noexcept { return claimed_.load(std::memory_order_acquire); }

  /// How often a put has asked for a wake-up.
  std::uint64_t wakes() const {
    const std::lock_guard guard{mutex_};
    return wakes_;
  }

  /// Refuses every later put. What is here already stays to be taken.
  void close() {
    const std::lock_guard guard{mutex_};
    closed_ = true;
  }

private:
  static constexpr std::size_t kept_capacity = 4096; // do not keep a burst's memory

  put_result claim() {
    if (claimed_.exchange(true, std::memory_order_acq_rel))
      return put_result::taken;
    ++wakes_;
    return put_result::wake;
  }

  mutable Mutex mutex_;
  std::vector<T> items_;
  std::uint64_t wakes_ = 0;
  bool closed_ = false;
  std::atomic<bool> claimed_{false};
  std::vector<T> spare_; // owner only
};

} // namespace troupe
