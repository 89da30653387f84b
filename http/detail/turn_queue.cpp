#include "http/detail/turn_queue.hpp"

namespace troupe::http::detail {

bool turn_queue::push_from_outside(turn t) {
  const std::lock_guard lock{inbox_mutex_};
  inbox_.push_back(t);
  return inbox_.size() == 1;
}

void turn_queue::take_inbox() {
  {
    const std::lock_guard lock{inbox_mutex_};
    taken_.swap(inbox_);
  }
  for (const auto& t : taken_)
    push(t);
  taken_.clear();
}

void turn_queue::run(std::size_t limit) {
  for (; limit > 0 && size_ > 0; --limit) {
    const auto t = pop();
    t.work(t.argument);
  }
}

void turn_queue::grow() {
  const auto bigger = capacity_ == 0 ? 64 : capacity_ * 2;
  auto ring = std::make_unique<turn[]>(bigger);
  for (std::size_t i = 0; i < size_; ++i)
    ring[i] = ring_[(first_ + i) & (capacity_ - 1)];
  ring_ = std::move(ring);
  capacity_ = bigger;
  first_ = 0;
}

} // namespace troupe::http::detail
