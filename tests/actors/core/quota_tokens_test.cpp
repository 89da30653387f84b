#include "tests/actors/core/quota_support.hpp"

namespace troupe {
namespace {

constexpr auto full_span = 60s + 250ms;

TEST(quota_tokens, are_reserved_when_a_call_is_granted) {
  ledger_on_disk l({{"", limit_kind::tpm, 100}});
  EXPECT_TRUE(l.admit(0s, "m", 30, 30).granted);
  EXPECT_FALSE(l.admit(0s, "m", 30, 30).granted);
  EXPECT_TRUE(l.admit(0s, "m", 20, 20).granted);
}

TEST(quota_tokens, input_counts_from_the_grant_and_output_from_the_end) {
  ledger_on_disk l({{"", limit_kind::input_tpm, 100}, {"", limit_kind::output_tpm, 100}});
  const auto v = l.admit(0s, "m", 60, 60);
  l.end(v, 20s, {.reported = true, .input_tokens = 50, .output_tokens = 10});
  EXPECT_EQ(l.used(20s, limit_kind::input_tpm), 50U);
  EXPECT_EQ(l.used(20s, limit_kind::output_tpm), 10U);
  EXPECT_EQ(l.used(full_span, limit_kind::input_tpm), 0U);
  EXPECT_EQ(l.used(full_span, limit_kind::output_tpm), 10U);
  EXPECT_EQ(l.used(20s + full_span, limit_kind::output_tpm), 0U);
}

TEST(quota_tokens, output_of_a_call_in_flight_is_held_however_long_it_lasts) {
  ledger_on_disk l({{"", limit_kind::tpm, 100}});
  const auto v = l.admit(0s, "m", 10, 90);
  EXPECT_EQ(l.admit(10min, "m", 1, 30).free_at, quota_ledger::never);
  EXPECT_EQ(l.used(10min, limit_kind::tpm), 90U);
  l.end(v, 10min, {.reported = true, .input_tokens = 10, .output_tokens = 80});
  EXPECT_EQ(l.used(10min, limit_kind::tpm), 80U);
  EXPECT_TRUE(l.admit(10min, "m", 10, 10).granted);
  EXPECT_EQ(l.admit(10min, "m", 1, 0).free_at, quota_t0 + 10min + full_span);
}

TEST(quota_tokens, a_call_that_reports_nothing_used_what_was_reserved) {
  ledger_on_disk l({{"", limit_kind::tpm, 100}});
  l.end(l.admit(0s, "m", 30, 60), 1s);
  EXPECT_EQ(l.used(1s, limit_kind::tpm), 90U);
  l.end(l.admit(2s, "m", 1, 1), 2s, {.reported = true});
  EXPECT_EQ(l.used(2s, limit_kind::tpm), 90U);
}

TEST(quota_tokens, a_reservation_beyond_the_limit_waits_for_an_empty_window_and_runs) {
  ledger_on_disk l({{"", limit_kind::tpm, 100}});
  l.end(l.admit(0s, "m", 1, 0), 1s, {.reported = true, .input_tokens = 1});
  EXPECT_EQ(l.admit(1s, "m", 500, 65'536).free_at, quota_t0 + full_span);
  EXPECT_TRUE(l.admit(full_span, "m", 500, 65'536).granted);
  EXPECT_FALSE(l.admit(full_span, "m", 1, 0).granted);
}

TEST(quota_tokens, beyond_the_reservation_are_counted_and_shown) {
  ledger_on_disk l({{"", limit_kind::tpm, 100}, {"", limit_kind::output_tpm, 1'000}});
  l.end(l.admit(0s, "m", 10, 10), 5s, {.reported = true, .input_tokens = 30, .output_tokens = 170});
  const auto uses = l.ledger.uses(after(5s));
  EXPECT_EQ(uses[0].used, 200U);
  EXPECT_EQ(uses[0].excess, 180U);
  EXPECT_EQ(uses[1].excess, 160U);
  EXPECT_EQ(l.admit(5s, "m", 1, 0).free_at, quota_t0 + 5s + full_span);
}

TEST(quota_tokens, beyond_the_reservation_are_not_free_on_disk_either) {
  quota_ledger ledger;
  ledger.declare({{"", limit_kind::tpm, 8'000}}, after(0s));
  ledger.allow(ledger.record(after(0s)));
  const auto v = ledger.admit({"m", 10, 10}, after(0s));
  ledger.end(v.ticket, {.reported = true, .output_tokens = 300}, after(1s));
  EXPECT_FALSE(ledger.should_write());
  const auto w = ledger.admit({"m", 10, 10}, after(1s));
  ledger.end(w.ticket, {.reported = true, .output_tokens = 300}, after(1s));
  EXPECT_TRUE(ledger.should_write());
}

TEST(quota_tokens, of_the_day_are_corrected_on_the_day_of_the_call) {
  ledger_on_disk l({{"", limit_kind::tpd, 1'000}});
  const auto v = l.admit(0s, "m", 300, 600);
  EXPECT_FALSE(l.admit(0s, "m", 100, 100).granted);
  l.end(v, 1h, {.reported = true, .input_tokens = 100, .output_tokens = 100});
  EXPECT_EQ(l.used(1h, limit_kind::tpd), 200U);
  EXPECT_TRUE(l.admit(1h, "m", 400, 400).granted);
  EXPECT_EQ(l.used(12h + 1s, limit_kind::tpd), 400U); // the output of the call in flight
}

TEST(quota_tokens, of_a_stream_across_midnight_count_on_both_days) {
  ledger_on_disk l({{"", limit_kind::tpd, 1'000}});
  const auto v = l.admit(12h - 10min, "m", 100, 500);
  EXPECT_EQ(l.used(12h + 10min, limit_kind::tpd), 500U);
  l.end(v, 12h + 10min, {.reported = true, .input_tokens = 100, .output_tokens = 200});
  EXPECT_EQ(l.used(12h + 10min, limit_kind::tpd), 200U);
}

TEST(quota_tokens, absurd_numbers_overflow_nothing) {
  ledger_on_disk l({{"", limit_kind::tpm, 1'000'000'000'000}});
  const auto v = l.admit(0s, "m", ~std::uint64_t{0}, ~std::uint64_t{0});
  EXPECT_TRUE(v.granted);
  EXPECT_FALSE(l.admit(0s, "m", 1, 1).granted);
  l.end(v, 0s,
        {.reported = true, .input_tokens = ~std::uint64_t{0}, .output_tokens = ~std::uint64_t{0}});
  EXPECT_FALSE(l.admit(0s, "m", 1, 1).granted);
  EXPECT_TRUE(l.admit(full_span, "m", 1, 1).granted);
}

} // namespace
} // namespace troupe
