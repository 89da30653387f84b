#include "actors/core/quota_log.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <utility>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr time_point t0{1h};

TEST(quota_log, counts_for_its_span_and_not_longer) {
  quota_log log(60s);
  log.add(t0, 3);
  log.add(t0 + 1s, 2);
  EXPECT_EQ(log.used(t0 + 60s - 1ns), 5U);
  EXPECT_EQ(log.used(t0 + 60s), 2U);
  EXPECT_EQ(log.used(t0 + 61s), 0U);
}

TEST(quota_log, tells_when_enough_will_have_left) {
  quota_log log(60s);
  log.add(t0, 3);
  log.add(t0 + 1s, 2);
  EXPECT_EQ(log.when(1), t0 + 60s);
  EXPECT_EQ(log.when(3), t0 + 60s);
  EXPECT_EQ(log.when(4), t0 + 61s);
  EXPECT_EQ(log.when(6), quota_log::never);
  EXPECT_EQ(log.next(), t0 + 60s);
  EXPECT_EQ(log.left_by(t0 + 60s), 3U);
  EXPECT_EQ(quota_log{}.when(1), quota_log::never);
  EXPECT_EQ(quota_log{}.next(), quota_log::never);
}

TEST(quota_log, tells_when_enough_will_have_left_several) {
  quota_log a(60s);
  quota_log b(60s);
  a.add(t0, 1);
  b.add(t0 + 1s, 1);
  a.add(t0 + 2s, 1);
  EXPECT_EQ(quota_log::when({&a, &b}, 1), t0 + 60s);
  EXPECT_EQ(quota_log::when({&a, &b}, 2), t0 + 61s);
  EXPECT_EQ(quota_log::when({&b, &a}, 3), t0 + 62s);
  EXPECT_EQ(quota_log::when({&a, &b}, 4), quota_log::never);
}

TEST(quota_log, takes_back_what_was_counted_at_an_instant) {
  quota_log log(60s);
  log.add(t0, 3);
  log.add(t0 + 1s, 2);
  log.take_back(t0, 2);
  EXPECT_EQ(log.used(t0 + 2s), 3U);
  EXPECT_EQ(log.when(2), t0 + 61s);
}

TEST(quota_log, takes_nothing_from_others_for_what_has_left) {
  quota_log log(60s);
  log.add(t0, 3);
  log.add(t0 + 30s, 2);
  EXPECT_EQ(log.used(t0 + 60s), 2U);
  log.take_back(t0, 3);
  EXPECT_EQ(log.used(t0 + 60s), 2U);
}

TEST(quota_log, what_comes_too_late_to_count_brings_nothing_back) {
  quota_log log(60s);
  log.add(t0 + 1s, 3);
  log.add(t0 + 30s, 2);
  EXPECT_EQ(log.used(t0 + 61s), 2U);
  log.add(t0, 5);
  EXPECT_EQ(log.used(t0 + 61s), 2U);
  log.take_back(t0 + 1s, 3);
  EXPECT_EQ(log.used(t0 + 61s), 2U);
}

TEST(quota_log, moves_what_leaves_late) {
  quota_log log(60s);
  log.add(t0, 1);
  log.add(t0 + 1s, 1);
  log.move(t0, t0 + 5s, 1);
  EXPECT_EQ(log.used(t0 + 60s), 2U);
  EXPECT_EQ(log.used(t0 + 61s), 1U);
  EXPECT_EQ(log.used(t0 + 65s), 0U);
}

TEST(quota_log, moves_also_what_has_left_already) {
  quota_log log(60s);
  log.add(t0, 1);
  EXPECT_EQ(log.used(t0 + 70s), 0U);
  log.move(t0, t0 + 70s, 1);
  EXPECT_EQ(log.used(t0 + 70s), 1U);
}

TEST(quota_log, takes_what_comes_out_of_order) {
  quota_log log(60s);
  log.add(t0 + 2s, 1);
  log.add(t0, 2);
  log.add(t0 + 1s, 3);
  log.add(t0 + 1s, 1);
  EXPECT_EQ(log.used(t0 + 2s), 7U);
  EXPECT_EQ(log.when(1), t0 + 60s);
  EXPECT_EQ(log.when(3), t0 + 61s);
  EXPECT_EQ(log.when(7), t0 + 62s);
}

TEST(quota_log, holds_nothing_while_it_is_empty) {
  quota_log log(60s);
  log.add(t0, 0);
  EXPECT_TRUE(log.entries().empty());
}

TEST(quota_log, thirty_thousand_a_minute_stay_within_the_bound) {
  quota_log log(60s);
  std::size_t most = 0;
  for (int i = 0; i < 90'000; ++i) {
    const auto now = t0 + i * 2ms;
    log.add(now, 1);
    const auto used = log.used(now);
    most = std::max(most, log.entries().size());
    if (i > 60'000) { // full: folding may keep 100 ms worth of calls longer, and none shorter
      ASSERT_GE(used, 30'000U);
      ASSERT_LE(used, 30'050U);
    }
  }
  EXPECT_LE(most, quota_log::entries_max);
}

TEST(quota_log, a_log_that_nobody_reads_forgets_too) {
  quota_log log(60s);
  for (int i = 0; i < 10'000; ++i)
    log.add(t0 + i * 1s, 1);
  EXPECT_EQ(log.entries().size(), 60U);
}

TEST(quota_log, what_folds_leaves_whole_and_late_by_no_more_than_a_bucket) {
  quota_log log(60s);
  for (int i = 0; i < 1'025; ++i)
    log.add(t0 + i * 10ms, 1);
  EXPECT_LT(log.entries().size(), 110U);
  EXPECT_EQ(log.used(t0 + 11s), 1'025U);
  EXPECT_GE(log.when(1), t0 + 60s);
  EXPECT_LE(log.when(1), t0 + 60s + 100ms);
}

TEST(quota_log, calls_near_each_other_do_not_pull_one_another_along) {
  quota_log log(60s);
  for (int i = 0; i < 20'000; ++i)
    log.add(t0 + i * 1ms, 1);
  // Each is within 100 ms of the next, yet they leave in buckets of 100 ms.
  EXPECT_LE(log.when(1), t0 + 60s + 100ms);
  EXPECT_LE(log.when(10'000), t0 + 70s + 100ms);
}

TEST(quota_log, takes_back_from_what_was_folded) {
  quota_log log(60s);
  for (int i = 0; i < 1'025; ++i)
    log.add(t0 + i * 10ms, 1);
  log.take_back(t0 + 50ms, 1);
  log.move(t0 + 60ms, t0 + 11s, 1);
  EXPECT_EQ(log.used(t0 + 11s), 1'024U);
  EXPECT_EQ(log.left_by(t0 + 60s + 100ms), 8U); // 0 to 90 ms, without two
}

TEST(quota_log, gives_what_a_plain_list_gives_through_any_changes) {
  std::mt19937_64 dice(11);
  quota_log log(60s);
  std::deque<std::pair<time_point, std::uint64_t>> plain;
  auto now = t0;
  for (int i = 0; i < 20'000; ++i) {
    now += std::chrono::milliseconds{dice() % 500};
    while (!plain.empty() && plain.front().first + 60s <= now)
      plain.pop_front();
    switch (dice() % 4) {
    case 0:
    case 1: {
      const auto amount = 1 + dice() % 9;
      log.add(now, amount);
      plain.emplace_back(now, amount);
      break;
    }
    case 2:
      if (!plain.empty()) {
        auto& [at, amount] = plain[dice() % plain.size()];
        const auto taken = dice() % (amount + 1);
        log.take_back(at, taken);
        amount -= taken;
      }
      break;
    default:
      if (!plain.empty()) {
        const auto which = static_cast<std::ptrdiff_t>(dice() % plain.size());
        const auto moved = plain[static_cast<std::size_t>(which)];
        log.move(moved.first, now, moved.second);
        plain.erase(plain.begin() + which);
        plain.emplace_back(now, moved.second);
      }
    }
    std::uint64_t sum = 0;
    for (const auto& [at, amount] : plain)
      sum += amount;
    ASSERT_EQ(log.used(now), sum) << i;
    const auto wanted = 1 + dice() % 50;
    auto when = quota_log::never;
    std::uint64_t left = 0;
    for (const auto& [at, amount] : plain)
      if (left < wanted && (left += amount) >= wanted)
        when = at + 60s;
    ASSERT_EQ(log.when(wanted), when) << i;
  }
}

} // namespace
} // namespace troupe
