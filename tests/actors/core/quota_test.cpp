#include "actors/core/quota.hpp"

#include "tests/actors/core/quota_support.hpp"

namespace troupe {
namespace {

constexpr auto full_span = 60s + 250ms;

TEST(quota, without_a_limit_everything_is_granted_and_nothing_counted) {
  quota_ledger ledger;
  EXPECT_TRUE(ledger.unlimited());
  for (int i = 0; i < 1'000; ++i) {
    const auto v = ledger.admit({"m", 1'000'000, 1'000'000}, after(0s));
    ASSERT_TRUE(v.granted);
    ASSERT_NE(v.ticket, 0U);
    ledger.sent_late(v.ticket, after(1s));
    ledger.end(v.ticket, {}, after(1s));
  }
  EXPECT_EQ(ledger.in_flight(), 0U);
  EXPECT_FALSE(ledger.should_write());
  EXPECT_TRUE(ledger.rooms(after(0s)).empty());
}

TEST(quota, a_call_counts_for_a_minute_and_the_margin) {
  ledger_on_disk l({{"", limit_kind::rpm, 2}});
  EXPECT_TRUE(l.admit(0s).granted);
  EXPECT_TRUE(l.admit(1s).granted);
  const auto v = l.admit(2s);
  EXPECT_FALSE(v.granted);
  EXPECT_FALSE(v.must_write);
  EXPECT_EQ(v.free_at, quota_t0 + full_span);
  EXPECT_EQ(v.why, limit_kind::rpm);
  EXPECT_FALSE(v.per_day);
  EXPECT_FALSE(l.admit(full_span - 1ns).granted);
  EXPECT_TRUE(l.admit(full_span).granted);
  EXPECT_FALSE(l.admit(full_span).granted);
}

TEST(quota, a_call_fits_every_limit_or_counts_in_none) {
  ledger_on_disk l(
      {{"", limit_kind::rpm, 3}, {"a", limit_kind::rpm, 1}, {"b", limit_kind::rpm, 5}});
  EXPECT_TRUE(l.admit(0s, "a").granted);
  EXPECT_FALSE(l.admit(0s, "a").granted);
  EXPECT_EQ(l.used(0s, limit_kind::rpm), 1U);
  EXPECT_TRUE(l.admit(0s, "b").granted);
  EXPECT_TRUE(l.admit(0s, "c").granted);
  EXPECT_FALSE(l.admit(0s, "b").granted);
  EXPECT_EQ(l.used(0s, limit_kind::rpm, "b"), 1U);
}

TEST(quota, models_without_a_limit_are_free_beside_those_with_one) {
  ledger_on_disk l({{"a", limit_kind::rpm, 1}});
  EXPECT_TRUE(l.admit(0s, "a").granted);
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(l.admit(0s, "b").granted);
  EXPECT_FALSE(l.admit(0s, "a").granted);
}

TEST(quota, the_limit_that_lasts_longest_says_when_and_why) {
  ledger_on_disk l({{"", limit_kind::rpm, 1}, {"m", limit_kind::rpd, 1}});
  EXPECT_TRUE(l.admit(0s).granted);
  const auto v = l.admit(1s);
  EXPECT_EQ(v.why, limit_kind::rpd);
  EXPECT_TRUE(v.per_day);
  EXPECT_EQ(v.free_at, quota_t0 + 12h + 250ms);
  const auto other = l.admit(1s, "other");
  EXPECT_EQ(other.why, limit_kind::rpm);
  EXPECT_EQ(other.free_at, quota_t0 + full_span);
}

TEST(quota, a_call_that_leaves_late_counts_from_then) {
  ledger_on_disk l({{"", limit_kind::rpm, 1}});
  const auto v = l.admit(0s);
  l.ledger.sent_late(v.ticket, after(10s));
  EXPECT_FALSE(l.admit(full_span).granted);
  EXPECT_EQ(l.admit(full_span).free_at, quota_t0 + 10s + full_span);
  EXPECT_TRUE(l.admit(10s + full_span).granted);
}

TEST(quota, a_call_that_never_left_used_nothing) {
  ledger_on_disk l({{"", limit_kind::rpm, 1}, {"", limit_kind::rpd, 1}, {"", limit_kind::tpm, 10}});
  const auto v = l.admit(0s, "m", 5, 5);
  EXPECT_FALSE(l.admit(1s, "m", 5, 5).granted);
  l.end(v, 1s, {.sent = false});
  EXPECT_TRUE(l.admit(1s, "m", 5, 5).granted);
}

TEST(quota, calls_at_one_time_are_bounded) {
  ledger_on_disk l({{"", limit_kind::concurrency, 2}});
  const auto first = l.admit(0s);
  EXPECT_TRUE(l.admit(0s).granted);
  const auto v = l.admit(0s);
  EXPECT_FALSE(v.granted);
  EXPECT_EQ(v.free_at, quota_ledger::never);
  EXPECT_EQ(v.why, limit_kind::concurrency);
  EXPECT_EQ(l.ledger.in_flight(), 2U);
  l.end(first, 5min);
  EXPECT_TRUE(l.admit(5min).granted);
}

TEST(quota, concurrency_alone_never_waits_for_the_disk) {
  quota_ledger ledger;
  ledger.declare({{"", limit_kind::concurrency, 2}}, after(0s));
  EXPECT_FALSE(ledger.should_write());
  EXPECT_TRUE(ledger.admit({"m"}, after(0s)).granted);
}

TEST(quota, a_ticket_that_is_not_known_is_ignored) {
  ledger_on_disk l({{"", limit_kind::concurrency, 1}});
  const auto v = l.admit(0s);
  l.end(v, 1s);
  const auto again = l.admit(1s);
  EXPECT_NE(again.ticket, v.ticket);
  l.end(v, 2s);
  l.ledger.sent_late(v.ticket, after(2s));
  l.ledger.end(0, {}, after(2s));
  l.ledger.end(~std::uint64_t{0}, {}, after(2s));
  EXPECT_FALSE(l.admit(2s).granted);
  l.end(again, 2s);
  EXPECT_TRUE(l.admit(2s).granted);
}

TEST(quota, tickets_of_an_earlier_ledger_end_nothing_in_a_later_one) {
  ledger_on_disk earlier({{"", limit_kind::concurrency, 1}});
  const auto old = earlier.admit(0s);
  ledger_on_disk later({{"", limit_kind::concurrency, 1}});
  EXPECT_TRUE(later.admit(30s).granted);
  later.end(old, 31s);
  EXPECT_EQ(later.ledger.in_flight(), 1U);
}

TEST(quota, limits_lowered_below_what_is_used_grant_nothing_until_it_fits) {
  ledger_on_disk l({{"", limit_kind::rpm, 10}});
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(l.admit(i * 1s).granted);
  l.ledger.declare({{"", limit_kind::rpm, 3}}, after(5s));
  EXPECT_EQ(l.used(5s, limit_kind::rpm), 5U);
  EXPECT_EQ(l.admit(5s).free_at, quota_t0 + 2s + full_span);
  EXPECT_FALSE(l.admit(1s + full_span).granted);
  EXPECT_TRUE(l.admit(2s + full_span).granted);
}

TEST(quota, limits_lowered_below_what_is_in_flight_grant_nothing_until_it_fits) {
  ledger_on_disk l({{"", limit_kind::concurrency, 3}});
  const auto a = l.admit(0s);
  const auto b = l.admit(0s);
  l.admit(0s);
  l.ledger.declare({{"", limit_kind::concurrency, 2}}, after(1s));
  l.end(a, 2s);
  EXPECT_FALSE(l.admit(2s).granted);
  l.end(b, 2s);
  EXPECT_TRUE(l.admit(2s).granted);
}

TEST(quota, a_limit_of_nothing_never_grants) {
  ledger_on_disk l({{"", limit_kind::tpm, 0}});
  EXPECT_EQ(l.admit(0s).free_at, quota_ledger::never);
  EXPECT_EQ(l.ledger.rooms(after(0s)).at(0).room, 0U);
}

TEST(quota, of_two_limits_of_one_kind_the_smaller_counts) {
  ledger_on_disk l({{"", limit_kind::rpm, 2}, {"", limit_kind::rpm, 1}, {"", limit_kind::rpm, 3}});
  EXPECT_EQ(l.granted(0s), 1);
}

TEST(quota, a_new_limit_starts_with_what_another_of_its_scope_has_logged) {
  ledger_on_disk l({{"m", limit_kind::rpm, 10}});
  const auto v = l.admit(0s, "m", 30, 70);
  l.end(v, 1s);
  l.ledger.declare(
      {{"m", limit_kind::tpm, 1'000}, {"m", limit_kind::rpd, 9}, {"x", limit_kind::rpm, 4}},
      after(2s));
  EXPECT_EQ(l.used(2s, limit_kind::tpm, "m"), 100U);
  EXPECT_EQ(l.used(2s, limit_kind::rpd, "m"), 1U);
  EXPECT_EQ(l.used(2s, limit_kind::rpm, "x"), 0U);
}

TEST(quota, a_limit_that_goes_and_comes_back_finds_what_was_used) {
  ledger_on_disk l({{"m", limit_kind::rpd, 3}});
  EXPECT_EQ(l.granted(0s), 3);
  l.ledger.declare({{"other", limit_kind::rpm, 1}}, after(1s));
  EXPECT_TRUE(l.admit(1s).granted);
  l.ledger.declare({{"m", limit_kind::rpd, 3}}, after(2s));
  EXPECT_FALSE(l.admit(2s).granted);
}

TEST(quota, a_step_of_the_wall_clock_changes_no_minute) {
  ledger_on_disk l({{"", limit_kind::rpm, 1}});
  EXPECT_TRUE(l.admit(0s).granted);
  auto t = after(1s);
  t.wall += 24h * 365;
  EXPECT_EQ(l.ledger.admit({"m"}, t).free_at, quota_t0 + full_span);
  t.wall -= 24h * 365 * 2;
  EXPECT_EQ(l.ledger.admit({"m"}, t).free_at, quota_t0 + full_span);
}

TEST(quota, the_margin_may_change_at_any_time) {
  ledger_on_disk l({{"", limit_kind::rpm, 1}});
  EXPECT_TRUE(l.admit(0s).granted);
  l.ledger.change_policy({.margin = 2s, .days = {}});
  EXPECT_EQ(l.admit(1s).free_at, quota_t0 + 62s);
}

TEST(quota, says_its_sources_in_words) {
  EXPECT_EQ(to_string(limit_source::declared), "declared");
  EXPECT_EQ(to_string(limit_source::told), "told");
  EXPECT_EQ(to_string(limit_source::estimated), "estimated");
}

} // namespace
} // namespace troupe
