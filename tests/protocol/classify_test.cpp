#include "protocol/gemini/classify.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::gemini {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::sys_days;

constexpr wall_time at(int year, unsigned month, unsigned day, std::chrono::seconds clock = 0s) {
  return wall_time{
             sys_days{std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day)}}
         + clock;
}

const wall_time noon = at(2026, 1, 15, 12h); // 04:00 in Los Angeles

answer_facts facts() {
  return {.model = "gemini-2.5-flash", .now = noon};
}

std::string error_body(const std::string& message, const std::string& details = "",
                       const std::string& status = "X") {
  return R"({"error":{"code":1,"message":")" + message + R"(","status":")" + status
         + R"(","details":[)" + details + "]}}";
}

std::string info(const std::string& reason) {
  return R"({"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":")" + reason + R"("})";
}

std::string retry_info(const std::string& delay) {
  return R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":")" + delay + R"("})";
}

std::string quota(const std::string& id, const std::string& more = "") {
  return R"({"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":")" + id
         + "\"" + more + "}]}";
}

const std::string per_minute = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";
const std::string per_day = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";

// --- which class

TEST(classify, an_invalid_key_is_a_400_with_a_reason_or_any_401) {
  EXPECT_EQ(classify(400, error_body("m", info("API_KEY_INVALID")), facts()).what,
            answer_class::key_invalid);
  EXPECT_EQ(classify(400, error_body("m", info("API_KEY_EXPIRED")), facts()).what,
            answer_class::key_invalid);
  EXPECT_EQ(classify(401, "", facts()).what, answer_class::key_invalid);
  EXPECT_EQ(classify(400, error_body("API key expired. Please renew the API key."), facts()).what,
            answer_class::key_invalid);
}

TEST(classify, words_that_a_client_can_have_quoted_never_hurt_the_key) {
  for (const auto* message :
       {"Invalid value 'API key not valid' at contents[0].role", "Unknown name 'API key expired'"})
    EXPECT_EQ(classify(400, error_body(message), facts()).what, answer_class::request_fault)
        << message;
  const auto v = classify(
      403, error_body("You do not have permission to access the File files/has been suspended"),
      facts());
  EXPECT_EQ(v.what, answer_class::resource_forbidden);
  EXPECT_FALSE(v.other_key_helps);
}

TEST(classify, a_suspended_or_leaked_key_is_told_by_reason_or_words) {
  for (const auto& body : {error_body("m", info("CONSUMER_SUSPENDED")),
                           error_body("Your API key was reported as leaked. Use another one."),
                           error_body("Consumer 'api_key:x' has been suspended.")}) {
    const auto v = classify(403, body, facts());
    EXPECT_EQ(v.what, answer_class::key_suspended) << body;
    EXPECT_EQ(v.scope, answer_scope::key);
    EXPECT_TRUE(v.other_key_helps);
  }
}

TEST(classify, a_403_about_a_model_concerns_the_key_for_that_model_only) {
  const auto v = classify(403, error_body("No access to model gemini-2.5-flash."), facts());
  EXPECT_EQ(v.what, answer_class::key_forbidden);
  EXPECT_EQ(v.scope, answer_scope::key_and_model);
  EXPECT_EQ(v.model, "gemini-2.5-flash");
  EXPECT_EQ(classify(403, error_body("no", info("API_KEY_IP_ADDRESS_BLOCKED")), facts()).scope,
            answer_scope::key);
}

TEST(classify, location_and_client_faults_and_upstream_faults_leave_the_key_alone) {
  EXPECT_EQ(classify(400, error_body("User Location is not supported", "", "FAILED_PRECONDITION"),
                     facts())
                .what,
            answer_class::location);
  for (const int status : {400, 404, 405, 413, 416, 422}) {
    const auto v = classify(status, error_body("m"), facts());
    EXPECT_EQ(v.what, answer_class::request_fault) << status;
    EXPECT_EQ(v.scope, answer_scope::request);
    EXPECT_FALSE(v.other_key_helps);
    EXPECT_FALSE(v.retry_after);
  }
  for (const int status : {300, 402, 408, 500, 502, 520}) {
    const auto v = classify(status, "<html>", facts());
    EXPECT_EQ(v.what, answer_class::upstream_fault) << status;
    EXPECT_EQ(v.scope, answer_scope::model);
    EXPECT_EQ(v.model, "gemini-2.5-flash");
  }
  EXPECT_EQ(classify(503, "", facts()).what, answer_class::model_overloaded);
  EXPECT_EQ(classify(504, "", facts()).what, answer_class::upstream_timeout);
}

TEST(classify, an_error_under_a_good_status_is_judged_by_its_own_code) {
  EXPECT_EQ(classify(200, R"({"candidates":[]})", facts()).what, answer_class::ok);
  EXPECT_EQ(classify(200, R"({"error":{"code":429,"message":"m"}})", facts()).what,
            answer_class::quota_unknown);
  EXPECT_EQ(classify(200, R"({"error":{}})", facts()).what, answer_class::upstream_fault);
}

TEST(classify, the_http_status_wins_over_a_code_that_disagrees) {
  EXPECT_EQ(classify(503, R"({"error":{"code":400,"message":"m"}})", facts()).what,
            answer_class::model_overloaded);
}

TEST(classify, reads_an_error_wrapped_in_an_array) {
  const auto v = classify(429, "[" + error_body("m", quota(per_minute)) + "]", facts());
  EXPECT_EQ(v.what, answer_class::quota_minute);
  EXPECT_EQ(v.message, "m");
}

TEST(classify, survives_bytes_of_any_kind) {
  for (const std::string body :
       {"", "{", "[]", "[1]", "null", "{\"error\":5}", "{\"error\":{\"details\":7,\"message\":[]}}",
        "{\"error\":{\"details\":[null,{\"@type\":3},{\"@type\":\"\"},{\"@type\":\"a."
        "QuotaFailure\","
        "\"violations\":[5,{\"quotaId\":{}}]}]}}",
        "\xff\xfe"}) {
    EXPECT_EQ(classify(429, body, facts()).what, answer_class::quota_unknown) << body;
    EXPECT_EQ(classify(400, body, facts()).what, answer_class::request_fault) << body;
  }
}

// --- quota: which kind, which model, how long

TEST(classify, per_day_wins_over_per_minute_and_rests_until_the_daily_reset) {
  const auto v = classify(
      429, error_body("m", quota(per_minute) + "," + quota(per_day) + "," + retry_info("12s")),
      facts());
  EXPECT_EQ(v.what, answer_class::quota_day);
  EXPECT_EQ(v.retry_after, 20h); // 04:00 to midnight
}

TEST(classify, per_day_is_also_told_by_the_metric_or_by_an_older_error_info) {
  EXPECT_EQ(classify(429,
                     error_body("m", quota("x", R"(,"quotaMetric":"a/generate_requests_per_day")")),
                     facts())
                .what,
            answer_class::quota_day);
  EXPECT_EQ(classify(429,
                     error_body("m", R"({"@type":"x.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED",)"
                                     R"("metadata":{"quota_limit":"RequestsPerMinutePerRegion"}})"),
                     facts())
                .what,
            answer_class::quota_minute);
}

TEST(classify, a_limit_of_zero_means_that_the_model_is_not_offered) {
  const auto quoted =
      classify(429, error_body("m", quota(per_minute, R"(,"quotaValue":"0")")), facts());
  EXPECT_TRUE(quoted.model_not_offered);
  EXPECT_EQ(quoted.what, answer_class::quota_day);
  const auto said = classify(429, error_body("Quota exceeded, limit: 0, model: x"), facts());
  EXPECT_TRUE(said.model_not_offered);
  EXPECT_EQ(said.what, answer_class::quota_day);
  for (const auto* other : {"limit: 05", "limit: 0.5", "limit: 10"}) {
    const auto v = classify(429, error_body(other), facts());
    EXPECT_FALSE(v.model_not_offered) << other;
    EXPECT_EQ(v.what, answer_class::quota_unknown) << other;
  }
}

TEST(classify, the_quotas_own_model_wins_over_the_one_asked_for) {
  const auto dimensions = [](const std::string& model) {
    return R"(,"quotaDimensions":{"model":")" + model + R"("})";
  };
  EXPECT_EQ(
      classify(429, error_body("m", quota(per_minute, dimensions("models/other"))), facts()).model,
      "other");
  EXPECT_EQ(classify(429,
                     error_body("m", quota(per_minute, dimensions("a")) + ","
                                         + quota(per_day, dimensions("b"))),
                     facts())
                .model,
            "b");
  EXPECT_EQ(classify(429, error_body("m"), facts()).model, "gemini-2.5-flash");
}

TEST(classify, fractions_of_a_second_are_kept_and_rounded_up_never_down) {
  EXPECT_EQ(
      classify(429, error_body("m", quota(per_minute) + "," + retry_info("46.866742034s")), facts())
          .retry_after,
      46'867ms);
  EXPECT_EQ(classify(429, error_body("m", retry_info("0.000000001s")), facts()).retry_after, 1ms);
}

TEST(classify, the_longest_explicit_word_wins) {
  const auto body =
      error_body("Please retry in 41.2s.", quota(per_minute) + "," + retry_info("40s"));
  auto told = facts();
  EXPECT_EQ(classify(429, body, told).retry_after, 41'200ms);
  told.retry_after = "42";
  EXPECT_EQ(classify(429, body, told).retry_after, 42s);
  told.retry_after_ms = "43500";
  EXPECT_EQ(classify(429, body, told).retry_after, 43'500ms);
  told.ratelimit_resets = {"1s", "2m30s"};
  EXPECT_EQ(classify(429, body, told).retry_after, 150s);
}

TEST(classify, a_long_explicit_wait_is_believed_and_a_short_one_never_becomes_a_day) {
  auto told = facts();
  told.retry_after = "604800";
  EXPECT_EQ(classify(429, "", told).retry_after, 168h);
  EXPECT_EQ(classify(429, error_body("m", quota(per_day)), told).retry_after, 168h);
  told.retry_after = "39";
  const auto v = classify(429, error_body("Resource exhausted"), told);
  EXPECT_EQ(v.what, answer_class::quota_unknown);
  EXPECT_EQ(v.retry_after, 39s);
}

TEST(classify, without_any_word_a_throttle_lasts_a_minute) {
  EXPECT_EQ(classify(429, "", facts()).retry_after, 60s);
  EXPECT_EQ(classify(429, error_body("m", quota(per_minute)), facts()).retry_after, 60s);
  EXPECT_EQ(classify(429, error_body("m", retry_info("soon")), facts()).retry_after, 60s);
}

TEST(classify, an_overload_tells_its_wait_only_where_the_upstream_does) {
  EXPECT_FALSE(classify(503, error_body("m"), facts()).retry_after);
  auto told = facts();
  told.retry_after = "7";
  EXPECT_EQ(classify(503, error_body("m"), told).retry_after, 7s);
}

TEST(classify, reveals_the_project_but_never_takes_a_key_for_one) {
  const auto body = [](const std::string& consumer) {
    return error_body("m",
                      R"({"@type":"x.ErrorInfo","metadata":{"consumer":")" + consumer + R"("}})");
  };
  EXPECT_EQ(classify(429, body("projects/123"), facts()).project, "projects/123");
  EXPECT_EQ(classify(429, body("api_key:AIza"), facts()).project, "");
}

// --- midnight in Los Angeles

TEST(daily_reset, is_the_next_midnight_in_los_angeles_in_winter_and_summer) {
  EXPECT_EQ(next_daily_reset(at(2026, 1, 15, 1h)), at(2026, 1, 15, 8h));
  EXPECT_EQ(next_daily_reset(at(2026, 7, 15, 1h)), at(2026, 7, 15, 7h));
  EXPECT_EQ(next_daily_reset(at(2026, 7, 15, 7h)), at(2026, 7, 16, 7h)); // strictly after
  EXPECT_EQ(next_daily_reset(at(2026, 7, 15, 7h) - 1ms), at(2026, 7, 15, 7h));
  EXPECT_EQ(next_daily_reset(at(2026, 12, 31, 23h)), at(2027, 1, 1, 8h));
}

TEST(daily_reset, knows_the_days_on_which_the_clocks_change) {
  // 2026: forward on 8 March, back on 1 November, both at 02:00.
  EXPECT_EQ(next_daily_reset(at(2026, 3, 8, 7h)), at(2026, 3, 8, 8h));
  EXPECT_EQ(next_daily_reset(at(2026, 3, 8, 8h)), at(2026, 3, 9, 7h)); // a day of 23 hours
  EXPECT_EQ(next_daily_reset(at(2026, 11, 1, 6h)), at(2026, 11, 1, 7h));
  EXPECT_EQ(next_daily_reset(at(2026, 11, 1, 7h)), at(2026, 11, 2, 8h)); // of 25 hours
  // 2027: 14 March and 7 November; 2028, a leap year: 12 March and 5 November.
  EXPECT_EQ(next_daily_reset(at(2027, 3, 14, 12h)), at(2027, 3, 15, 7h));
  EXPECT_EQ(next_daily_reset(at(2027, 11, 7, 12h)), at(2027, 11, 8, 8h));
  EXPECT_EQ(next_daily_reset(at(2028, 3, 12, 12h)), at(2028, 3, 13, 7h));
  EXPECT_EQ(next_daily_reset(at(2028, 11, 5, 12h)), at(2028, 11, 6, 8h));
}

TEST(daily_reset, days_between_resets_have_23_to_25_hours_over_a_century) {
  auto reset = next_daily_reset(at(2020, 1, 1));
  int short_days = 0, long_days = 0;
  while (reset < at(2120, 1, 1)) {
    const auto following = next_daily_reset(reset);
    ASSERT_TRUE(following - reset >= 23h && following - reset <= 25h);
    short_days += following - reset == 23h;
    long_days += following - reset == 25h;
    reset = following;
  }
  EXPECT_EQ(short_days, 100);
  EXPECT_EQ(long_days, 100);
}

// --- what the client is told

TEST(told_error, every_class_has_its_row) {
  const auto told = [](int status, const std::string& body) {
    return to_client_error(classify(status, body, facts()), status, body);
  };
  EXPECT_EQ(told(401, "").what, fault::no_usable_key);
  EXPECT_EQ(told(403, error_body("no")).what, fault::no_usable_key);
  EXPECT_EQ(told(403, error_body("cachedContents/x is gone")).what, fault::resource_not_found);
  EXPECT_EQ(told(413, "").what, fault::too_large);
  EXPECT_EQ(told(400, error_body("Request payload size exceeds the limit")).what, fault::too_large);
  EXPECT_EQ(told(400, error_body("The value of temperature is too large")).what,
            fault::invalid_request);
  EXPECT_EQ(told(404, error_body("m")).param, "model");
  EXPECT_EQ(told(422, "").what, fault::invalid_request);
  EXPECT_EQ(told(429, error_body("m", quota(per_day))).what, fault::quota_day);
  EXPECT_EQ(told(429, "").retry_after, 60s);
  EXPECT_EQ(told(503, "").what, fault::overloaded);
  EXPECT_EQ(told(504, "").what, fault::upstream_timeout);
  EXPECT_EQ(told(500, "").what, fault::upstream_error);
}

} // namespace
} // namespace troupe::gemini
