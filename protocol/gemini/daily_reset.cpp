#include "protocol/gemini/classify.hpp"

#include <chrono>

namespace troupe::gemini {
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

sys_seconds midnight_utc(sys_days date) {
  return sys_seconds{date} + (midnight_is_daylight_saving(date) ? hours{7} : hours{8});
}

} // namespace

wall_time next_daily_reset(wall_time now) {
  // Los Angeles is seven or eight hours behind: the local date is that of UTC or the day before.
  sys_days date = floor<days>(now) - days{1};
  while (midnight_utc(date) <= now)
    date += days{1};
  return wall_time{midnight_utc(date)};
}

} // namespace troupe::gemini
