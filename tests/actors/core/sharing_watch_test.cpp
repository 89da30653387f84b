#include "actors/core/sharing_watch.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using keys = std::vector<std::uint64_t>;
constexpr time_point t0{1h};

/// `times` moments, a minute apart and beginning at `from`, in which all of `which` are throttled.
void throttle(sharing_watch& watch, const keys& which, int times, std::size_t pool,
              time_point from = t0) {
  for (int i = 0; i < times; ++i)
    for (const auto key : which)
      watch.throttled(key, pool, from + i * 1min);
}

TEST(sharing_watch, suspects_two_keys_that_are_throttled_together_again_and_again) {
  sharing_watch watch;
  throttle(watch, {2, 5}, 2, 20);
  EXPECT_TRUE(watch.suspected().empty());
  throttle(watch, {2, 5}, 1, 20, t0 + 1h);
  ASSERT_EQ(watch.suspected().size(), 1U);
  EXPECT_EQ(watch.suspected()[0].keys, (keys{2, 5}));
  EXPECT_NE(watch.suspected()[0].why.find("3 of 3"), std::string::npos);
}

TEST(sharing_watch, does_not_suspect_keys_that_are_throttled_one_after_the_other) {
  sharing_watch watch;
  for (int i = 0; i < 20; ++i) {
    watch.throttled(2, 20, t0 + i * 1min);
    watch.throttled(5, 20, t0 + i * 1min + 2001ms);
  }
  EXPECT_TRUE(watch.suspected().empty());
}

TEST(sharing_watch, does_not_suspect_keys_that_are_together_by_chance) {
  sharing_watch watch;
  throttle(watch, {2, 5}, 3, 20);
  throttle(watch, {2}, 10, 20, t0 + 1h);
  EXPECT_TRUE(watch.suspected().empty()) << "3 of 13 times";
}

TEST(sharing_watch, learns_nothing_when_much_of_the_pool_is_throttled_at_once) {
  sharing_watch watch;
  throttle(watch, {1, 2, 3, 4, 5, 6}, 10, 9);
  for (const auto& s : watch.suspected())
    EXPECT_LE(s.keys.back(), 3U) << "only the first few of each moment can be seen";
  sharing_watch tiny;
  throttle(tiny, {1, 2}, 10, 2);
  EXPECT_TRUE(tiny.suspected().empty()) << "two keys are the whole pool";
}

TEST(sharing_watch, one_key_alone_shares_with_nobody) {
  sharing_watch watch;
  throttle(watch, {2, 2, 2}, 10, 20);
  EXPECT_TRUE(watch.suspected().empty());
}

TEST(sharing_watch, keys_whose_errors_name_one_project_share_it) {
  sharing_watch watch;
  watch.names_project(7, "projects/1");
  watch.names_project(3, "projects/1");
  watch.names_project(4, "projects/2");
  watch.names_project(5, "");
  watch.names_project(6, "");
  ASSERT_EQ(watch.suspected().size(), 1U);
  EXPECT_EQ(watch.suspected()[0].keys, (keys{3, 7}));
  EXPECT_NE(watch.suspected()[0].why.find("projects/1"), std::string::npos);
}

TEST(sharing_watch, a_key_that_is_gone_is_suspected_no_more) {
  sharing_watch watch;
  throttle(watch, {2, 5}, 3, 20);
  watch.names_project(7, "projects/1");
  watch.names_project(3, "projects/1");
  watch.forget(5);
  watch.forget(7);
  EXPECT_TRUE(watch.suspected().empty());
}

TEST(sharing_watch, remembers_a_bounded_number_of_pairs) {
  sharing_watch watch;
  auto at = t0;
  for (std::uint64_t key = 1; key < 3 * sharing_watch::pairs_max; key += 2) {
    watch.throttled(key, 100'000, at);
    watch.throttled(key + 1, 100'000, at);
    at += 1min;
  }
  throttle(watch, {1'000'000, 1'000'001}, 3, 100'000, at);
  EXPECT_EQ(watch.suspected().size(), 1U);
}

} // namespace
} // namespace troupe
