#include "protocol/upstream/classify.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace troupe::upstream {
namespace {

using gemini::answer_class;

const gemini::answer_facts facts{.model = "m", .now = wall_time{std::chrono::hours{24 * 20'000}}};

client_error told(upstream_kind kind, int status, const std::string& body) {
  return to_client_error(kind, classify(kind, status, body, facts), status, body);
}

TEST(upstream_classify, every_kind_is_asked_in_its_own_words) {
  const std::string gemini_body =
      R"({"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}})";
  EXPECT_EQ(classify(upstream_kind::gemini, 400, gemini_body, facts).what,
            answer_class::key_invalid);
  EXPECT_EQ(classify(upstream_kind::vertex, 400, gemini_body, facts).what,
            answer_class::key_invalid);
  EXPECT_EQ(classify(upstream_kind::anthropic, 400, gemini_body, facts).what,
            answer_class::request_fault);
  EXPECT_EQ(classify(upstream_kind::openai, 402, "", facts).what, answer_class::quota_day);
  EXPECT_EQ(classify(upstream_kind::gemini, 402, "", facts).what, answer_class::upstream_fault);
}

TEST(upstream_classify, gemini_reads_resets_from_the_fields_too) {
  const std::array fields{header_field{"X-RateLimit-Reset-Requests", "2m30s"},
                          header_field{"x-ratelimit-limit-requests", "9000"}};
  auto told = facts;
  told.fields = fields;
  EXPECT_EQ(classify(upstream_kind::gemini, 429, "", told).retry_after, std::chrono::seconds{150});
}

TEST(upstream_errors, the_clients_own_fault_is_told_in_the_upstreams_words) {
  const std::string body =
      R"({"error":{"message":"bad temperature","type":"invalid_request_error",)"
      R"("param":"temperature","code":null,"extra":[1]}})";
  const auto e = told(upstream_kind::openai, 422, body);
  EXPECT_EQ(e.what, fault::invalid_request);
  const auto rendered = render_forwarded(e, surface::openai, "r");
  EXPECT_EQ(rendered.status, 422);
  EXPECT_EQ(rendered.body, body);
}

TEST(upstream_errors, anthropics_words_keep_our_request_id_in_the_header) {
  const std::string body =
      R"({"type":"error","error":{"type":"not_found_error","message":"model: x"}})";
  const auto rendered =
      render_forwarded(told(upstream_kind::anthropic, 404, body), surface::anthropic, "r");
  EXPECT_EQ(rendered.status, 404);
  EXPECT_EQ(rendered.body, body);
  EXPECT_EQ(rendered.fields, "request-id: req_r\r\n");
}

TEST(upstream_errors, what_concerns_the_pool_is_told_in_ours) {
  for (const auto& [status, body] : std::vector<std::pair<int, std::string>>{
           {401, R"({"error":{"message":"Incorrect API key provided: sk-1"}})"},
           {402, R"({"error":{"message":"no money"}})"},
           {429, R"({"error":{"message":"slow down"}})"},
           {503, R"({"error":{"message":"busy"}})"}}) {
    const auto e = told(upstream_kind::openai, status, body);
    EXPECT_FALSE(e.upstream_body) << status;
    const auto rendered = render_forwarded(e, surface::openai, "r");
    EXPECT_EQ(rendered.body, render(e, surface::openai, "r").body);
    EXPECT_EQ(rendered.body.find("sk-1"), std::string::npos);
  }
}

TEST(upstream_errors, a_page_of_a_proxy_is_not_passed_on) {
  const auto e = told(upstream_kind::openai, 404, "<html>not here</html>");
  EXPECT_EQ(e.what, fault::not_found);
  EXPECT_FALSE(e.upstream_body);
}

TEST(upstream_errors, keys_in_words_that_are_passed_on_are_masked) {
  const auto e = told(upstream_kind::openai, 400,
                      R"({"error":{"message":"AIzaSyA1234567890abcdefghijklmnopqrstuv is odd"}})");
  EXPECT_EQ(render_forwarded(e, surface::openai, "r").body,
            R"({"error":{"message":"AIza*** is odd"}})");
}

TEST(upstream_errors, gemini_keeps_its_way) {
  const std::string body = R"({"error":{"code":503,"message":"m"}})";
  EXPECT_EQ(told(upstream_kind::gemini, 503, body).upstream_body, body);
}

} // namespace
} // namespace troupe::upstream
