#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

namespace troupe {

/// Items for a thread that sleeps until a deadline. `put` never waits for that thread, and
/// seldom wakes it: for what is due before the thread would wake anyway, when many items have
/// gathered, or for the first item after a calm. While items keep coming the thread looks in
/// by itself every `interval`, so that no item, even one due in an hour, lies in here for
/// longer.
template <class T>
class timed_hand_off {
public:
  using time_point = std::chrono::steady_clock::time_point;

  static constexpr time_point never = time_point::max();

  /// Any thread. False: closed; the item was not taken and stays with the caller.
  bool put(T&& item, time_point due) {
    bool wake = false;
    {
      const std::lock_guard guard{mutex_};
      if (closed_)
        return false;
      items_.push_back(std::move(item));
      earliest_ = std::min(earliest_, due);
      wake = asleep_ && must_wake();
    }
    if (wake)
      wake_.notify_one();
    return true;
  }

  /// The one sleeper. Waits until `deadline` or a reason to wake; swaps `out`, which must be
  /// empty, with what was put. False: closed.
  bool take(std::vector<T>& out, time_point deadline) {
    std::unique_lock guard{mutex_};
    deadline_ = calm_ ? deadline : std::min(deadline, std::chrono::steady_clock::now() + interval);
    asleep_ = true;
    const auto reason = [this] { return closed_ || must_wake(); };
    if (deadline_ == never)
      wake_.wait(guard, reason);
    else
      wake_.wait_until(guard, deadline_, reason);
    asleep_ = false;
    calm_ = items_.empty();
    earliest_ = never;
    out.swap(items_);
    return !closed_;
  }

  /// Any thread.
  void close() {
    {
      const std::lock_guard guard{mutex_};
      closed_ = true;
    }
    wake_.notify_one();
  }

private:
  bool must_wake() const {
    return earliest_ < deadline_ || items_.size() >= gathered || (calm_ && !items_.empty());
  }

  static constexpr std::size_t gathered = 4096;
  static constexpr std::chrono::milliseconds interval{100};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<T> items_;
  time_point earliest_ = never;
  time_point deadline_ = never;
  bool asleep_ = false;
  bool calm_ = true; // the last look found nothing
  bool closed_ = false;
};

} // namespace troupe
