#include "tests/actors/core/quota_support.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr auto full_span = 60s + 250ms;

std::int64_t ms(wall_time at) {
  return at.time_since_epoch().count();
}

quota_ledger restored(const quota_record& r, std::vector<limit> limits, duration at) {
  quota_ledger ledger;
  ledger.declare(std::move(limits), after(at));
  ledger.restore(r, after(at));
  return ledger;
}

std::uint64_t used(quota_ledger& ledger, duration at, std::size_t which = 0) {
  return ledger.uses(after(at)).at(which).used;
}

const quota_record::window* find(const quota_record& r, limit_kind kind) {
  const auto found = std::ranges::find(r.windows, kind, &quota_record::window::kind);
  return found == r.windows.end() ? nullptr : &*found;
}

TEST(quota_record, nothing_is_granted_that_is_not_allowed_on_disk) {
  quota_ledger ledger;
  ledger.declare({{"", limit_kind::rpm, 16}}, after(0s));
  EXPECT_TRUE(ledger.should_write());
  const auto v = ledger.admit({"m"}, after(0s));
  EXPECT_FALSE(v.granted);
  EXPECT_TRUE(v.must_write);
  EXPECT_EQ(v.free_at, quota_t0);
  const auto r = ledger.record(after(0s));
  EXPECT_TRUE(ledger.admit({"m"}, after(0s)).must_write); // being written is not being there
  ledger.allow(r);
  EXPECT_TRUE(ledger.admit({"m"}, after(0s)).granted);
  EXPECT_TRUE(ledger.should_write()); // one of two is left
  EXPECT_TRUE(ledger.admit({"m"}, after(0s)).granted);
  EXPECT_TRUE(ledger.admit({"m"}, after(0s)).must_write);
}

TEST(quota_record, a_block_is_an_eighth_of_the_smallest_limit_from_1_to_64_calls) {
  const auto block = [](std::vector<limit> limits) {
    quota_ledger ledger;
    ledger.declare(std::move(limits), after(0s));
    return ledger.record(after(0s)).calls_ceiling;
  };
  EXPECT_EQ(block({{"", limit_kind::rpm, 2}}), 1U);
  EXPECT_EQ(block({{"", limit_kind::rpm, 80}, {"", limit_kind::rpd, 1'000}}), 10U);
  EXPECT_EQ(block({{"", limit_kind::rpm, 60'000}}), 64U);
  EXPECT_EQ(block({{"", limit_kind::concurrency, 60'000}}), 0U);
}

TEST(quota_record, a_refused_call_does_not_ask_for_a_record) {
  ledger_on_disk l({{"", limit_kind::rpm, 1}});
  EXPECT_TRUE(l.admit(0s).granted);
  EXPECT_FALSE(l.ledger.admit({"m"}, after(0s)).must_write);
}

TEST(quota_record, a_call_with_many_tokens_is_allowed_by_the_next_record) {
  quota_ledger ledger;
  ledger.declare({{"", limit_kind::tpm, 1'000}}, after(0s));
  EXPECT_TRUE(ledger.admit({"m", 300, 600}, after(0s)).must_write);
  ledger.allow(ledger.record(after(0s)));
  EXPECT_TRUE(ledger.admit({"m", 300, 600}, after(0s)).granted);
}

TEST(quota_record, a_clean_end_loses_nothing) {
  ledger_on_disk l(
      {{"m", limit_kind::rpm, 80}, {"m", limit_kind::tpm, 8'000}, {"m", limit_kind::rpd, 90}});
  for (int i = 0; i < 3; ++i)
    l.end(l.admit(i * 1s, "m", 10, 20), i * 1s + 500ms);
  const auto r = l.ledger.record(after(3s), true);
  EXPECT_EQ(r.calls, 3U);
  EXPECT_EQ(r.calls_ceiling, 3U);
  EXPECT_EQ(r.tokens, 90U);
  EXPECT_EQ(r.tokens_ceiling, 90U);
  EXPECT_EQ(r.written_at_ms, ms(quota_noon) + 3'000);
  auto later = restored(
      r, {{"m", limit_kind::rpm, 80}, {"m", limit_kind::tpm, 8'000}, {"m", limit_kind::rpd, 90}},
      10s);
  EXPECT_EQ(used(later, 10s, 0), 3U);
  EXPECT_EQ(used(later, 10s, 1), 90U);
  EXPECT_EQ(used(later, 10s, 2), 3U);
  EXPECT_EQ(used(later, full_span + 1ms, 0), 2U);
  EXPECT_EQ(used(later, full_span + 1ms, 1), 80U);
  EXPECT_EQ(used(later, 2s + full_span + 1ms, 0), 0U);
  EXPECT_EQ(used(later, 2s + full_span + 1ms, 2), 3U);
}

TEST(quota_record, holds_windows_as_they_are) {
  ledger_on_disk l({{"m", limit_kind::rpm, 80}, {"m", limit_kind::tpm, 8'000}});
  l.end(l.admit(1s, "m", 10, 20), 2s, {.reported = true, .input_tokens = 9, .output_tokens = 5});
  const auto r = l.ledger.record(after(3s));
  const std::vector<quota_record::window> expected{
      {"m", limit_kind::rpm, {{ms(quota_noon) + 1'000, 1}}},
      {"m", limit_kind::input_tpm, {{ms(quota_noon) + 1'000, 9}}},
      {"m", limit_kind::output_tpm, {{ms(quota_noon) + 2'000, 5}}},
      {"m", limit_kind::rpd, {{ms(quota_midnight), 1}}},
      {"m", limit_kind::tpd, {{ms(quota_midnight), 14}}},
  };
  EXPECT_EQ(r.windows, expected);
}

TEST(quota_record, what_a_crash_leaves_unknown_is_charged_in_full_at_the_restore) {
  ledger_on_disk l({{"", limit_kind::rpm, 80}});
  for (int i = 0; i < 4; ++i)
    l.end(l.admit(0s), 0s);
  const auto r = l.ledger.record(after(1s));
  EXPECT_EQ(r.calls, 4U);
  EXPECT_EQ(r.calls_ceiling, 14U);
  auto later = restored(r, {{"", limit_kind::rpm, 80}, {"other", limit_kind::rpd, 5}}, 50s);
  EXPECT_EQ(used(later, 50s, 0), 14U);
  EXPECT_EQ(used(later, 50s, 1), 5U); // clamped: nobody knows which model it was
  EXPECT_EQ(used(later, full_span + 1ms, 0), 10U);
  EXPECT_EQ(used(later, 50s + full_span, 0), 0U);
  EXPECT_TRUE(later.admit({"m"}, after(2min)).must_write); // the old allowance is spent
}

TEST(quota_record, unknown_tokens_count_as_input_and_as_output_but_once_in_the_sum) {
  ledger_on_disk l({{"", limit_kind::tpm, 8'000}});
  const auto r = l.ledger.record(after(0s));
  auto later = restored(r,
                        {{"", limit_kind::tpm, 8'000},
                         {"", limit_kind::input_tpm, 8'000},
                         {"", limit_kind::output_tpm, 600}},
                        1s);
  EXPECT_EQ(used(later, 1s, 0), 1'000U);
  EXPECT_EQ(used(later, 1s, 1), 1'000U);
  EXPECT_EQ(used(later, 1s, 2), 1'000U);
  const auto again = later.record(after(2s));
  ASSERT_NE(find(again, limit_kind::tpm), nullptr);
  EXPECT_EQ(find(again, limit_kind::tpm)->entries.at(0).amount, 1'000U);
}

TEST(quota_record, calls_in_flight_are_part_of_the_unknown) {
  ledger_on_disk l({{"", limit_kind::rpm, 8}, {"", limit_kind::tpm, 800}});
  l.admit(0s, "m", 10, 20);
  const auto r = l.ledger.record(after(50s), true);
  EXPECT_EQ(r.calls, 0U);
  EXPECT_EQ(r.calls_ceiling, 1U);
  EXPECT_EQ(r.tokens, 0U);
  EXPECT_EQ(r.tokens_ceiling, 30U);
  EXPECT_EQ(find(r, limit_kind::rpm), nullptr);
  auto later = restored(r, {{"", limit_kind::rpm, 8}}, 55s);
  EXPECT_EQ(used(later, 54s + full_span), 1U); // it may have left just before the end
  EXPECT_EQ(used(later, 55s + full_span), 0U);
}

TEST(quota_record, of_a_long_call_in_flight_only_the_output_is_unknown) {
  ledger_on_disk l(
      {{"", limit_kind::rpm, 8}, {"", limit_kind::tpm, 800}, {"", limit_kind::rpd, 80}});
  l.admit(0s, "m", 10, 20);
  const auto r = l.ledger.record(after(5min), true);
  EXPECT_EQ(r.calls, 1U);
  EXPECT_EQ(r.tokens, 10U);
  EXPECT_EQ(r.tokens_ceiling, 30U);
  EXPECT_EQ(find(r, limit_kind::rpd)->entries.at(0).amount, 1U);
}

TEST(quota_record, comes_before_or_after_the_limits) {
  ledger_on_disk l({{"", limit_kind::rpm, 80}});
  const auto r = l.ledger.record(after(0s));
  quota_ledger ledger;
  ledger.restore(r, after(1s));
  EXPECT_TRUE(ledger.unlimited());
  ledger.declare({{"m", limit_kind::rpm, 20}}, after(1s));
  EXPECT_EQ(used(ledger, 1s), 10U);
}

TEST(quota_record, what_is_unknown_stays_so_while_there_is_no_limit) {
  ledger_on_disk l({{"", limit_kind::rpm, 80}});
  quota_ledger ledger;
  ledger.restore(l.ledger.record(after(0s)), after(1s));
  auto later = restored(ledger.record(after(2s), true), {{"", limit_kind::rpm, 80}}, 3s);
  EXPECT_EQ(used(later, 3s), 10U);
}

TEST(quota_record, entries_later_than_now_are_taken_as_now) {
  quota_record r;
  r.windows = {{"", limit_kind::rpm, {{ms(quota_noon + 1h), 2}}}};
  auto ledger = restored(r, {{"", limit_kind::rpm, 8}}, 0s);
  EXPECT_EQ(used(ledger, full_span - 1ms), 2U);
  EXPECT_EQ(used(ledger, full_span), 0U);
}

TEST(quota_record, minutes_that_have_passed_are_dropped) {
  quota_record r;
  r.windows = {{"", limit_kind::rpm, {{ms(quota_noon) - 60'300, 2}, {ms(quota_noon) - 59'000, 1}}}};
  auto ledger = restored(r, {{"", limit_kind::rpm, 8}}, 0s);
  EXPECT_EQ(used(ledger, 0s), 1U);
}

TEST(quota_record, days_are_found_by_their_end) {
  quota_record r;
  r.windows = {{"", limit_kind::rpd, {{ms(quota_midnight - 24h), 7}, {ms(quota_midnight), 3}}}};
  auto ledger = restored(r, {{"", limit_kind::rpd, 8}}, 0s);
  EXPECT_EQ(used(ledger, 0s), 3U);
  EXPECT_EQ(used(ledger, 12h + 1s), 0U);
  auto back = after(13h);
  back.wall -= 38h;
  EXPECT_EQ(ledger.uses(back).at(0).used, 7U);
}

TEST(quota_record, a_day_by_another_zone_counts_today) {
  quota_record r;
  r.windows = {{"", limit_kind::rpd, {{ms(quota_noon + 4h), 3}}}}; // midnight in London
  auto ledger = restored(r, {{"", limit_kind::rpd, 8}}, 0s);
  EXPECT_EQ(used(ledger, 0s), 3U);
}

TEST(quota_record, many_entries_are_rounded_up_to_whole_seconds) {
  ledger_on_disk l({{"", limit_kind::rpm, 1'000}});
  for (int i = 0; i < 120; ++i)
    l.end(l.admit(i * 100ms + 50ms), i * 100ms + 50ms);
  EXPECT_EQ(find(l.ledger.record(after(12s)), limit_kind::rpm)->entries.size(), 120U);
  l.end(l.admit(12s), 12s);
  const auto entries = find(l.ledger.record(after(12s)), limit_kind::rpm)->entries;
  ASSERT_EQ(entries.size(), 12U);
  EXPECT_EQ(entries[0], (quota_record::entry{ms(quota_noon) + 1'000, 10}));
  EXPECT_EQ(entries[11], (quota_record::entry{ms(quota_noon) + 12'000, 11}));
}

TEST(quota_record, thirty_thousand_a_minute_make_a_small_record) {
  ledger_on_disk l({{"", limit_kind::rpm, 30'000}});
  for (int i = 0; i < 29'000; ++i)
    l.end(l.admit(i * 2ms), i * 2ms);
  EXPECT_LE(find(l.ledger.record(after(59s)), limit_kind::rpm)->entries.size(), 61U);
}

TEST(quota_record, keeps_what_was_learnt) {
  quota_ledger ledger;
  ledger.learn({"m", limit_kind::rpm, 3}, limit_source::told, after(0s));
  ledger.learn({"n", limit_kind::rpm, 4}, limit_source::estimated, after(1s));
  const auto r = ledger.record(after(2s));
  ASSERT_EQ(r.learnt.size(), 2U);
  EXPECT_EQ(r.learnt[0].at_ms, ms(quota_noon));
  auto later = restored(r, {}, 1h);
  const auto uses = later.uses(after(1h));
  ASSERT_EQ(uses.size(), 2U);
  EXPECT_EQ(uses[0].limit, (quota_limit{{"m", limit_kind::rpm, 3}, limit_source::told}));
  EXPECT_EQ(uses[1].limit, (quota_limit{{"n", limit_kind::rpm, 4}, limit_source::estimated}));
  EXPECT_EQ(later.uses(after(24h)).size(), 1U);
  EXPECT_TRUE(later.unlimited());
}

TEST(quota_record, what_is_declared_stands_against_what_was_learnt) {
  quota_ledger ledger;
  ledger.learn({"m", limit_kind::rpm, 3}, limit_source::told, after(0s));
  auto later = restored(ledger.record(after(0s)), {{"m", limit_kind::rpm, 9}}, 1s);
  EXPECT_EQ(later.uses(after(1s)).at(0).limit.what.amount, 9U);
  EXPECT_EQ(later.uses(after(1s)).size(), 1U);
}

TEST(quota_record, of_nonsense_does_no_harm) {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  constexpr auto all = std::numeric_limits<std::uint64_t>::max();
  quota_record r;
  r.written_at_ms = least;
  r.calls = all;
  r.tokens_ceiling = all;
  for (const auto kind : {limit_kind::rpm, limit_kind::tpm, limit_kind::rpd, limit_kind::tpd,
                          limit_kind::concurrency})
    r.windows.push_back({"m", kind, {{least, all}, {most, all}, {0, all}, {ms(quota_noon), all}}});
  r.learnt = {{{"m", limit_kind::rpm, all}, limit_source::told, most},
              {{"m", limit_kind::rpd, 0}, limit_source::told, least}};
  auto ledger = restored(r, {{"m", limit_kind::tpm, 10}}, 0s);
  EXPECT_FALSE(ledger.admit({"m", 1, 1}, after(0s)).granted);
  ledger.allow(ledger.record(after(2min)));
  EXPECT_TRUE(ledger.admit({"m", 1, 1}, after(2min)).granted);
}

} // namespace
} // namespace troupe
