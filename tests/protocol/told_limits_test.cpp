#include "protocol/upstream/told_limits.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe::upstream {
namespace {

using limits = std::vector<told_limit>;

limits of(upstream_kind kind, const std::vector<header_field>& fields, std::string_view body = {}) {
  return told_limits(kind, fields, body);
}

std::string quota(const std::string& violations) {
  return R"({"error":{"code":429,"message":"m","details":[{"@type":"x.ErrorInfo"},)"
         R"({"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[)"
         + violations + "]}]}}";
}

std::string violation(const std::string& id, const std::string& value,
                      const std::string& more = "") {
  return R"({"quotaId":")" + id + R"(","quotaValue":)" + value + more + "}";
}

TEST(told_limits, openai_tells_requests_and_tokens_of_a_minute) {
  EXPECT_EQ(of(upstream_kind::openai, {{"X-RateLimit-Limit-Requests", "500"},
                                       {"x-ratelimit-reset-requests", "120ms"},
                                       {"x-ratelimit-limit-tokens", "30000"},
                                       {"x-ratelimit-reset-tokens", "6m0s"}}),
            (limits{{limit_kind::rpm, 500, ""}, {limit_kind::tpm, 30'000, ""}}));
}

TEST(told_limits, openai_a_reset_of_hours_tells_a_limit_of_a_day) {
  EXPECT_EQ(of(upstream_kind::openai, {{"x-ratelimit-limit-requests", "200"},
                                       {"x-ratelimit-reset-requests", "7h12m0s"},
                                       {"x-ratelimit-limit-tokens", "1000000"},
                                       {"x-ratelimit-reset-tokens", "86400"}}),
            (limits{{limit_kind::rpd, 200, ""}, {limit_kind::tpd, 1'000'000, ""}}));
}

TEST(told_limits, openai_an_epoch_as_reset_is_not_taken_for_hours) {
  EXPECT_EQ(of(upstream_kind::openai, {{"x-ratelimit-limit-requests", "200"},
                                       {"x-ratelimit-reset-requests", "1768478430"}}),
            (limits{{limit_kind::rpm, 200, ""}}));
}

TEST(told_limits, some_speakers_of_openai_name_the_window) {
  EXPECT_EQ(of(upstream_kind::openai, {{"x-ratelimit-limit-requests-day", "14400"},
                                       {"x-ratelimit-limit-tokens-minute", "60000"}}),
            (limits{{limit_kind::rpd, 14'400, ""}, {limit_kind::tpm, 60'000, ""}}));
}

TEST(told_limits, anthropic_tells_input_and_output_apart) {
  EXPECT_EQ(of(upstream_kind::anthropic, {{"anthropic-ratelimit-output-tokens-limit", "16000"},
                                          {"anthropic-ratelimit-input-tokens-limit", "80000"},
                                          {"anthropic-ratelimit-requests-limit", "1000"},
                                          {"anthropic-ratelimit-tokens-limit", "96000"}}),
            (limits{{limit_kind::rpm, 1'000, ""},
                    {limit_kind::input_tpm, 80'000, ""},
                    {limit_kind::output_tpm, 16'000, ""}}));
}

TEST(told_limits, gemini_tells_what_was_exceeded_and_for_which_model) {
  const auto dimensions = R"(,"quotaDimensions":{"location":"global","model":"gemini-2.5-pro"})";
  EXPECT_EQ(
      of(upstream_kind::gemini, {},
         quota(
             violation("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "\"5\"", dimensions)
             + ","
             + violation("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "\"100\"", dimensions)
             + "," + violation("GenerateContentInputTokensPerModelPerMinute-FreeTier", "250000")
             + "," + violation("GenerateContentInputTokensPerModelPerDay-FreeTier", "3000000"))),
      (limits{{limit_kind::rpm, 5, "gemini-2.5-pro"},
              {limit_kind::rpd, 100, "gemini-2.5-pro"},
              {limit_kind::input_tpm, 250'000, ""},
              {limit_kind::tpd, 3'000'000, ""}}));
}

TEST(told_limits, the_metric_tells_where_the_id_does_not) {
  const auto by_metric = [](const std::string& metric) {
    return quota(R"({"quotaMetric":"generativelanguage.googleapis.com/)" + metric
                 + R"(","quotaValue":"7"})");
  };
  EXPECT_EQ(of(upstream_kind::vertex, {}, by_metric("generate_requests_per_model_per_day")),
            (limits{{limit_kind::rpd, 7, ""}}));
  EXPECT_EQ(of(upstream_kind::gemini, {}, "[" + by_metric("input_token_count_per_minute") + "]"),
            (limits{{limit_kind::input_tpm, 7, ""}}));
  EXPECT_EQ(of(upstream_kind::gemini, {}, by_metric("generate_content_requests")), limits{});
}

TEST(told_limits, of_one_kind_told_twice_the_smallest_binds) {
  EXPECT_EQ(
      of(upstream_kind::gemini, {},
         quota(violation("RequestsPerMinute", "\"15\"") + "," + violation("RequestsPerMinute", "10")
               + "," + violation("RequestsPerMinute", "\"0\""))),
      (limits{{limit_kind::rpm, 10, ""}}));
}

TEST(told_limits, amounts_without_sense_are_passed_over) {
  for (const std::string value :
       {"0", "-1", "1000000000001", "99999999999999999999", "", "many", "12 ", "1e3", "10, 60"})
    EXPECT_EQ(of(upstream_kind::openai, {{"x-ratelimit-limit-requests", value}}), limits{})
        << value;
  for (const std::string value : {"0", "\"0\"", "-5", "1.5", "null", "{}", "\"x\""})
    EXPECT_EQ(of(upstream_kind::gemini, {}, quota(violation("RequestsPerMinute", value))), limits{})
        << value;
  EXPECT_EQ(of(upstream_kind::openai, {{"x-ratelimit-limit-requests", "1000000000000"}}).size(),
            1U);
}

TEST(told_limits, survives_bodies_of_any_kind) {
  for (const std::string body :
       {"", "QuotaFailure", "[\"QuotaFailure\"]", R"({"error":"QuotaFailure"})",
        R"({"error":{"details":"QuotaFailure"}})",
        R"({"error":{"details":[7,{"@type":".QuotaFailure"}]}})",
        R"({"error":{"details":[{"@type":".QuotaFailure","violations":[7,{}]}]}})"})
    EXPECT_EQ(of(upstream_kind::gemini, {}, body), limits{}) << body;
}

TEST(told_limits, a_fields_name_tells_whether_it_is_worth_reading) {
  EXPECT_TRUE(may_tell_limit("X-RateLimit-Limit-Requests"));
  EXPECT_TRUE(may_tell_limit("anthropic-ratelimit-requests-limit"));
  for (const auto* name : {"", "content-type", "x-request-id", "x-ratelimit-remaining-requests"})
    EXPECT_FALSE(may_tell_limit(name)) << name;
}

} // namespace
} // namespace troupe::upstream
