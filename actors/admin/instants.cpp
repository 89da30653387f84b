#include "actors/admin/instants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace troupe {

namespace {

using std::chrono::milliseconds;

constexpr std::int64_t last_ms = 253'402'300'799'999; // 9999-12-31T23:59:59.999Z

/// Reads a text from its front. After a fault every reading is one.
class scanner {
public:
  explicit scanner(std::string_view text) : text_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    if (text_.size() < count)
      return fail();
    for (std::size_t i = 0; i < count; ++i) {
      if (text_[i] < '0' || text_[i] > '9')
        return fail();
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(count);
    return value;
  }

  bool take(char a, char b) {
    if (text_.empty() || (text_[0] != a && text_[0] != b))
      return false;
    text_.remove_prefix(1);
    return true;
  }

  void expect(char a, char b) { good_ = take(a, b) && good_; }

  /// Milliseconds of a fraction of any length.
  int fraction() {
    int value = 0, scale = 100, count = 0;
    while (!text_.empty() && text_[0] >= '0' && text_[0] <= '9') {
      value += (text_[0] - '0') * scale;
      scale /= 10;
      ++count;
      text_.remove_prefix(1);
    }
    return count == 0 ? fail() : value;
  }

  bool ended() const { return good_ && text_.empty(); }

private:
  int fail() {
    good_ = false;
    return 0;
  }

  std::string_view text_;
  bool good_ = true;
};

} // namespace

std::string instant_text(std::int64_t at_ms) {
  const auto at = std::chrono::sys_time<milliseconds>{
      milliseconds{std::clamp<std::int64_t>(at_ms, 0, last_ms)}};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

std::optional<std::int64_t> parse_instant(std::string_view text) {
  scanner s(text);
  const auto year = s.digits(4);
  s.expect('-', '-');
  const auto month = s.digits(2);
  s.expect('-', '-');
  const auto day = s.digits(2);
  s.expect('T', 't');
  const auto hour = s.digits(2);
  s.expect(':', ':');
  const auto minute = s.digits(2);
  s.expect(':', ':');
  const auto second = s.digits(2);
  const auto ms = s.take('.', '.') ? s.fraction() : 0;
  int offset = 0;
  if (!s.take('Z', 'z')) {
    const bool west = s.take('-', '-');
    if (!west)
      s.expect('+', '+');
    const auto hours = s.digits(2);
    s.expect(':', ':');
    const auto minutes = s.digits(2);
    if (hours > 23 || minutes > 59)
      return std::nullopt;
    offset = (hours * 60 + minutes) * (west ? -1 : 1);
  }
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!s.ended() || !date.ok() || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  const auto at = std::chrono::sys_days{date} + std::chrono::hours{hour}
                  + std::chrono::minutes{minute - offset} + std::chrono::seconds{second}
                  + milliseconds{ms};
  return at.time_since_epoch().count();
}

} // namespace troupe
