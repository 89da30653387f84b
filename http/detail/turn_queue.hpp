#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace troupe::http::detail {

/// A piece of work: a function and its argument.
struct turn {
  void (*work)(void*);
  void* argument;
};

/// Turns waiting for one thread, in order of arrival. The bounded part is elsewhere: each
/// actor is queued at most once, and each exchange posts at most a few.
class turn_queue {
public:
  /// The owner's thread.
  void push(turn t) {
    if (size_ == capacity_)
      grow();
    ring_[(first_ + size_++) & (capacity_ - 1)] = t;
  }

  /// Any thread. True: the owner must be woken, as it may not know of the inbox yet.
  bool push_from_outside(turn t);

  /// The owner's thread: takes over what came from outside.
  void take_inbox();

  /// The owner's thread: runs at most `limit` turns, also such as are pushed meanwhile.
  void run(std::size_t limit);

  std::size_t size() const { return size_; }

  /// The owner's thread: the next turn without running it. Only while `size` is not 0.
  turn pop() {
    const auto t = ring_[first_];
    first_ = (first_ + 1) & (capacity_ - 1);
    --size_;
    return t;
  }

private:
  void grow();

  std::unique_ptr<turn[]> ring_;
  std::size_t capacity_ = 0; ///< a power of two, or nothing yet
  std::size_t first_ = 0;
  std::size_t size_ = 0;

  std::mutex inbox_mutex_;
  std::vector<turn> inbox_; ///< under the mutex
  std::vector<turn> taken_; ///< swapped with the inbox, to keep the memory of both
};

} // namespace troupe::http::detail
