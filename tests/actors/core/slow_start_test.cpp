#include "actors/core/slow_start.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace troupe {
namespace {

slow_start after_rests(int rests) {
  slow_start s;
  for (int i = 0; i < rests; ++i)
    on_rest(s);
  return s;
}

TEST(slow_start, a_new_key_is_free) {
  EXPECT_TRUE(admits({}, 1'000'000));
}

TEST(slow_start, one_rest_alone_slows_nothing) {
  EXPECT_TRUE(admits(after_rests(1), 1'000));
}

TEST(slow_start, a_second_rest_without_an_ok_between_allows_one_call_in_flight) {
  const auto s = after_rests(2);
  EXPECT_TRUE(admits(s, 0));
  EXPECT_FALSE(admits(s, 1));
}

TEST(slow_start, rests_with_an_ok_between_slow_nothing) {
  slow_start s;
  for (int i = 0; i < 10; ++i) {
    on_rest(s);
    on_ok(s);
  }
  EXPECT_EQ(s, slow_start{});
}

TEST(slow_start, doubles_with_each_ok_until_it_is_free) {
  auto s = after_rests(2);
  std::vector<std::uint32_t> allowed;
  for (int i = 0; i < 5; ++i) {
    allowed.push_back(s.allowed);
    on_ok(s);
  }
  EXPECT_EQ(allowed, (std::vector<std::uint32_t>{1, 2, 4, 8, 16}));
  EXPECT_EQ(s, slow_start{});
}

TEST(slow_start, an_ok_of_a_free_key_changes_nothing) {
  slow_start s;
  on_ok(s);
  EXPECT_EQ(s, slow_start{});
}

TEST(slow_start, a_rest_on_the_way_back_begins_it_again) {
  auto s = after_rests(2);
  on_ok(s);
  on_ok(s);
  EXPECT_EQ(s.allowed, 4U);
  on_rest(s);
  EXPECT_EQ(s.allowed, 1U);
}

TEST(slow_start, can_be_begun_without_a_rest) {
  slow_start s;
  begin(s);
  EXPECT_FALSE(admits(s, 1));
}

TEST(slow_start, does_not_overflow_with_very_many_rests) {
  const auto s = after_rests(1'000);
  EXPECT_EQ(s.rests, slow_start::rests_before);
  EXPECT_EQ(s.allowed, 1U);
}

} // namespace
} // namespace troupe
