#include "protocol/base/day_clock.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year;

wall_time utc(int y, unsigned m, unsigned d, std::chrono::milliseconds of_day = 0ms) {
  return sys_days{year{y} / static_cast<int>(m) / static_cast<int>(d)} + of_day;
}

TEST(day_clock, ends_the_days_of_los_angeles_by_itself) {
  const day_clock la;
  EXPECT_EQ(la.next_midnight(utc(2026, 1, 15, 1h)), utc(2026, 1, 15, 8h));
  EXPECT_EQ(la.next_midnight(utc(2026, 7, 15, 1h)), utc(2026, 7, 15, 7h));
  EXPECT_EQ(la.next_midnight(utc(2026, 12, 31, 23h)), utc(2027, 1, 1, 8h));
}

TEST(day_clock, midnight_is_after_now_and_never_now) {
  const day_clock la;
  EXPECT_EQ(la.next_midnight(utc(2026, 7, 15, 7h)), utc(2026, 7, 16, 7h));
  EXPECT_EQ(la.next_midnight(utc(2026, 7, 15, 7h) - 1ms), utc(2026, 7, 15, 7h));
  const day_clock plus_one({{utc(2026, 1, 1), 3600s}});
  EXPECT_EQ(plus_one.next_midnight(utc(2026, 5, 1, 23h)), utc(2026, 5, 2, 23h));
  EXPECT_EQ(plus_one.next_midnight(utc(2026, 5, 1, 23h) - 1ms), utc(2026, 5, 1, 23h));
}

TEST(day_clock, days_of_23_and_25_hours_end_at_midnight) {
  const day_clock la;
  EXPECT_EQ(la.next_midnight(utc(2026, 3, 8, 8h)), utc(2026, 3, 9, 7h));   // 23 hours
  EXPECT_EQ(la.next_midnight(utc(2026, 11, 1, 7h)), utc(2026, 11, 2, 8h)); // 25 hours
}

TEST(day_clock, without_a_change_the_offset_holds_for_ever) {
  const day_clock kathmandu({{utc(2020, 1, 1), 5h + 45min}});
  EXPECT_EQ(kathmandu.next_midnight(utc(2035, 2, 3, 18h)), utc(2035, 2, 3, 18h + 15min));
  EXPECT_EQ(kathmandu.next_midnight(utc(2010, 2, 3, 18h)), utc(2010, 2, 3, 18h + 15min));
}

TEST(day_clock, counts_each_day_by_the_offset_in_force_at_its_end) {
  const day_clock berlin(
      {{utc(2026, 1, 1), 1h}, {utc(2026, 3, 29, 1h), 2h}, {utc(2026, 10, 25, 1h), 1h}});
  EXPECT_EQ(berlin.next_midnight(utc(2026, 3, 28, 12h)), utc(2026, 3, 28, 23h));
  EXPECT_EQ(berlin.next_midnight(utc(2026, 3, 28, 23h)), utc(2026, 3, 29, 22h));
  EXPECT_EQ(berlin.next_midnight(utc(2026, 10, 24, 22h)), utc(2026, 10, 25, 23h));
}

TEST(day_clock, a_midnight_that_the_clocks_skip_is_the_first_instant_after_it) {
  // At 00:00 local time (22:00 UTC) the clocks go to 01:00.
  const day_clock cairo({{utc(2026, 1, 1), 2h}, {utc(2026, 4, 23, 22h), 3h}});
  EXPECT_EQ(cairo.next_midnight(utc(2026, 4, 23, 12h)), utc(2026, 4, 23, 22h));
  EXPECT_EQ(cairo.next_midnight(utc(2026, 4, 23, 22h)), utc(2026, 4, 24, 21h));
}

TEST(day_clock, a_day_that_comes_back_at_midnight_ends_the_second_time) {
  // At 24:00 local time (03:00 UTC) the clocks go back to 23:00 of the same day.
  const day_clock santiago({{utc(2026, 1, 1), -3h}, {utc(2026, 4, 5, 3h), -4h}});
  EXPECT_EQ(santiago.next_midnight(utc(2026, 4, 4, 12h)), utc(2026, 4, 5, 4h));
  EXPECT_EQ(santiago.next_midnight(utc(2026, 4, 5, 3h + 30min)), utc(2026, 4, 5, 4h));
}

TEST(day_clock, a_midnight_that_comes_twice_begins_one_day) {
  // At 01:00 local time (05:00 UTC) the clocks go back to 00:00.
  const day_clock havana({{utc(2026, 1, 1), -4h}, {utc(2026, 11, 1, 5h), -5h}});
  EXPECT_EQ(havana.next_midnight(utc(2026, 11, 1, 3h)), utc(2026, 11, 1, 4h));
  EXPECT_EQ(havana.next_midnight(utc(2026, 11, 1, 4h + 30min)), utc(2026, 11, 2, 5h));
  EXPECT_EQ(havana.next_midnight(utc(2026, 11, 1, 5h)), utc(2026, 11, 2, 5h));
}

TEST(day_clock, a_day_that_a_zone_leaves_out_is_no_day) {
  // At the end of the 29th (10:00 UTC) the zone jumps to the 31st.
  const day_clock apia({{utc(2011, 1, 1), -10h}, {utc(2011, 12, 30, 10h), 14h}});
  EXPECT_EQ(apia.next_midnight(utc(2011, 12, 30, 9h)), utc(2011, 12, 30, 10h));
  EXPECT_EQ(apia.next_midnight(utc(2011, 12, 30, 10h)), utc(2011, 12, 31, 10h));
}

TEST(day_clock, midnights_follow_one_another_within_a_day_or_so) {
  const day_clock la;
  auto at = utc(2026, 1, 1);
  for (int i = 0; i < 3'000; ++i) {
    const auto next = la.next_midnight(at);
    ASSERT_GT(next, at);
    ASSERT_LE(next - at, 25h);
    at = next;
  }
}

} // namespace
} // namespace troupe
