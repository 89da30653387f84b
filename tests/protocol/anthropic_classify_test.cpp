#include "protocol/anthropic/classify.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe::anthropic {
namespace {

using namespace std::chrono_literals;
using gemini::answer_class;
using gemini::answer_facts;
using gemini::answer_scope;
using upstream::header_field;

/// 2026-01-15T12:00:00Z, 20 hours before midnight in Los Angeles.
const wall_time noon{std::chrono::seconds{1'768'478'400}};

answer_facts facts() {
  return {.model = "claude-sonnet-4-5", .now = noon};
}

std::string error(const std::string& type, const std::string& message = "m") {
  return R"({"type":"error","error":{"type":")" + type + R"(","message":")" + message
         + R"("},"request_id":"req_1"})";
}

TEST(anthropic_classify, every_type_of_error_has_its_class) {
  struct row {
    int status;
    std::string type;
    answer_class what;
    answer_scope scope;
    bool other_key_helps;
  };
  for (const auto& r : std::vector<row>{
           {401, "authentication_error", answer_class::key_invalid, answer_scope::key, true},
           {403, "permission_error", answer_class::key_forbidden, answer_scope::key, true},
           {402, "billing_error", answer_class::quota_day, answer_scope::key, true},
           {429, "rate_limit_error", answer_class::quota_minute, answer_scope::key_and_model, true},
           {529, "overloaded_error", answer_class::model_overloaded, answer_scope::model, true},
           {500, "api_error", answer_class::upstream_fault, answer_scope::model, true},
           {504, "timeout_error", answer_class::upstream_timeout, answer_scope::model, true},
           {400, "invalid_request_error", answer_class::request_fault, answer_scope::request,
            false},
           {404, "not_found_error", answer_class::request_fault, answer_scope::request, false},
           {413, "request_too_large", answer_class::request_fault, answer_scope::request, false}}) {
    for (const int status : {r.status, 200}) { // 200: as an event of a stream
      const auto v = classify_answer(status, error(r.type), facts());
      EXPECT_EQ(v.what, r.what) << r.type << status;
      EXPECT_EQ(v.scope, r.scope) << r.type << status;
      EXPECT_EQ(v.other_key_helps, r.other_key_helps) << r.type << status;
      EXPECT_EQ(v.reason, r.type);
      EXPECT_EQ(v.message, "m");
    }
  }
}

TEST(anthropic_classify, without_a_readable_body_the_status_decides) {
  for (const auto& [status, what] :
       std::vector<std::pair<int, answer_class>>{{401, answer_class::key_invalid},
                                                 {402, answer_class::quota_day},
                                                 {403, answer_class::key_forbidden},
                                                 {404, answer_class::request_fault},
                                                 {429, answer_class::quota_unknown},
                                                 {500, answer_class::upstream_fault},
                                                 {503, answer_class::model_overloaded},
                                                 {524, answer_class::upstream_timeout},
                                                 {529, answer_class::model_overloaded}})
    EXPECT_EQ(classify_answer(status, "<html>", facts()).what, what) << status;
  EXPECT_EQ(classify_answer(200, R"({"type":"message","content":[]})", facts()).what,
            answer_class::ok);
}

TEST(anthropic_classify, the_type_wins_over_a_status_that_a_proxy_made) {
  EXPECT_EQ(classify_answer(502, error("overloaded_error"), facts()).what,
            answer_class::model_overloaded);
  EXPECT_EQ(classify_answer(503, error("api_error"), facts()).what, answer_class::model_overloaded);
}

TEST(anthropic_classify, a_permission_for_a_model_concerns_the_key_for_that_model) {
  const auto v =
      classify_answer(403, error("permission_error", "No access to claude-sonnet-4-5."), facts());
  EXPECT_EQ(v.what, answer_class::key_forbidden);
  EXPECT_EQ(v.scope, answer_scope::key_and_model);
  EXPECT_EQ(v.model, "claude-sonnet-4-5");
}

TEST(anthropic_classify, an_account_without_credit_comes_as_a_400_and_rests_the_whole_key) {
  const auto v = classify_answer(
      400,
      error("invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
      facts());
  EXPECT_EQ(v.what, answer_class::quota_day);
  EXPECT_EQ(v.scope, answer_scope::key);
  EXPECT_EQ(v.retry_after, 20h);
  EXPECT_TRUE(v.other_key_helps);
}

TEST(anthropic_classify, a_spend_limit_rests_the_key_until_the_day_it_names) {
  const auto v = classify_answer(400,
                                 error("invalid_request_error",
                                       "You have reached your specified API usage limits. You will "
                                       "regain access on 2026-02-01 at 00:00 UTC."),
                                 facts());
  EXPECT_EQ(v.what, answer_class::quota_day);
  EXPECT_EQ(v.scope, answer_scope::key);
  EXPECT_EQ(v.retry_after, 12h + 16 * 24h);
}

TEST(anthropic_classify, a_disabled_organization_suspends_the_key) {
  const auto v = classify_answer(
      400, error("invalid_request_error", "This organization has been disabled."), facts());
  EXPECT_EQ(v.what, answer_class::key_suspended);
  EXPECT_EQ(v.scope, answer_scope::key);
}

TEST(anthropic_classify, words_that_quote_the_request_never_hurt_the_key) {
  for (const auto* message :
       {"messages.0: 'Your credit balance is too low'", "tools.0.name: This organization has been "
                                                        "disabled"})
    EXPECT_EQ(classify_answer(400, error("invalid_request_error", message), facts()).what,
              answer_class::request_fault)
        << message;
}

TEST(anthropic_classify, a_throttle_lasts_until_what_is_used_up_is_whole_again) {
  const std::vector<header_field> fields{
      {"anthropic-ratelimit-requests-remaining", "49"},
      {"anthropic-ratelimit-requests-reset", "2026-01-15T13:00:00Z"},
      {"Anthropic-RateLimit-Input-Tokens-Remaining", "0"},
      {"Anthropic-RateLimit-Input-Tokens-Reset", "2026-01-15T12:00:41Z"}};
  auto told = facts();
  told.fields = fields;
  EXPECT_EQ(classify_answer(429, error("rate_limit_error"), told).retry_after, 41s);
  told.retry_after = "57";
  EXPECT_EQ(classify_answer(429, error("rate_limit_error"), told).retry_after, 57s);
  EXPECT_EQ(classify_answer(429, error("rate_limit_error"), facts()).retry_after, 60s);
}

TEST(anthropic_classify, a_limit_of_a_day_is_believed_when_it_says_how_long) {
  const auto body = error("rate_limit_error", "exceeds your limit of 1,000,000 tokens per day");
  EXPECT_EQ(classify_answer(429, body, facts()).what, answer_class::quota_day);
  EXPECT_EQ(classify_answer(429, body, facts()).retry_after, 20h);
  auto told = facts();
  told.retry_after = "3600";
  EXPECT_EQ(classify_answer(429, body, told).retry_after, 1h);
}

TEST(anthropic_classify, an_overload_waits_as_long_as_it_is_told) {
  auto told = facts();
  told.retry_after = "9";
  EXPECT_EQ(classify_answer(529, error("overloaded_error"), told).retry_after, 9s);
  EXPECT_FALSE(classify_answer(529, error("overloaded_error"), facts()).retry_after);
}

} // namespace
} // namespace troupe::anthropic
