#include "actors/time_zone.hpp"

#include <date/tz.h>

#include <exception>
#include <utility>
#include <vector>

namespace troupe {

namespace {

constexpr auto years_ahead = std::chrono::years{20};

std::vector<day_clock::change> changes_of(const date::time_zone& zone, wall_time from) {
  std::vector<day_clock::change> changes;
  const auto until = std::chrono::floor<std::chrono::seconds>(from + years_ahead);
  for (auto at = std::chrono::floor<std::chrono::seconds>(from); at < until;) {
    const auto info = zone.get_info(at);
    if (changes.empty() || changes.back().offset != info.offset)
      changes.push_back({info.begin, info.offset});
    if (info.end <= at)
      break;
    at = info.end;
  }
  return changes;
}

} // namespace

result<day_clock> read_zone(const std::string& name, wall_time from) {
  try {
    return day_clock{changes_of(*date::locate_zone(name), from)};
  } catch (const std::exception&) {
    // What the library says is for its programmers. The default needs no database.
    if (name == "America/Los_Angeles")
      return day_clock{};
    return failure(errc::not_found,
                   "time zone " + name + " is not in this system's time zone database (tzdata)");
  }
}

} // namespace troupe
