#include "actors/core/quota_days.hpp"

#include <algorithm>

namespace troupe {

day_pair days_of(const day_clock& clock, wall_time wall, duration margin) {
  const auto either_side = std::chrono::ceil<std::chrono::milliseconds>(margin);
  return {clock.next_midnight(wall - either_side), clock.next_midnight(wall + either_side)};
}

const quota_days::day* quota_days::find(wall_time end) const {
  const auto all = days();
  const auto found = std::ranges::find(all, end, &day::end);
  return found == all.end() ? nullptr : &*found;
}

void quota_days::add(wall_time end, std::uint64_t calls, std::uint64_t tokens) {
  if (const auto* known = find(end)) {
    auto& d = days_[static_cast<std::size_t>(known - days_.data())];
    d.calls += calls;
    d.tokens += tokens;
    return;
  }
  const day fresh{end, calls, tokens};
  if (count_ < days_max)
    days_[count_++] = fresh;
  else
    *std::ranges::min_element(days_, {}, &day::end) = fresh;
}

void quota_days::take_back(wall_time end, std::uint64_t calls, std::uint64_t tokens) {
  if (const auto* known = find(end)) {
    auto& d = days_[static_cast<std::size_t>(known - days_.data())];
    d.calls -= std::min(d.calls, calls);
    d.tokens -= std::min(d.tokens, tokens);
  }
}

void quota_days::rename(wall_time from, wall_time to) {
  if (const auto* known = find(from); known && from != to) {
    const auto was = *known;
    days_[static_cast<std::size_t>(known - days_.data())] = days_[--count_];
    add(to, was.calls, was.tokens);
  }
}

std::uint64_t quota_days::calls(wall_time end) const {
  const auto* d = find(end);
  return d ? d->calls : 0;
}

std::uint64_t quota_days::tokens(wall_time end) const {
  const auto* d = find(end);
  return d ? d->tokens : 0;
}

} // namespace troupe
