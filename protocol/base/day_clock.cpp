#include "protocol/base/day_clock.hpp"

#include <algorithm>
#include <cstddef>

namespace troupe {
namespace {

using namespace std::chrono;

/// Whether daylight saving is in force at the midnight that begins `date` in Los Angeles. The
/// clocks change at 02:00, so the midnight of a changing day still has the old offset.
bool midnight_is_daylight_saving(sys_days date) {
  const auto year = year_month_day{date}.year();
  const sys_days begins{year / March / Sunday[2]};
  const sys_days ends{year / November / Sunday[1]};
  return date > begins && date <= ends;
}

wall_time los_angeles_midnight(sys_days date) {
  return wall_time{sys_seconds{date} + (midnight_is_daylight_saving(date) ? hours{7} : hours{8})};
}

wall_time next_in_los_angeles(wall_time now) {
  // Los Angeles is seven or eight hours behind: the local date is that of UTC or the day before.
  sys_days date = floor<days>(now) - days{1};
  while (los_angeles_midnight(date) <= now)
    date += days{1};
  return los_angeles_midnight(date);
}

sys_days local_date(wall_time at, seconds offset) {
  return floor<days>(at + offset);
}

} // namespace

wall_time day_clock::next_midnight(wall_time now) const {
  if (!changes_)
    return next_in_los_angeles(now);
  const auto& changes = *changes_;
  const auto after = std::upper_bound(changes.begin(), changes.end(), now,
                                      [](wall_time t, const change& c) { return t < c.at; });
  auto i = static_cast<std::size_t>(after == changes.begin() ? 0 : after - changes.begin() - 1);
  const auto today = local_date(now, changes[i].offset);
  // Midnight itself may be skipped, or the change may put the clock back across it: the new day
  // begins with the first instant of a later date, whatever the clock shows then.
  for (;; ++i) {
    const wall_time midnight = sys_days{today + days{1}} - changes[i].offset;
    if (i + 1 == changes.size() || midnight < changes[i + 1].at)
      return midnight;
    if (local_date(changes[i + 1].at, changes[i + 1].offset) > today)
      return changes[i + 1].at;
  }
}

} // namespace troupe
