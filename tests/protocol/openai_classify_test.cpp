#include "protocol/openai/classify.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe::openai {
namespace {

using namespace std::chrono_literals;
using gemini::answer_class;
using gemini::answer_facts;
using gemini::answer_scope;
using upstream::header_field;

/// 2026-01-15, noon in UTC: 04:00 in Los Angeles, 20 hours before its midnight.
const wall_time noon{std::chrono::seconds{1'768'478'400}};

answer_facts facts() {
  return {.model = "gpt-4o", .now = noon};
}

std::string error(const std::string& message, const std::string& type, const std::string& code) {
  return R"({"error":{"message":")" + message + R"(","type":")" + type
         + R"(","param":null,"code":")" + code + R"("}})";
}

struct expected {
  int status;
  std::string body;
  answer_class what;
  answer_scope scope;
};

void expect_each(const std::vector<expected>& table) {
  for (const auto& row : table) {
    const auto v = classify_answer(row.status, row.body, facts());
    EXPECT_EQ(v.what, row.what) << row.status << ' ' << row.body << ' ' << to_string(v.what);
    EXPECT_EQ(v.scope, row.scope) << row.status << ' ' << row.body;
  }
}

TEST(openai_classify, a_wrong_key_is_told_by_401_or_by_its_code) {
  expect_each({
      {401,
       error("Incorrect API key provided: sk-a***z.", "invalid_request_error", "invalid_api_key"),
       answer_class::key_invalid, answer_scope::key},
      {401, "", answer_class::key_invalid, answer_scope::key},
      {400, error("m", "invalid_request_error", "invalid_api_key"), answer_class::key_invalid,
       answer_scope::key},
      {400,
       R"({"code":"Client specified an invalid argument","error":"Incorrect API key provided: x."})",
       answer_class::key_invalid, answer_scope::key},
  });
}

TEST(openai_classify, a_closed_account_is_suspended_not_wrong) {
  expect_each({
      {401,
       error("The OpenAI account has been deactivated.", "invalid_request_error",
             "account_deactivated"),
       answer_class::key_suspended, answer_scope::key},
      {403, error("Your account has been suspended.", "x", ""), answer_class::key_suspended,
       answer_scope::key},
  });
}

TEST(openai_classify, a_403_concerns_the_key_or_the_key_for_the_model_it_names) {
  expect_each({
      {403,
       error("Project does not have access to model gpt-4o", "invalid_request_error",
             "model_not_found"),
       answer_class::key_forbidden, answer_scope::key_and_model},
      {403, "<html>forbidden</html>", answer_class::key_forbidden, answer_scope::key},
      {401, error("You have insufficient permissions for this operation.", "x", "missing_scope"),
       answer_class::key_forbidden, answer_scope::key},
      {401, error("m", "invalid_request_error", "ip_not_authorized"), answer_class::key_forbidden,
       answer_scope::key},
      {403, error("m", "request_forbidden", "unsupported_country_region_territory"),
       answer_class::location, answer_scope::node},
  });
}

TEST(openai_classify, a_403_that_blames_the_prompt_never_hurts_the_key) {
  expect_each({
      {403,
       R"({"error":{"code":403,"message":"flagged","metadata":{"reasons":["x"],"flagged_input":"y"}}})",
       answer_class::request_fault, answer_scope::request},
      {403, error("Input is longer than the context length of the model.", "x", ""),
       answer_class::request_fault, answer_scope::request},
      {403, error("m", "invalid_request_error", "content_policy_violation"),
       answer_class::request_fault, answer_scope::request},
  });
}

TEST(openai_classify, words_that_a_client_chose_do_not_suspend_a_key) {
  auto chosen = facts();
  chosen.model = "it has been suspended";
  const auto v = classify_answer(
      403, error("No access to model it has been suspended", "x", "model_not_found"), chosen);
  EXPECT_EQ(v.what, answer_class::key_forbidden);
  EXPECT_EQ(v.scope, answer_scope::key_and_model);
}

TEST(openai_classify, the_clients_mistakes_are_its_own) {
  for (const int status : {400, 404, 405, 409, 413, 415, 422, 431}) {
    const auto v = classify_answer(status, error("m", "invalid_request_error", "x"), facts());
    EXPECT_EQ(v.what, answer_class::request_fault) << status;
    EXPECT_EQ(v.scope, answer_scope::request);
    EXPECT_FALSE(v.other_key_helps);
  }
  EXPECT_EQ(classify_answer(404,
                            error("The model does not exist or you do not have access to it.",
                                  "invalid_request_error", "model_not_found"),
                            facts())
                .what,
            answer_class::request_fault);
}

TEST(openai_classify, a_key_without_money_rests_whole_until_the_daily_reset) {
  for (const auto& [status, body] : std::vector<std::pair<int, std::string>>{
           {402, R"({"error":{"message":"Insufficient Balance"}})"},
           {429, error("You exceeded your current quota, please check your plan.",
                       "insufficient_quota", "insufficient_quota")},
           {429, error("m", "insufficient_quota", "credit_balance_exhausted")},
           {400, error("m", "invalid_request_error", "billing_hard_limit_reached")},
           {403, error("m", "new_api_error", "insufficient_user_quota")}}) {
    const auto v = classify_answer(status, body, facts());
    EXPECT_EQ(v.what, answer_class::quota_day) << body;
    EXPECT_EQ(v.scope, answer_scope::key);
    EXPECT_EQ(v.retry_after, 20h);
    EXPECT_TRUE(v.other_key_helps);
  }
  auto told = facts();
  told.retry_after = "259200";
  EXPECT_EQ(classify_answer(402, "", told).retry_after, 72h);
}

TEST(openai_classify, a_throttle_is_of_the_minute_or_of_the_day_as_the_message_says) {
  const auto minute = classify_answer(
      429,
      error("Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): "
            "Limit 30000, Used 29000, Requested 2000. Please try again in 2s.",
            "tokens", "rate_limit_exceeded"),
      facts());
  EXPECT_EQ(minute.what, answer_class::quota_minute);
  EXPECT_EQ(minute.scope, answer_scope::key_and_model);
  EXPECT_EQ(minute.model, "gpt-4o");
  EXPECT_EQ(minute.retry_after, 2s);
  EXPECT_EQ(minute.reason, "rate_limit_exceeded");
  const auto day =
      classify_answer(429,
                      error("Rate limit reached for gpt-4o on requests per day (RPD): Limit "
                            "200, Used 200, Requested 1. Please try again in 7m12s.",
                            "requests", "rate_limit_exceeded"),
                      facts());
  EXPECT_EQ(day.what, answer_class::quota_day);
  EXPECT_EQ(day.scope, answer_scope::key_and_model);
  EXPECT_EQ(day.retry_after, 432s);
  EXPECT_EQ(classify_answer(429, error("Daily limit", "x", ""), facts()).retry_after, 20h);
}

TEST(openai_classify, a_throttle_without_words_is_unknown_and_lasts_a_minute) {
  for (const std::string body : {"", "<html>", "{}", R"({"error":{}})", R"({"message":"slow"})"}) {
    const auto v = classify_answer(429, body, facts());
    EXPECT_EQ(v.what, answer_class::quota_unknown) << body;
    EXPECT_EQ(v.scope, answer_scope::key_and_model);
    EXPECT_EQ(v.retry_after, 60s);
  }
}

TEST(openai_classify, a_request_that_no_minute_can_hold_throttles_no_key) {
  const auto v =
      classify_answer(429,
                      error("Request too large for gpt-4o on tokens per min (TPM): Limit "
                            "30000, Requested 30601.",
                            "tokens", "rate_limit_exceeded"),
                      facts());
  EXPECT_EQ(v.what, answer_class::request_fault);
  EXPECT_FALSE(v.other_key_helps);
}

TEST(openai_classify, the_longest_explicit_word_wins) {
  const auto body = error("Please try again in 6ms.", "tokens", "rate_limit_exceeded");
  auto told = facts();
  EXPECT_EQ(classify_answer(429, body, told).retry_after, 6ms);
  told.retry_after_ms = "120";
  EXPECT_EQ(classify_answer(429, body, told).retry_after, 120ms);
  told.retry_after = "1";
  EXPECT_EQ(classify_answer(429, body, told).retry_after, 1s);
  told.ratelimit_resets = {"6m0s", "120ms"};
  EXPECT_EQ(classify_answer(429, body, told).retry_after, 6min);
}

TEST(openai_classify, a_reset_counts_where_nothing_is_left_of_its_allowance) {
  const std::vector<header_field> fields{{"X-RateLimit-Remaining-Requests", "9000"},
                                         {"X-RateLimit-Reset-Requests", "2h24m0s"},
                                         {"x-ratelimit-remaining-tokens", "0"},
                                         {"x-ratelimit-reset-tokens", "45s"}};
  auto told = facts();
  told.fields = fields;
  EXPECT_EQ(classify_answer(429, error("m", "tokens", "rate_limit_exceeded"), told).retry_after,
            45s);
  told.retry_after = "50";
  EXPECT_EQ(classify_answer(429, "", told).retry_after, 50s);
}

TEST(openai_classify, a_reset_of_what_is_left_is_better_than_no_word) {
  const std::vector<header_field> fields{{"x-ratelimit-remaining", "3"},
                                         {"x-ratelimit-reset", "1768478430"}};
  auto told = facts();
  told.fields = fields;
  EXPECT_EQ(classify_answer(429, "", told).retry_after, 30s);
}

TEST(openai_classify, an_overload_concerns_the_model_whatever_status_it_has) {
  for (const auto& [status, body] : std::vector<std::pair<int, std::string>>{
           {503, ""},
           {529, "<html>"},
           {429, error("That model is currently overloaded with other requests.", "x", "")},
           {429, error("m", "server_error", "engine_overloaded")},
           {500, error("The model is overloaded.", "server_error", "")},
           {498, error("m", "x", "capacity_exceeded")}}) {
    const auto v = classify_answer(status, body, facts());
    EXPECT_EQ(v.what, answer_class::model_overloaded) << status << body;
    EXPECT_EQ(v.scope, answer_scope::model);
    EXPECT_TRUE(v.other_key_helps);
    EXPECT_FALSE(v.retry_after);
  }
  auto told = facts();
  told.retry_after = "7";
  EXPECT_EQ(classify_answer(503, "", told).retry_after, 7s);
  EXPECT_EQ(classify_answer(400, error("is overloaded", "x", ""), facts()).what,
            answer_class::request_fault);
}

TEST(openai_classify, timeouts_and_faults_of_the_upstream_leave_the_key_alone) {
  for (const int status : {408, 504, 524})
    EXPECT_EQ(classify_answer(status, "", facts()).what, answer_class::upstream_timeout) << status;
  for (const int status : {300, 500, 502, 520, 599}) {
    const auto v = classify_answer(status, error("m", "server_error", ""), facts());
    EXPECT_EQ(v.what, answer_class::upstream_fault) << status;
    EXPECT_EQ(v.scope, answer_scope::model);
    EXPECT_EQ(v.model, "gpt-4o");
  }
}

TEST(openai_classify, an_error_under_a_good_status_is_judged_by_its_words) {
  expect_each({
      {200, R"({"choices":[],"error":null})", answer_class::ok, answer_scope::none},
      {200, R"({"message":"all is well"})", answer_class::ok, answer_scope::none},
      {200, R"({"error":{"code":429,"message":"m"}})", answer_class::quota_unknown,
       answer_scope::key_and_model},
      {200, R"({"error":{"code":"429","message":"m"}})", answer_class::quota_unknown,
       answer_scope::key_and_model},
      {200, R"({"error":{"message":"m"}})", answer_class::upstream_fault, answer_scope::model},
      {200,
       R"({"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded","message":"m"}}})",
       answer_class::quota_minute, answer_scope::key_and_model},
      {200, R"({"type":"error","code":"server_is_overloaded","message":"m"})",
       answer_class::model_overloaded, answer_scope::model},
  });
}

TEST(openai_classify, reads_a_message_in_every_shape) {
  for (const std::string body :
       {R"([{"error":{"message":"why"}}])", R"({"error":"why"})", R"({"message":"why"})",
        R"({"object":"error","message":"why","code":400})", R"({"detail":"why"})",
        R"({"detail":[{"loc":["body"],"msg":"why"}]})", R"({"detail":{"message":"why"}})"})
    EXPECT_EQ(classify_answer(400, body, facts()).message, "why") << body;
}

TEST(openai_classify, takes_googles_words_from_googles_endpoint) {
  const auto v = classify_answer(
      400,
      R"([{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.",)"
      R"("status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo",)"
      R"("reason":"API_KEY_INVALID"}]}}])",
      facts());
  EXPECT_EQ(v.what, answer_class::key_invalid);
  EXPECT_EQ(v.reason, "API_KEY_INVALID");
}

TEST(openai_classify, survives_bytes_of_any_kind) {
  for (const std::string body :
       {"", "{", "[]", "[1]", "[[]]", "null", "7", "\"text\"", R"({"error":5})",
        R"({"error":{"message":[],"code":{}}})", R"({"detail":[]})", R"({"detail":[7]})",
        R"({"response":{"error":7}})", "\xff\xfe"}) {
    EXPECT_EQ(classify_answer(404, body, facts()).what, answer_class::request_fault) << body;
    EXPECT_EQ(classify_answer(500, body, facts()).what, answer_class::upstream_fault) << body;
  }
}

} // namespace
} // namespace troupe::openai
