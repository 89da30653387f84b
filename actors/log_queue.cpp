#include "actors/log_queue.hpp"

#include <utility>

namespace troupe {

log_queue::log_queue(std::size_t lines_max) : lines_max_(lines_max) {}

void log_queue::push(log_record line) {
  log_record oldest; // destroyed after the lock is gone
  bool wake = false;
  {
    const std::lock_guard lock{mutex_};
    if (closed_)
      return;
    if (lines_.size() >= lines_max_) {
      oldest = std::move(lines_.front());
      lines_.pop_front();
      ++dropped_;
    }
    lines_.push_back(std::move(line));
    ++pushed_;
    wake = asleep_ || must_wake();
  }
  if (wake)
    filled_.notify_one();
}

bool log_queue::wait(batch& out) {
  out.lines.clear();
  std::unique_lock lock{mutex_};
  if (!calm_)
    filled_.wait_for(lock, nap, [&] { return must_wake(); });
  if (lines_.empty() && !closed_) {
    asleep_ = true;
    filled_.wait(lock, [&] { return !lines_.empty() || closed_; });
    asleep_ = false;
  }
  calm_ = lines_.empty();
  out.lines.swap(lines_);
  out.dropped = dropped_ - dropped_told_;
  dropped_told_ = dropped_;
  taken_ = pushed_; // what is not in `out` was dropped
  return !out.lines.empty();
}

void log_queue::flush() {
  std::unique_lock lock{mutex_};
  const auto wanted = pushed_;
  if (written_ >= wanted)
    return;
  flushing_ = true;
  filled_.notify_one();
  caught_up_.wait(lock, [&] { return written_ >= wanted; });
}

void log_queue::written() {
  {
    const std::lock_guard lock{mutex_};
    written_ = taken_;
    flushing_ = flushing_ && written_ < pushed_;
  }
  caught_up_.notify_all();
}

void log_queue::close() {
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
  }
  filled_.notify_all();
}

std::uint64_t log_queue::dropped() const {
  const std::lock_guard lock{mutex_};
  return dropped_;
}

} // namespace troupe
