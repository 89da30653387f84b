#include "actors/core/quota_days.hpp"

#include "tests/actors/core/quota_support.hpp"

namespace troupe {
namespace {

constexpr auto margin = 250ms;

TEST(quota_days, rest_until_midnight_and_the_margin) {
  ledger_on_disk l({{"", limit_kind::rpd, 2}});
  EXPECT_EQ(l.granted(0s), 2);
  const auto v = l.admit(1h);
  EXPECT_EQ(v.free_at, quota_t0 + 12h + margin);
  EXPECT_TRUE(v.per_day);
  EXPECT_EQ(v.why, limit_kind::rpd);
  EXPECT_FALSE(l.admit(12h).granted);
  EXPECT_FALSE(l.admit(12h + margin - 1ms).granted);
  EXPECT_EQ(l.granted(12h + margin), 2);
}

TEST(quota_days, a_call_near_midnight_counts_on_both_days) {
  ledger_on_disk l({{"", limit_kind::rpd, 3}});
  l.end(l.admit(12h - margin - 1ms), 12h - margin - 1ms);
  l.end(l.admit(12h - margin), 12h - margin);
  l.end(l.admit(12h + margin - 1ms), 12h + margin - 1ms);
  EXPECT_FALSE(l.admit(12h + margin - 1ms).granted); // three on the day that ends
  EXPECT_EQ(l.used(12h + margin, limit_kind::rpd), 2U);
  EXPECT_EQ(l.granted(12h + margin), 1);
}

TEST(quota_days, a_day_that_is_used_up_before_it_begins_is_waited_out) {
  ledger_on_disk l({{"", limit_kind::rpd, 1}});
  EXPECT_TRUE(l.admit(12h - 100ms).granted);
  EXPECT_EQ(l.admit(12h - 50ms).free_at, quota_t0 + 36h + margin);
}

/// Uses the whole of today's two calls.
void use_up_today(ledger_on_disk& l) {
  for (int i = 0; i < 2; ++i)
    l.end(l.admit(0s), 0s);
  ASSERT_FALSE(l.admit(0s).granted);
}

TEST(quota_days, a_clock_set_back_finds_the_count_of_its_day) {
  ledger_on_disk l({{"", limit_kind::rpd, 2}});
  use_up_today(l);
  for (int i = 0; i < 2; ++i) {
    auto tomorrow = after(i * 10s + 1s);
    tomorrow.wall += 24h;
    l.ledger.allow(l.ledger.record(tomorrow));
    const auto v = l.ledger.admit({"m"}, tomorrow);
    EXPECT_TRUE(v.granted);
    l.ledger.end(v.ticket, {}, tomorrow);
    EXPECT_FALSE(l.admit(i * 10s + 2s).granted);
  }
  auto tomorrow = after(10min);
  tomorrow.wall += 24h;
  EXPECT_EQ(l.ledger.admit({"m"}, tomorrow).why, limit_kind::rpd);
}

TEST(quota_days, a_clock_far_ahead_for_a_while_loses_no_day) {
  ledger_on_disk l({{"", limit_kind::rpd, 2}});
  use_up_today(l);
  auto wrong = after(1s);
  wrong.wall += 24h * 3'650;
  l.ledger.allow(l.ledger.record(wrong));
  EXPECT_TRUE(l.ledger.admit({"m"}, wrong).granted);
  EXPECT_FALSE(l.admit(2s).granted);
}

TEST(quota_days, a_call_that_leaves_after_midnight_counts_on_the_new_day) {
  ledger_on_disk l({{"", limit_kind::rpd, 2}});
  const auto late = l.admit(12h - 5s);
  // Until it is known when it left, it may leave any moment: it has its place on the new day.
  EXPECT_EQ(l.granted(12h + 1s), 1);
  l.ledger.sent_late(late.ticket, after(12h + 2s));
  l.end(late, 12h + 3s);
  EXPECT_FALSE(l.admit(12h + 3s).granted);
  EXPECT_EQ(l.used(12h + 3s, limit_kind::rpd), 2U);
}

TEST(quota_days, a_call_in_flight_at_midnight_frees_its_place_at_its_end) {
  ledger_on_disk l({{"", limit_kind::rpd, 2}});
  const auto punctual = l.admit(12h - 5s);
  EXPECT_EQ(l.granted(12h + 1s), 1);
  l.end(punctual, 12h + 2s);
  EXPECT_EQ(l.granted(12h + 2s), 1);
}

TEST(quota_days, a_call_that_has_long_left_takes_no_place_on_the_new_day) {
  ledger_on_disk l({{"", limit_kind::rpd, 2}});
  EXPECT_TRUE(l.admit(12h - 5min).granted);
  EXPECT_EQ(l.granted(12h + 1s), 2);
}

TEST(quota_days, of_another_zone_begin_with_what_was_used_today) {
  ledger_on_disk l({{"", limit_kind::rpd, 2}});
  const auto open = l.admit(0s);
  l.end(l.admit(0s), 0s);
  const day_clock utc({{wall_time{}, 0s}});
  l.ledger.change_policy({.days = utc});
  EXPECT_EQ(l.admit(1s).free_at, quota_t0 + 4h + margin);
  l.end(open, 2s, {.sent = false});
  EXPECT_EQ(l.granted(3s), 1);
}

TEST(quota_days, keeps_the_last_four_and_the_present_one_always) {
  quota_days days;
  const auto end = [](int day) { return quota_midnight + day * 24h; };
  for (int i = 0; i < 10; ++i)
    days.add(end(i), 1, 10);
  EXPECT_EQ(days.days().size(), 4U);
  EXPECT_EQ(days.calls(end(9)), 1U);
  EXPECT_EQ(days.calls(end(6)), 1U);
  EXPECT_EQ(days.calls(end(5)), 0U);
  days.add(end(-100), 1, 10);
  EXPECT_EQ(days.calls(end(-100)), 1U);
  EXPECT_EQ(days.tokens(end(9)), 10U);
  days.take_back(end(9), 5, 4);
  EXPECT_EQ(days.calls(end(9)), 0U);
  EXPECT_EQ(days.tokens(end(9)), 6U);
}

} // namespace
} // namespace troupe
