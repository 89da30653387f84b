#include "actors/core/rate_watch.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr time_point t0{1h};

TEST(rate_watch, counts_each_model_apart) {
  rate_watch watch;
  watch.note("a", t0);
  watch.note("a", t0 + 10s);
  watch.note("b", t0 + 10s);
  EXPECT_EQ(watch.in_last_minute("a", t0 + 10s), 2U);
  EXPECT_EQ(watch.in_last_minute("b", t0 + 10s), 1U);
  EXPECT_EQ(watch.in_last_minute("c", t0 + 10s), 0U);
}

TEST(rate_watch, forgets_after_a_minute) {
  rate_watch watch;
  watch.note("a", t0);
  watch.note("a", t0 + 30s);
  EXPECT_EQ(watch.in_last_minute("a", t0 + 59s), 2U);
  EXPECT_EQ(watch.in_last_minute("a", t0 + 60s), 1U);
  EXPECT_EQ(watch.in_last_minute("a", t0 + 90s), 0U);
  watch.note("a", t0 + 100s);
  EXPECT_EQ(watch.in_last_minute("a", t0 + 100s), 1U);
  watch.note("a", t0 + 1h);
  EXPECT_EQ(watch.in_last_minute("a", t0 + 1h), 1U);
}

TEST(rate_watch, the_model_that_was_called_longest_ago_goes) {
  rate_watch watch;
  for (int i = 0; i < 32; ++i)
    watch.note("m" + std::to_string(i), t0 + i * 1s);
  watch.note("m0", t0 + 32s);
  watch.note("new", t0 + 33s);
  EXPECT_EQ(watch.in_last_minute("m0", t0 + 33s), 2U);
  EXPECT_EQ(watch.in_last_minute("m1", t0 + 33s), 0U);
  EXPECT_EQ(watch.in_last_minute("new", t0 + 33s), 1U);
}

TEST(rate_watch, works_before_the_clock_began) {
  rate_watch watch;
  watch.note("a", time_point{-30s});
  watch.note("a", time_point{10s});
  EXPECT_EQ(watch.in_last_minute("a", time_point{10s}), 2U);
  EXPECT_EQ(watch.in_last_minute("a", time_point{40s}), 1U);
}

} // namespace
} // namespace troupe
