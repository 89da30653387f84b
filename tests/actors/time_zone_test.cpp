#include "actors/time_zone.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr wall_time from{std::chrono::sys_days{std::chrono::year{2026} / 11 / 25}};

TEST(time_zone, los_angeles_has_the_days_of_the_built_in_rule) {
  const auto read = read_zone("America/Los_Angeles", from);
  ASSERT_TRUE(read);
  auto at = from;
  // The files of many systems end with the year 2037.
  for (int day = 0; day < 365 * 10; ++day) {
    ASSERT_EQ(read->next_midnight(at), day_clock{}.next_midnight(at));
    at = day_clock{}.next_midnight(at);
  }
}

TEST(time_zone, an_unknown_name_is_told) {
  const auto read = read_zone("Mars/Olympus", from);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, errc::not_found);
  EXPECT_NE(read.error().text.find("Mars/Olympus"), std::string::npos);
}

TEST(time_zone, a_zone_is_read_with_its_changes) {
  const auto read = read_zone("Europe/Berlin", from);
  if (!read)
    GTEST_SKIP() << "no time zone database on this system";
  const wall_time winter{std::chrono::sys_days{std::chrono::year{2027} / 1 / 10}};
  const wall_time summer{std::chrono::sys_days{std::chrono::year{2027} / 7 / 10}};
  EXPECT_EQ(read->next_midnight(winter), winter + 23h);
  EXPECT_EQ(read->next_midnight(summer), summer + 22h);
}

} // namespace
} // namespace troupe
