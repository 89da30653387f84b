#pragma once

#include "actors/scheduler/hand_off.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <utility>

namespace troupe {

/// How long one turn may last before sockets get theirs.
struct turn_limit {
  std::size_t jobs = 64;
  std::chrono::steady_clock::duration time = std::chrono::microseconds{250};
};

/// The jobs of one loop. The owner's thread runs them in turns.
///
/// `armed` (owner only) says that a turn is scheduled or running; so at most one is. An armed
/// queue always gets another turn, or disarms by finding nothing. `busy` repeats it for others
/// to see; it is a hint and may be stale.
template <class Job, class Mutex = std::mutex>
class job_queue {
public:
  /// Any thread. `wake`: have the owner call `woken`.
  [[nodiscard]] put_result put(Job&& job) { return inbox_.put(std::move(job)); }

  /// Owner. True: schedule a turn.
  [[nodiscard]] bool push(Job&& job) {
    local_.push_back(std::move(job));
    return arm();
  }

  /// Owner. Like `push`, but never before a job that another thread had put earlier.
  /// `wake`: schedule a turn.
  [[nodiscard]] put_result push_in_order(Job&& job) {
    if (inbox_.claimed()) // a wake-up is on its way: this put asks for none
      return inbox_.put(std::move(job));
    return push(std::move(job)) ? put_result::wake : put_result::taken;
  }

  /// Owner, once for each `wake`. True: take a turn now. False: one is scheduled that will see
  /// the job.
  [[nodiscard]] bool woken() {
    ++wakes_seen_;
    return arm();
  }

  /// Owner. True: schedule a turn; false: one is scheduled already.
  [[nodiscard]] bool arm() {
    if (armed_)
      return false;
    armed_ = true;
    busy_.store(true, std::memory_order_relaxed);
    return true;
  }

  /// Owner. Runs jobs within the limit; `run(job)` must not throw and returns true for a job
  /// that wants to run again. True: schedule another turn.
  template <class Run>
  [[nodiscard]] bool turn(const turn_limit& limit, Run run) {
    using clock = std::chrono::steady_clock;
    inbox_.take(local_);
    clock::time_point end{};
    for (std::size_t n = 0; n != limit.jobs && !local_.empty(); ++n) {
      if (n == clock_stride) // short turns read no clock
        end = clock::now() + limit.time;
      else if (n != 0 && n % clock_stride == 0 && clock::now() >= end)
        break;
      one(run);
    }
    if (!local_.empty() || !inbox_.rest())
      return true;
    armed_ = false;
    busy_.store(false, std::memory_order_relaxed);
    return false;
  }

  /// Owner. True: there is so much to do that a loop without work should help.
  bool crowded(std::size_t threshold) const { return local_.size() >= threshold; }

  /// Any thread, a hint.
  bool busy() const { return busy_.load(std::memory_order_relaxed); }

  /// Owner of this queue. Gives the younger half to `other`. True: have the owner of `other`
  /// call `woken`.
  [[nodiscard]] bool share_with(job_queue& other) {
    const auto half = local_.begin() + static_cast<std::ptrdiff_t>(local_.size() / 2);
    const auto put = other.inbox_.put(half, local_.end());
    if (put != put_result::closed)
      local_.erase(half, local_.end());
    return put == put_result::wake;
  }

  /// When the owner's thread has ended: empties the queue into `out`.
  void take_all(std::deque<Job>& out) {
    out.insert(out.end(), std::make_move_iterator(local_.begin()),
               std::make_move_iterator(local_.end()));
    local_.clear();
    inbox_.take(out);
  }

  /// Any thread: refuses later `put`s.
  void close() { inbox_.close(); }

  /// Owner, after `close`. True: no turn is scheduled or running, and no wake-up is on its way:
  /// nothing will call the owner any more.
  bool idle() const { return !armed_ && wakes_seen_ == inbox_.wakes(); }

private:
  static constexpr std::size_t clock_stride = 8;

  template <class Run>
  void one(Run& run) {
    Job job = std::move(local_.front());
    local_.pop_front();
    if (run(job))
      local_.push_back(std::move(job));
  }

  hand_off<Job, Mutex> inbox_;
  std::deque<Job> local_;
  std::uint64_t wakes_seen_ = 0;
  bool armed_ = false;
  std::atomic<bool> busy_{false};
};

} // namespace troupe
