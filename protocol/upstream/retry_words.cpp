#include "protocol/upstream/retry_words.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace troupe::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::int64_t nanos_per_second = 1'000'000'000;
constexpr std::int64_t wait_max_ns = std::int64_t{3650} * 86'400 * nanos_per_second; // 10 years

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_letter(char c) {
  return lower(c) >= 'a' && lower(c) <= 'z';
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\"");
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(" \t\"") - begin + 1);
}

/// Takes a decimal number off `text`, in billionths; a number past all sense becomes the
/// largest one. Nothing if there is no number; `text` is then unchanged.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::size_t at = 0;
  std::int64_t whole = 0;
  for (; at < text.size() && is_digit(text[at]); ++at)
    whole = std::min<std::int64_t>(whole * 10 + (text[at] - '0'), 9'000'000'000);
  if (at == 0)
    return std::nullopt;
  std::int64_t billionths = 0;
  if (at + 1 < text.size() && text[at] == '.' && is_digit(text[at + 1])) {
    ++at;
    std::int64_t worth = nanos_per_second / 10;
    for (; at < text.size() && is_digit(text[at]); ++at, worth /= 10)
      billionths += worth * (text[at] - '0');
  }
  text.remove_prefix(at);
  return whole * nanos_per_second + billionths;
}

/// Nanoseconds in the unit that `text` begins with, taken off; 0 if it is none.
std::int64_t take_unit(std::string_view& text) {
  struct unit {
    std::string_view name;
    std::int64_t nanos;
  };
  constexpr std::int64_t s = nanos_per_second;
  static constexpr std::array units{
      unit{"s", s},
      unit{"sec", s},
      unit{"secs", s},
      unit{"second", s},
      unit{"seconds", s},
      unit{"m", 60 * s},
      unit{"min", 60 * s},
      unit{"mins", 60 * s},
      unit{"minute", 60 * s},
      unit{"minutes", 60 * s},
      unit{"h", 3600 * s},
      unit{"hour", 3600 * s},
      unit{"hours", 3600 * s},
      unit{"d", 86'400 * s},
      unit{"day", 86'400 * s},
      unit{"days", 86'400 * s},
      unit{"ms", s / 1000},
      unit{"milliseconds", s / 1000},
      unit{"us", 1000},
      unit{"ns", 1},
  };
  std::string word;
  while (word.size() < text.size() && word.size() < 13 && is_letter(text[word.size()]))
    word += lower(text[word.size()]);
  const auto found =
      std::find_if(units.begin(), units.end(), [&](const unit& u) { return u.name == word; });
  if (found == units.end())
    return 0;
  text.remove_prefix(word.size());
  return found->nanos;
}

std::int64_t times(std::int64_t billionths, std::int64_t unit) {
  const auto whole = billionths / nanos_per_second;
  const auto part = billionths % nanos_per_second;
  if (whole > wait_max_ns / unit)
    return wait_max_ns;
  // In this order neither product leaves 64 bits: a unit is below a second or a multiple of it.
  const auto rest =
      unit < nanos_per_second ? part * unit / nanos_per_second : part * (unit / nanos_per_second);
  return std::min(whole * unit + rest, wait_max_ns);
}

wait from_nanos(std::int64_t nanos) {
  if (nanos <= 0)
    return std::nullopt;
  return std::chrono::ceil<milliseconds>(nanoseconds{std::min(nanos, wait_max_ns)});
}

void skip_spaces(std::string_view& text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
}

/// Takes the longest duration that `text` begins with, in nanoseconds; 0 if there is none.
std::int64_t take_duration(std::string_view& text) {
  std::int64_t total = 0;
  for (std::string_view rest = text; const auto number = take_number(rest);) {
    skip_spaces(rest);
    const auto unit = take_unit(rest);
    if (unit == 0)
      break;
    total = std::min(total + times(*number, unit), wait_max_ns);
    text = rest;
    skip_spaces(rest);
  }
  return total;
}

wait until(wall_time then, wall_time now) {
  if (then <= now)
    return std::nullopt;
  return std::min<milliseconds>(then - now,
                                std::chrono::duration_cast<milliseconds>(nanoseconds{wait_max_ns}));
}

std::optional<int> whole_number(std::string_view text) {
  if (text.empty() || text.size() > 4)
    return std::nullopt;
  int n = 0;
  for (const char c : text) {
    if (!is_digit(c))
      return std::nullopt;
    n = n * 10 + (c - '0');
  }
  return n;
}

/// `08:49:37`, as time of day.
std::optional<std::chrono::seconds> read_clock(std::string_view text) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':')
    return std::nullopt;
  const auto h = whole_number(text.substr(0, 2)), m = whole_number(text.substr(3, 2)),
             s = whole_number(text.substr(6, 2));
  if (!h || !m || !s || *h > 23 || *m > 59 || *s > 60)
    return std::nullopt;
  return std::chrono::hours{*h} + std::chrono::minutes{*m} + std::chrono::seconds{*s};
}

std::optional<unsigned> read_month(std::string_view text) {
  static constexpr std::string_view names = "janfebmaraprmayjunjulaugsepoctnovdec";
  if (text.size() != 3)
    return std::nullopt;
  const std::array<char, 3> word{lower(text[0]), lower(text[1]), lower(text[2])};
  const auto at = names.find(std::string_view{word.data(), word.size()});
  if (at == std::string_view::npos || at % 3 != 0)
    return std::nullopt;
  return static_cast<unsigned>(at / 3 + 1);
}

std::optional<wall_time> instant(int year, unsigned month, int day, std::chrono::seconds clock) {
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok())
    return std::nullopt;
  return wall_time{std::chrono::sys_days{date}} + clock;
}

/// The three forms differ in order and punctuation only, and each word tells what it is: a
/// name of a month, a clock with colons, a day (the first number), a year (the second).
std::optional<wall_time> read_http_date(std::string_view text) {
  std::optional<unsigned> month;
  std::optional<int> day, year;
  std::optional<std::chrono::seconds> clock;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(" ,-"), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (const auto n = whole_number(word)) {
      if (!day)
        day = n;
      else if (!year)
        year = word.size() == 2 ? *n + (*n < 70 ? 2000 : 1900) : *n; // RFC 850 writes two digits
    } else if (const auto m = read_month(word)) {
      month = m;
    } else if (const auto c = read_clock(word)) {
      clock = c;
    }
  }
  if (!month || !day || !year || !clock)
    return std::nullopt;
  return instant(*year, *month, *day, *clock);
}

/// `2026-01-15T01:00:00.25Z`, in UTC; an offset other than Z is not seen in these headers.
std::optional<wall_time> read_rfc3339(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || lower(text[10]) != 't'
      || lower(text.back()) != 'z')
    return std::nullopt;
  const auto year = whole_number(text.substr(0, 4)), month = whole_number(text.substr(5, 2)),
             day = whole_number(text.substr(8, 2));
  const auto clock = read_clock(text.substr(11, 8));
  if (!year || !month || !day || !clock)
    return std::nullopt;
  auto at = instant(*year, static_cast<unsigned>(*month), *day, *clock);
  if (at && text[19] == '.')
    *at += std::chrono::seconds{1}; // rounded up, like every wait
  return at;
}

} // namespace

wait longer(wait a, wait b) {
  return std::max(a, b);
}

wait read_duration(std::string_view text) {
  text = trim(text);
  std::string_view number = text;
  if (const auto n = take_number(number); n && number.empty())
    return from_nanos(*n);
  const auto nanos = take_duration(text);
  return text.empty() ? from_nanos(nanos) : std::nullopt;
}

wait read_retry_after(std::string_view text, wall_time now) {
  if (const auto seconds = read_duration(text))
    return seconds;
  const auto date = read_http_date(trim(text));
  return date ? until(*date, now) : std::nullopt;
}

wait read_milliseconds(std::string_view text) {
  text = trim(text);
  const auto number = take_number(text);
  return number && text.empty() ? from_nanos(times(*number, nanos_per_second / 1000))
                                : std::nullopt;
}

wait read_reset(std::string_view text, wall_time now) {
  text = trim(text);
  std::string_view rest = text;
  if (const auto n = take_number(rest); n && rest.empty() && text.find('.') > 9) {
    // A bare number with ten digits or more can only be an instant: as a wait it would be
    // longer than thirty years. Thirteen digits are milliseconds.
    std::int64_t digits = 0;
    for (const char c : text.substr(0, std::min<std::size_t>(text.find('.'), 18)))
      digits = digits * 10 + (c - '0');
    if (digits >= 1'000'000'000'000)
      return until(wall_time{milliseconds{digits}}, now);
    if (digits >= 1'000'000'000)
      return until(wall_time{std::chrono::seconds{digits + (text.find('.') < text.size())}}, now);
  }
  if (const auto span = read_duration(text))
    return span;
  const auto at = read_rfc3339(text);
  return at ? until(*at, now) : read_retry_after(text, now);
}

wait find_retry_text(std::string_view message) {
  static constexpr std::array<std::string_view, 3> phrases{"retry in ", "retry after ",
                                                           "try again in "};
  std::string low;
  low.reserve(message.size());
  for (const char c : message)
    low += lower(c);
  wait longest;
  for (const auto phrase : phrases)
    for (auto at = low.find(phrase); at != std::string::npos; at = low.find(phrase, at + 1)) {
      std::string_view rest = std::string_view{low}.substr(at + phrase.size());
      longest = longer(longest, from_nanos(take_duration(rest)));
    }
  return longest;
}

} // namespace troupe::upstream
