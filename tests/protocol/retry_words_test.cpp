#include "protocol/upstream/retry_words.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::upstream {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::sys_days;

constexpr wall_time at(int year, unsigned month, unsigned day, std::chrono::seconds clock = 0s) {
  return wall_time{
             sys_days{std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day)}}
         + clock;
}

TEST(retry_words, understands_durations_of_every_upstream) {
  EXPECT_EQ(read_duration("46.8s"), 46'800ms);
  EXPECT_EQ(read_duration("2m30s"), 150s);
  EXPECT_EQ(read_duration("1h2m3.5s"), 3'723'500ms);
  EXPECT_EQ(read_duration("350ms"), 350ms);
  EXPECT_EQ(read_duration("12 seconds"), 12s);
  EXPECT_EQ(read_duration("1d"), 24h);
  EXPECT_EQ(read_duration("30"), 30s);
  EXPECT_EQ(read_duration("1.25"), 1'250ms);
  for (const auto* text : {"", "s", "-5s", "5x", "5s!", "1e9s", "0s", "0", "nan"})
    EXPECT_FALSE(read_duration(text)) << text;
}

TEST(retry_words, a_wait_past_all_sense_is_ten_years_and_never_overflows) {
  EXPECT_EQ(read_duration("99999999999999999999999s"), milliseconds{24h * 3650});
  EXPECT_EQ(read_duration("9999999999d9999999999d9999999999d"), milliseconds{24h * 3650});
  EXPECT_EQ(read_milliseconds("99999999999999999999"), milliseconds{9'000'000'000});
}

TEST(retry_words, retry_after_is_seconds_or_any_http_date) {
  const auto now = at(1994, 11, 6, 8h + 49min + 7s);
  EXPECT_EQ(read_retry_after("120", now), 120s);
  EXPECT_EQ(read_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), 30s);
  EXPECT_EQ(read_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", now), 30s);
  EXPECT_EQ(read_retry_after("Sun Nov  6 08:49:37 1994", now), 30s);
  EXPECT_FALSE(read_retry_after("Sun, 06 Nov 1994 08:49:07 GMT", now)); // now
  for (const auto* text : {"", "soon", "06 Nov", "Sun, 99 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 25:49:37 GMT", "31 Feb 2026 00:00:00"})
    EXPECT_FALSE(read_retry_after(text, now)) << text;
  EXPECT_EQ(read_retry_after("Fri, 06-Nov-06 00:00:01 GMT", at(2006, 11, 6)), 1s);
}

TEST(retry_words, a_reset_is_a_span_an_epoch_or_an_instant) {
  const auto now = at(2026, 1, 15, 1h);
  const auto epoch =
      std::to_string(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count() + 90);
  EXPECT_EQ(read_reset("2m30s", now), 150s);
  EXPECT_EQ(read_reset("45", now), 45s);
  EXPECT_EQ(read_reset(epoch, now), 90s);
  EXPECT_EQ(read_reset(epoch + "250", now), 90'250ms);
  EXPECT_EQ(read_reset("2026-01-15T01:00:09Z", now), 9s);
  EXPECT_EQ(read_reset("2026-01-15T01:00:09.25Z", now), 10s);
  EXPECT_FALSE(read_reset("1000000001", now)); // 2001 is over
  EXPECT_FALSE(read_reset("2026-01-15T00:00:00Z", now));
}

TEST(retry_words, finds_the_wait_in_a_sentence) {
  EXPECT_EQ(find_retry_text("Quota. Please retry in 38.8s."), 38'800ms);
  EXPECT_EQ(find_retry_text("please RETRY IN 1m2.5s"), 62'500ms);
  EXPECT_EQ(find_retry_text("Try again in 20 seconds, or retry after 5 minutes."), 5min);
  EXPECT_FALSE(find_retry_text("retry in a while, retry in 5, retry in 5 apples"));
}

} // namespace
} // namespace troupe::upstream
