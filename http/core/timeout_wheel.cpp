#include "http/core/timeout_wheel.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace troupe::http {

namespace {

constexpr auto no_wake = std::numeric_limits<std::int64_t>::max();

/// The last tick that has ended by `t`.
std::int64_t ticks_before(time_point t) {
  return t.time_since_epoch() / timeout_wheel::tick;
}

/// The tick whose end is the first one not before `t`.
std::int64_t tick_of(time_point t) {
  const auto whole = t.time_since_epoch() / timeout_wheel::tick;
  return t.time_since_epoch() % timeout_wheel::tick > duration::zero() ? whole + 1 : whole;
}

time_point end_of(std::int64_t tick) {
  return time_point{tick * timeout_wheel::tick};
}

} // namespace

namespace detail {

void wheel_link::unlink() {
  next->previous = previous;
  previous->next = next;
  next = previous = this;
}

void wheel_link::link_before(wheel_link& position) {
  next = &position;
  previous = position.previous;
  previous->next = this;
  position.previous = this;
}

} // namespace detail

void timeout::set(time_point deadline) {
  deadline_ = deadline;
  if (deadline == time_point::max())
    return;
  if (!alone() && filed_ <= tick_of(deadline))
    return;
  unlink();
  wheel_->file(*this);
}

timeout_wheel::timeout_wheel(time_point now, wake_function wake_by, void* argument)
    : wake_by_(wake_by), argument_(argument), done_(ticks_before(now)), wake_at_(no_wake) {}

timeout_wheel::~timeout_wheel() {
  for (auto& head : heads_)
    while (!head.alone())
      head.next->unlink();
}

void timeout_wheel::file(timeout& entry) {
  const auto last = done_ + static_cast<std::int64_t>(slots) - 1;
  entry.filed_ = std::clamp(tick_of(entry.deadline_), done_ + 1, last);
  const auto slot = static_cast<std::size_t>(entry.filed_) % slots;
  entry.link_before(heads_[slot]);
  used_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  if (entry.filed_ < wake_at_) {
    wake_at_ = entry.filed_;
    wake_by_(argument_, end_of(wake_at_));
  }
}

void timeout_wheel::advance(time_point now) {
  const auto target = ticks_before(now); // the last tick that is over
  // Moved to a list of their own first: what is filed during a call is for a later tick.
  detail::wheel_link due;
  wake_at_ = std::numeric_limits<std::int64_t>::min(); // no asking until the end
  while (const auto first = earliest()) {
    if (*first > target)
      break;
    const auto slot = static_cast<std::size_t>(*first) % slots;
    used_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
    auto& head = heads_[slot];
    while (!head.alone()) {
      auto& link = *head.next;
      link.unlink();
      link.link_before(due);
    }
  }
  done_ = std::max(done_, target);
  while (!due.alone()) {
    auto& entry = static_cast<timeout&>(*due.next);
    entry.unlink();
    if (entry.deadline_ > now) {
      if (entry.is_set())
        file(entry);
      continue;
    }
    entry.deadline_ = time_point::max();
    entry.on_due_(entry.argument_);
  }
  const auto next = earliest();
  wake_at_ = next.value_or(no_wake);
  if (next)
    wake_by_(argument_, end_of(wake_at_));
}

std::optional<time_point> timeout_wheel::next_wake() const {
  const auto first = earliest();
  return first ? std::optional{end_of(*first)} : std::nullopt;
}

std::optional<std::int64_t> timeout_wheel::earliest() const {
  const auto first = static_cast<std::size_t>(done_ + 1) % slots;
  constexpr auto words = slots / 64;
  for (std::size_t i = 0; i <= words; ++i) {
    const auto word = (first / 64 + i) % words;
    auto bits = used_[word];
    if (i == 0)
      bits &= ~std::uint64_t{0} << (first % 64);
    else if (i == words)
      bits &= ~(~std::uint64_t{0} << (first % 64));
    if (bits == 0)
      continue;
    const auto slot = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
    return done_ + 1 + static_cast<std::int64_t>((slot + slots - first) % slots);
  }
  return std::nullopt;
}

} // namespace troupe::http
