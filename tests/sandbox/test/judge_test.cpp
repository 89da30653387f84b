#include "sandbox/judge.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sandbox {
namespace {

using namespace std::chrono_literals;

constexpr instant t0{std::chrono::hours{24 * 365 * 50}};

std::vector<applied_limit> limit_of(std::uint64_t requests, duration window) {
  return {{"key=a model=m", requests, window, false}};
}

TEST(judge, is_content_with_as_many_arrivals_as_allowed) {
  judge j;
  for (int i = 0; i < 10; ++i)
    j.arrived(limit_of(10, 60s), "a", "m", t0 + i * 1s);
  EXPECT_EQ(j.report()["violations"], 0);
  EXPECT_EQ(j.report()["limits"][0]["most_in_a_window"], 10);
}

TEST(judge, counts_one_violation_for_one_arrival_too_many) {
  judge j;
  for (int i = 0; i < 11; ++i)
    j.arrived(limit_of(10, 60s), "a", "m", t0 + i * 1s);
  const auto r = j.report();
  EXPECT_EQ(r["violations"], 1);
  EXPECT_EQ(r["evidence"][0]["kind"], "violation");
  EXPECT_EQ(r["evidence"][0]["in_window"], 11);
}

TEST(judge, looks_at_sliding_windows_and_not_at_calendar_minutes) {
  judge j;
  // Two in the last second of one minute and one in the first of the next.
  j.arrived(limit_of(2, 60s), "a", "m", t0 + 59s);
  j.arrived(limit_of(2, 60s), "a", "m", t0 + 59s + 500ms);
  j.arrived(limit_of(2, 60s), "a", "m", t0 + 60s + 100ms);
  EXPECT_EQ(j.report()["violations"], 1);
}

TEST(judge, lets_an_arrival_leave_the_window_exactly_at_its_end) {
  judge j;
  j.arrived(limit_of(1, 60s), "a", "m", t0);
  j.arrived(limit_of(1, 60s), "a", "m", t0 + 60s);
  EXPECT_EQ(j.report()["violations"], 0);
  j.arrived(limit_of(1, 60s), "a", "m", t0 + 120s - 1ns);
  EXPECT_EQ(j.report()["violations"], 1);
}

TEST(judge, counts_a_day_from_one_pacific_midnight_to_the_next) {
  judge j;
  const std::vector<applied_limit> day{{"key=a", 2, {}, true}};
  const auto midnight = next_pacific_midnight(t0);
  j.arrived(day, "a", "m", midnight - 2s);
  j.arrived(day, "a", "m", midnight - 1s);
  j.arrived(day, "a", "m", midnight);
  j.arrived(day, "a", "m", midnight + 1s);
  EXPECT_EQ(j.report()["violations"], 0);
  j.arrived(day, "a", "m", midnight + 23h);
  EXPECT_EQ(j.report()["violations"], 1);
}

std::vector<applied_limit> tokens_of_limit(measure counts, std::uint64_t allowed) {
  return {{"key=a", allowed, 60s, false, counts}};
}

TEST(judge, counts_the_input_of_an_arrival_at_once_and_its_output_at_the_end) {
  judge j;
  const auto tpm = tokens_of_limit(measure::tokens, 100);
  j.arrived(tpm, "a", "m", t0, 40);
  j.ended(tpm, "a", "m", t0 + 30s, 50);
  j.arrived(tpm, "a", "m", t0 + 31s, 10);
  EXPECT_EQ(j.report()["violations"], 0);
  j.arrived(tpm, "a", "m", t0 + 32s, 1);
  EXPECT_EQ(j.report()["violations"], 1);
  // The first input has left at 60 s, the output leaves at 90 s.
  j.arrived(tpm, "a", "m", t0 + 60s, 39);
  EXPECT_EQ(j.report()["violations"], 1);
  j.arrived(tpm, "a", "m", t0 + 89s, 1);
  EXPECT_EQ(j.report()["violations"], 2);
  EXPECT_EQ(j.report()["limits"][0]["most_in_a_window"], 101);
}

TEST(judge, limits_of_input_do_not_look_at_output) {
  judge j;
  const auto input = tokens_of_limit(measure::input_tokens, 100);
  j.arrived(input, "a", "m", t0, 100);
  j.ended(input, "a", "m", t0 + 1s, 1000);
  const auto r = j.report();
  EXPECT_EQ(r["violations"], 0);
  EXPECT_EQ(r["overruns"], 0);
}

TEST(judge, an_arrival_that_finds_no_output_left_violates) {
  judge j;
  const auto output = tokens_of_limit(measure::output_tokens, 100);
  j.arrived(output, "a", "m", t0, 1000);
  j.arrived(output, "a", "m", t0, 1000);
  j.ended(output, "a", "m", t0 + 1s, 100);
  EXPECT_EQ(j.report()["violations"], 0);
  EXPECT_EQ(j.report()["overruns"], 0);
  j.arrived(output, "a", "m", t0 + 2s, 1);
  EXPECT_EQ(j.report()["violations"], 1);
}

TEST(judge, an_answer_that_brings_its_limit_over_is_an_overrun_and_no_violation) {
  judge j;
  const auto tpm = tokens_of_limit(measure::tokens, 100);
  j.arrived(tpm, "a", "m", t0, 50);
  j.ended(tpm, "a", "m", t0 + 1s, 51);
  const auto r = j.report();
  EXPECT_EQ(r["violations"], 0);
  EXPECT_EQ(r["overruns"], 1);
  EXPECT_EQ(r["evidence"][0]["kind"], "overrun");
  EXPECT_EQ(r["limits"][0]["overruns"], 1);
}

TEST(judge, counts_a_day_of_tokens_to_the_pacific_midnight) {
  judge j;
  const std::vector<applied_limit> day{{"key=a", 100, {}, true, measure::tokens}};
  const auto midnight = next_pacific_midnight(t0);
  j.arrived(day, "a", "m", midnight - 2h, 60);
  j.ended(day, "a", "m", midnight - 1h, 40);
  j.arrived(day, "a", "m", midnight, 100);
  EXPECT_EQ(j.report()["violations"], 0);
  j.arrived(day, "a", "m", midnight + 1h, 1);
  EXPECT_EQ(j.report()["violations"], 1);
}

TEST(judge, counts_arrivals_while_as_many_as_allowed_are_in_flight) {
  judge j;
  const auto two = tokens_of_limit(measure::in_flight, 2);
  j.arrived(two, "a", "m", t0);
  j.arrived(two, "a", "m", t0);
  j.ended(two, "a", "m", t0 + 1s, 0);
  j.arrived(two, "a", "m", t0 + 1s);
  EXPECT_EQ(j.report()["violations"], 0);
  j.arrived(two, "a", "m", t0 + 2s);
  const auto r = j.report();
  EXPECT_EQ(r["violations"], 1);
  EXPECT_EQ(r["limits"][0]["window_ms"], "at one time");
}

TEST(judge, stays_exact_at_ten_thousand_arrivals_a_second_over_a_hundred_keys) {
  judge j;
  std::vector<std::vector<applied_limit>> limits;
  for (int k = 0; k < 100; ++k)
    limits.push_back({{"key=" + std::to_string(k), 6000, 60s, false}});
  // Each key at exactly its limit for three minutes, then once too often.
  for (int i = 0; i < 1'800'000; ++i)
    j.arrived(limits[static_cast<std::size_t>(i % 100)], "a", "m", t0 + i * 100us);
  EXPECT_EQ(j.report()["violations"], 0);
  EXPECT_EQ(j.report()["blind"], false);
  EXPECT_EQ(j.report()["limits"][0]["most_in_a_window"], 6000);
  j.arrived(limits[0], "a", "m", t0 + 1'799'999 * 100us);
  EXPECT_EQ(j.report()["violations"], 1);
}

TEST(judge, keeps_domains_apart) {
  judge j;
  j.arrived({{"key=a", 1, 60s, false}}, "a", "m", t0);
  j.arrived({{"key=b", 1, 60s, false}}, "b", "m", t0);
  EXPECT_EQ(j.report()["violations"], 0);
}

TEST(judge, finds_a_call_before_the_announced_time) {
  judge j;
  j.refused("a", "m", t0, t0 + 10s);
  j.arrived({}, "a", "m", t0 + 9s);
  const auto r = j.report();
  EXPECT_EQ(r["early"], 1);
  EXPECT_EQ(r["evidence"][0]["kind"], "early");
  EXPECT_DOUBLE_EQ(r["evidence"][0]["early_by_ms"].get<double>(), 1000.0);
}

TEST(judge, forgives_calls_that_were_on_their_way) {
  judge j;
  j.refused("a", "m", t0, t0 + 10s);
  j.arrived({}, "a", "m", t0 + 100ms);
  EXPECT_EQ(j.report()["early"], 0);
  j.arrived({}, "a", "m", t0 + 100ms + 1ns);
  EXPECT_EQ(j.report()["early"], 1);
}

TEST(judge, accepts_a_call_at_the_announced_time) {
  judge j;
  j.refused("a", "m", t0, t0 + 10s);
  j.arrived({}, "a", "m", t0 + 10s);
  EXPECT_EQ(j.report()["early"], 0);
}

TEST(judge, holds_a_refusal_against_its_key_and_model_only) {
  judge j;
  j.refused("a", "m", t0, t0 + 10s);
  j.arrived({}, "a", "other", t0 + 5s);
  j.arrived({}, "b", "m", t0 + 5s);
  EXPECT_EQ(j.report()["early"], 0);
}

TEST(judge, remembers_the_longer_of_two_refusals) {
  judge j;
  j.refused("a", "m", t0, t0 + 60s);
  j.refused("a", "m", t0 + 1s, t0 + 5s);
  j.arrived({}, "a", "m", t0 + 30s);
  EXPECT_EQ(j.report()["early"], 1);
}

TEST(judge, a_later_longer_refusal_gets_its_own_grace) {
  judge j;
  j.refused("a", "m", t0, t0 + 2s);
  j.refused("a", "m", t0 + 3s, t0 + 60s);
  j.arrived({}, "a", "m", t0 + 3s + 50ms);
  EXPECT_EQ(j.report()["early"], 0);
  j.arrived({}, "a", "m", t0 + 4s);
  EXPECT_EQ(j.report()["early"], 1);
}

TEST(judge, counts_one_early_call_however_many_refusals_it_ignores) {
  judge j;
  j.refused("a", "m", t0, t0 + 20s);
  j.refused("a", "m", t0 + 1s, t0 + 30s);
  j.arrived({}, "a", "m", t0 + 10s);
  EXPECT_EQ(j.report()["early"], 1);
}

TEST(judge, finds_what_is_planted_and_reports_it_apart) {
  judge j;
  j.plant(true, true, t0);
  j.plant(true, false, t0);
  const auto r = j.report();
  EXPECT_EQ(r["planted"]["violations"]["planted"], 2);
  EXPECT_EQ(r["planted"]["violations"]["found"], 2);
  EXPECT_EQ(r["planted"]["early"]["planted"], 1);
  EXPECT_EQ(r["planted"]["early"]["found"], 1);
  EXPECT_EQ(r["violations"], 0);
  EXPECT_EQ(r["early"], 0);
  EXPECT_TRUE(r["limits"].empty());
}

TEST(judge, says_so_when_it_could_not_see_everything) {
  judge::options small;
  small.window_arrivals_max = 3;
  judge j{small};
  for (int i = 0; i < 3; ++i)
    j.arrived(limit_of(10, 60s), "a", "m", t0 + i * 1s);
  EXPECT_EQ(j.report()["blind"], false);
  j.arrived(limit_of(10, 60s), "a", "m", t0 + 3s);
  EXPECT_EQ(j.report()["blind"], true);
}

TEST(judge, keeps_a_bounded_list_of_evidence_and_an_exact_count) {
  judge::options few;
  few.evidence_max = 2;
  judge j{few};
  for (int i = 0; i < 10; ++i)
    j.arrived(limit_of(0, 60s), "a", "m", t0 + i * 1s);
  EXPECT_EQ(j.report()["violations"], 10);
  EXPECT_EQ(j.report()["evidence"].size(), 2);
}

} // namespace
} // namespace sandbox
