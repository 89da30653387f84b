#pragma once

#include "actors/scheduler/job_queue.hpp"

#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

namespace troupe {

/// What has come for one loop, in order: two items of one sender are never swapped, even when
/// the sender moved between threads, so long as its moves are ordered.
///
/// Ends in two steps, so that no wake-up is on its way to an owner that is gone: `close`
/// refuses what comes later, and once `idle` nothing will call for the owner any more.
template <class T, class Mutex = std::mutex>
class loop_inbox {
public:
  /// Owner, first of all. Until then its own puts go the way of other threads.
  void belongs_here() { owner_.store(std::this_thread::get_id(), std::memory_order_relaxed); }

  /// Any thread. `wake`: have the owner call `woken` (or `turn`, if the caller is the owner).
  [[nodiscard]] put_result put(T&& item) {
    if (!here())
      return queue_.put(std::move(item));
    if (closed_)
      return put_result::closed;
    return queue_.push_in_order(std::move(item));
  }

  /// Any thread: true on the owner's. The id of a thread that ended may come again, but then
  /// the inbox has been closed.
  bool here() const { return owner_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }

  /// Owner, once for each `wake` that another thread got. True: take a turn now.
  [[nodiscard]] bool woken() { return queue_.woken(); }

  /// Owner, for a turn without an item. True: schedule it; false: one is scheduled already.
  [[nodiscard]] bool arm() { return queue_.arm(); }

  /// Owner. Hands items to `use` within the limit. True: schedule another turn.
  template <class Use>
  [[nodiscard]] bool turn(const turn_limit& limit, Use use) {
    return queue_.turn(limit, [&use](T& item) {
      use(item);
      return false;
    });
  }

  /// Owner. What was put by now still comes.
  void close() {
    closed_ = true;
    queue_.close();
  }

  /// Owner, after `close`. True: nothing is left, and nothing will call the owner any more.
  bool idle() const { return queue_.idle(); }

private:
  job_queue<T, Mutex> queue_;
  bool closed_ = false; // owner only
  std::atomic<std::thread::id> owner_{};
};

} // namespace troupe
