#include "actors/cli/moments.hpp"

#include "actors/admin/instants.hpp"
#include "protocol/config/values.hpp"

#include <chrono>

namespace troupe::cli {

namespace {

std::string span_text(std::int64_t seconds) {
  constexpr std::int64_t minute = 60, hour = 60 * minute, day = 24 * hour;
  if (seconds < 2 * minute)
    return std::to_string(seconds) + " s";
  if (seconds < 2 * hour)
    return std::to_string(seconds / minute) + " min";
  if (seconds < 2 * day)
    return std::to_string(seconds / hour) + " h";
  return std::to_string(seconds / day) + " d";
}

std::int64_t milliseconds(wall_time t) {
  return t.time_since_epoch().count();
}

} // namespace

std::string relative_moment(std::string_view instant, wall_time now) {
  const auto at = parse_instant(instant);
  if (!at)
    return std::string{instant};
  const auto seconds = (*at - milliseconds(now)) / 1000;
  if (seconds == 0)
    return "now";
  return seconds < 0 ? span_text(-seconds) + " ago" : "in " + span_text(seconds);
}

std::string absolute_moment(std::string_view instant) {
  const auto at = parse_instant(instant);
  if (!at)
    return std::string{instant};
  const auto text = instant_text(*at); // 2026-11-25T08:00:00.000Z
  return text.substr(0, 10) + ' ' + text.substr(11, 8) + " UTC";
}

std::string full_moment(std::string_view instant, wall_time now) {
  if (!parse_instant(instant))
    return std::string{instant};
  return absolute_moment(instant) + " (" + relative_moment(instant, now) + ')';
}

result<std::string> read_expiry(std::string_view text, wall_time now) {
  if (text == "never")
    return std::string{};
  if (const auto span = config::parse_duration(text)) {
    using std::chrono::milliseconds;
    return instant_text(
        (now + std::chrono::duration_cast<milliseconds>(*span)).time_since_epoch().count());
  }
  if (const auto at = parse_instant(text))
    return instant_text(*at);
  if (const auto day = parse_instant(std::string{text} + "T00:00:00Z"))
    return instant_text(*day);
  return failure{errc::invalid_argument,
                 "--expires: must be a span such as 30d, a day such as 2027-01-01, an instant "
                 "such as 2027-01-01T12:00:00Z, or never"};
}

} // namespace troupe::cli
