#include "actors/core/rate_watch.hpp"

#include <algorithm>

namespace troupe {

namespace {

std::int64_t second_of(time_point at) {
  return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
}

/// The place of a second, also of one before the clock's beginning.
std::size_t place_of(std::int64_t second, std::int64_t places) {
  return static_cast<std::size_t>(((second % places) + places) % places);
}

} // namespace

rate_watch::row& rate_watch::row_of(std::string_view model, std::int64_t second) {
  const auto found =
      std::find_if(rows_.begin(), rows_.end(), [model](const row& r) { return r.model == model; });
  if (found != rows_.end())
    return *found;
  const row fresh{std::string{model}, second, {}};
  if (rows_.size() < models_max)
    return rows_.emplace_back(fresh);
  return *std::min_element(rows_.begin(), rows_.end(),
                           [](const row& a, const row& b) { return a.last < b.last; }) = fresh;
}

void rate_watch::note(std::string_view model, time_point now) {
  const auto second = second_of(now);
  auto& r = row_of(model, second);
  if (second - r.last >= seconds)
    r.counts.fill(0);
  else
    for (auto s = r.last + 1; s <= second; ++s)
      r.counts[place_of(s, seconds)] = 0;
  r.last = std::max(r.last, second);
  ++r.counts[place_of(r.last, seconds)];
}

std::uint32_t rate_watch::in_last_minute(std::string_view model, time_point now) const {
  const auto found =
      std::find_if(rows_.begin(), rows_.end(), [model](const row& r) { return r.model == model; });
  if (found == rows_.end())
    return 0;
  std::uint32_t sum = 0;
  for (auto s = std::max(second_of(now), found->last) - seconds + 1; s <= found->last; ++s)
    sum += found->counts[place_of(s, seconds)];
  return sum;
}

} // namespace troupe
