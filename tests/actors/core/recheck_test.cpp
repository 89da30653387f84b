#include "actors/core/recheck.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <set>
#include <vector>

namespace troupe {
namespace {

using namespace std::chrono_literals;
constexpr time_point t0{1h};
constexpr double middle = 0.5; ///< the jitter that changes nothing

using keys = std::vector<std::uint64_t>;

recheck one_disabled(const recheck_policy& policy = {}) {
  recheck r{policy};
  r.disabled(7, key_reason::invalid, t0, middle);
  return r;
}

TEST(recheck, asks_only_keys_that_a_check_can_bring_back) {
  EXPECT_TRUE(may_recheck(key_reason::invalid));
  EXPECT_TRUE(may_recheck(key_reason::forbidden));
  for (const auto why : {key_reason::none, key_reason::quota_minute, key_reason::quota_day,
                         key_reason::quota_unknown, key_reason::not_offered, key_reason::suspended,
                         key_reason::by_operator}) {
    EXPECT_FALSE(may_recheck(why)) << to_string(why);
    recheck r;
    r.disabled(7, why, t0, middle);
    r.found_disabled(8, why, t0, middle);
    EXPECT_FALSE(r.next_at().has_value()) << to_string(why);
  }
}

TEST(recheck, begins_after_the_minimum_and_not_before) {
  auto r = one_disabled();
  EXPECT_EQ(r.next_at(), t0 + 5min);
  EXPECT_EQ(r.due(t0 + 5min - 1ns), keys{});
  EXPECT_EQ(r.due(t0 + 5min), keys{7});
}

TEST(recheck, has_nothing_to_do_without_disabled_keys) {
  recheck r;
  EXPECT_FALSE(r.next_at().has_value());
  EXPECT_EQ(r.due(t0 + 1h), keys{});
  EXPECT_FALSE(r.when(7).has_value());
}

TEST(recheck, spreads_an_interval_over_75_to_125_percent) {
  recheck r;
  r.disabled(1, key_reason::invalid, t0, 0.0);
  r.disabled(2, key_reason::invalid, t0, 0.999999);
  EXPECT_EQ(r.when(1)->at, t0 + 225s);
  EXPECT_GT(r.when(2)->at, t0 + 374s);
  EXPECT_LT(r.when(2)->at, t0 + 375s);
}

TEST(recheck, waits_twice_as_long_after_each_failure_up_to_the_maximum) {
  auto r = one_disabled();
  auto now = t0 + 5min;
  for (const auto interval : {10min, 20min, 40min, 80min, 160min, 320min, 360min, 360min}) {
    ASSERT_EQ(r.due(now), keys{7});
    r.ended(7, false, now, middle);
    EXPECT_EQ(r.when(7)->at, now + interval);
    now += interval;
  }
  EXPECT_EQ(r.when(7)->failed, 8U);
}

TEST(recheck, an_ok_ends_it) {
  auto r = one_disabled();
  ASSERT_EQ(r.due(t0 + 5min), keys{7});
  r.ended(7, true, t0 + 5min, middle);
  EXPECT_EQ(r.size(), 0U);
  EXPECT_FALSE(r.next_at().has_value());
}

TEST(recheck, a_key_disabled_again_after_an_ok_begins_anew) {
  auto r = one_disabled();
  r.due(t0 + 5min);
  r.ended(7, false, t0 + 5min, middle);
  r.due(t0 + 15min);
  r.ended(7, true, t0 + 15min, middle);
  r.disabled(7, key_reason::forbidden, t0 + 20min, middle);
  EXPECT_EQ(r.when(7)->at, t0 + 25min);
  EXPECT_EQ(r.when(7)->failed, 0U);
}

TEST(recheck, checks_a_key_once_at_a_time) {
  auto r = one_disabled();
  ASSERT_EQ(r.due(t0 + 5min), keys{7});
  EXPECT_TRUE(r.when(7)->running);
  r.disabled(7, key_reason::invalid, t0 + 5min, middle); // its check found it disabled still
  EXPECT_EQ(r.due(t0 + 14min), keys{});
}

TEST(recheck, a_key_that_is_known_keeps_its_plan) {
  auto r = one_disabled();
  r.disabled(7, key_reason::forbidden, t0 + 4min, middle);
  EXPECT_EQ(r.when(7)->at, t0 + 5min);
}

TEST(recheck, a_worse_reason_ends_it) {
  for (const auto why : {key_reason::suspended, key_reason::by_operator}) {
    auto r = one_disabled();
    r.disabled(7, why, t0 + 1min, middle);
    EXPECT_EQ(r.due(t0 + 1h), keys{}) << to_string(why);
  }
}

TEST(recheck, a_key_that_was_enabled_or_removed_is_not_checked) {
  auto r = one_disabled();
  r.forget(7);
  r.forget(8); // nobody knows it
  EXPECT_EQ(r.due(t0 + 1h), keys{});
}

TEST(recheck, an_end_without_a_check_changes_nothing) {
  auto r = one_disabled();
  r.ended(7, true, t0, middle);
  r.ended(8, false, t0, middle);
  EXPECT_EQ(r.size(), 1U);
  EXPECT_EQ(r.when(7)->at, t0 + 5min);
}

TEST(recheck, a_check_forgotten_while_it_ran_does_not_come_back_with_its_end) {
  auto r = one_disabled();
  r.due(t0 + 5min);
  r.forget(7);
  r.ended(7, false, t0 + 6min, middle);
  EXPECT_EQ(r.size(), 0U);
}

TEST(recheck, a_check_whose_end_is_never_told_counts_as_failed) {
  auto r = one_disabled();
  ASSERT_EQ(r.due(t0 + 5min), keys{7});
  EXPECT_EQ(r.next_at(), t0 + 15min);
  EXPECT_EQ(r.due(t0 + 15min), keys{});
  EXPECT_EQ(r.when(7)->failed, 1U);
  EXPECT_EQ(r.due(t0 + 25min), keys{7});
}

TEST(recheck, a_minimum_of_zero_checks_nothing) {
  auto r = one_disabled({.min = 0s});
  EXPECT_EQ(r.size(), 0U);
  auto later = one_disabled();
  later.change_policy({.min = 0s});
  EXPECT_EQ(later.due(t0 + 1h), keys{});
}

TEST(recheck, begins_no_more_checks_in_a_minute_than_the_rate) {
  recheck r{{.per_minute = 30}};
  for (std::uint64_t key = 1; key <= 1'000; ++key)
    r.disabled(key, key_reason::invalid, t0, middle);
  std::size_t begun = 0;
  auto now = t0 + 5min;
  for (; now < t0 + 6min; now = *r.next_at())
    begun += r.due(now).size();
  EXPECT_EQ(begun, 30U);
  EXPECT_EQ(r.due(now).size(), 1U); // and goes on from there
}

TEST(recheck, a_high_rate_begins_a_seconds_share_together) {
  recheck r{{.per_minute = 6'000}};
  for (std::uint64_t key = 1; key <= 1'000; ++key)
    r.disabled(key, key_reason::invalid, t0, middle);
  EXPECT_EQ(r.due(t0 + 5min).size(), 100U);
  EXPECT_EQ(r.next_at(), t0 + 5min + 10ms);
}

TEST(recheck, whoever_was_held_back_by_the_rate_keeps_its_order) {
  recheck r{{.per_minute = 60}};
  for (std::uint64_t key = 1; key <= 5; ++key)
    r.disabled(key, key_reason::invalid, t0 + key * 1ms, middle);
  keys order;
  for (int i = 0; i < 5; ++i)
    for (const auto key : r.due(t0 + 10min + i * 1s))
      order.push_back(key);
  EXPECT_EQ(order, (keys{1, 2, 3, 4, 5}));
}

TEST(recheck, ten_thousand_keys_found_disabled_are_spread_evenly_over_the_minimum) {
  recheck r{{.per_minute = 10'000}};
  std::mt19937_64 random{4};
  std::uniform_real_distribution<double> jitter{0, 1};
  for (std::uint64_t key = 1; key <= 10'000; ++key)
    r.found_disabled(key, key_reason::invalid, t0, jitter(random));
  for (int minute = 1; minute <= 5; ++minute) {
    std::size_t begun = 0;
    for (; r.next_at() && *r.next_at() < t0 + minute * 1min;)
      begun += r.due(*r.next_at()).size();
    EXPECT_NEAR(static_cast<double>(begun), 2'000, 150) << "minute " << minute;
  }
}

TEST(recheck, whatever_happens_the_rate_holds_and_no_key_is_checked_twice_at_once) {
  std::mt19937_64 random{11};
  std::uniform_real_distribution<double> jitter{0, 1};
  recheck r{{.min = 30s, .max = 10min, .per_minute = 30}};
  std::set<std::uint64_t> running;
  std::deque<time_point> begun;
  auto now = t0;
  for (int step = 0; step < 50'000; ++step) {
    now += std::chrono::milliseconds{random() % 400};
    const auto key = random() % 200;
    switch (random() % 6) {
    case 0:
      r.disabled(key, key_reason::invalid, now, jitter(random));
      break;
    case 1:
      r.found_disabled(key, key_reason::forbidden, now, jitter(random));
      break;
    case 2:
      if (random() % 8 == 0) {
        r.forget(key);
        running.erase(key);
      }
      break;
    default:
      if (!running.empty()) {
        const auto one = *running.begin();
        r.ended(one, random() % 4 == 0, now, jitter(random));
        running.erase(one);
      }
    }
    for (const auto due : r.due(now)) {
      EXPECT_TRUE(running.insert(due).second) << due;
      begun.push_back(now);
    }
    while (!begun.empty() && begun.front() <= now - 1min)
      begun.pop_front();
    ASSERT_LE(begun.size(), 31U); // a minute holds 30 distances of 2 s and both their ends
  }
}

} // namespace
} // namespace troupe
