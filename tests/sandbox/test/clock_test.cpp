#include "sandbox/clock.hpp"

#include <gtest/gtest.h>

namespace sandbox {
namespace {

using namespace std::chrono;

instant utc(year_month_day day, hours h, minutes m = minutes{0}) {
  return sys_days{day} + h + m;
}

TEST(pacific_midnight, is_at_eight_utc_in_winter) {
  EXPECT_EQ(next_pacific_midnight(utc(2026y / January / 15, hours{1})),
            utc(2026y / January / 15, hours{8}));
  EXPECT_EQ(next_pacific_midnight(utc(2026y / January / 15, hours{8})),
            utc(2026y / January / 16, hours{8}));
}

TEST(pacific_midnight, is_at_seven_utc_in_summer) {
  EXPECT_EQ(next_pacific_midnight(utc(2026y / July / 1, hours{6}, minutes{59})),
            utc(2026y / July / 1, hours{7}));
  EXPECT_EQ(next_pacific_midnight(utc(2026y / July / 1, hours{7})),
            utc(2026y / July / 2, hours{7}));
}

TEST(pacific_midnight, ends_a_day_of_23_hours_in_spring) {
  // 8 March 2026 is the second Sunday: the day begins in winter, ends in summer.
  EXPECT_EQ(next_pacific_midnight(utc(2026y / March / 8, hours{8})),
            utc(2026y / March / 9, hours{7}));
}

TEST(pacific_midnight, ends_a_day_of_25_hours_in_autumn) {
  EXPECT_EQ(next_pacific_midnight(utc(2026y / November / 1, hours{7})),
            utc(2026y / November / 2, hours{8}));
}

TEST(clock, never_goes_back) {
  auto before = now();
  for (int i = 0; i < 1000; ++i) {
    const auto after = now();
    ASSERT_GE(after, before);
    before = after;
  }
}

} // namespace
} // namespace sandbox
