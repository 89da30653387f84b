#include "client.hpp"

#include <gtest/gtest.h>

namespace sandbox::test {
namespace {

constexpr std::string_view chat = "/v1/chat/completions";
constexpr std::string_view chat_hello =
    R"({"model":"sandbox-small","messages":[{"role":"user","content":"hello there"}]})";
constexpr std::string_view message_hello =
    R"({"model":"claude-sandbox","max_tokens":9,"messages":[{"role":"user","content":"hi"}]})";
constexpr std::string_view stream_chat =
    R"({"model":"sandbox-small","stream":true,"messages":[{"role":"user","content":"hello there"}]})";

std::string quota_id(const json& body) {
  return body["error"]["details"][0]["violations"][0]["quotaId"].get<std::string>();
}

TEST(token_limit, input_counts_at_arrival_and_is_refused_with_its_own_quota_id) {
  host h;
  // "hello there" weighs three tokens.
  h.script(R"({"key":"k1","limits":[{"input_tpm":6}]})");
  EXPECT_EQ(h.post(generate, hello).status, 200);
  EXPECT_EQ(h.post(stream, hello).status, 200);
  EXPECT_EQ(h.judge()["violations"], 0);
  const auto r = h.post(generate, hello);
  EXPECT_EQ(r.status, 429);
  EXPECT_EQ(quota_id(r.parsed()), "GenerateContentInputTokensPerModelPerMinute-FreeTier");
  EXPECT_EQ(r.parsed()["error"]["details"][0]["violations"][0]["quotaValue"], "6");
  EXPECT_EQ(h.judge()["violations"], 1);
}

TEST(token_limit, tokens_of_both_directions_count_together) {
  host h;
  h.script(R"({"key":"k1","limits":[{"tpm":20}],"rules":[{"text":"twelve bytes"}]})");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(h.post(generate, hello).status, 200) << i; // 3 and 3 each
  EXPECT_EQ(h.judge()["limits"][0]["most_in_a_window"], 18);
  EXPECT_EQ(h.post(generate, hello).status, 429);
}

TEST(token_limit, a_day_of_tokens_names_the_day) {
  host h;
  h.script(R"({"key":"k1","limits":[{"tpd":1}]})");
  const auto r = h.post(generate, hello);
  EXPECT_EQ(r.status, 429);
  EXPECT_EQ(quota_id(r.parsed()), "GenerateContentInputTokensPerModelPerDay-FreeTier");
}

TEST(token_limit, output_counts_when_an_answer_has_ended_streamed_or_whole) {
  host h;
  h.script(R"({"key":"k1","limits":[{"output_tpm":7}],"rules":[{"text":"twelve bytes"}]})");
  EXPECT_EQ(h.post(generate, hello).status, 200);
  EXPECT_EQ(h.post(stream, hello).status, 200);
  EXPECT_EQ(h.post(generate, hello).status, 200);
  EXPECT_EQ(h.judge()["violations"], 0);
  EXPECT_EQ(h.judge()["overruns"], 1);
  const auto r = h.post(generate, hello);
  EXPECT_EQ(r.status, 429);
  EXPECT_NE(r.body.find("retryDelay"), std::string::npos);
  EXPECT_EQ(h.judge()["violations"], 1);
}

TEST(token_limit, constant_answers_count_as_what_they_say) {
  host h;
  h.script(R"([{"key":"*","rules":[{"fixed":true}]},{"key":"k1","limits":[{"tpm":320}]}])");
  EXPECT_EQ(h.post(generate, hello).status, 200);
  EXPECT_EQ(h.post(generate, hello).status, 200);
  EXPECT_EQ(h.judge()["violations"], 0);
  EXPECT_EQ(h.judge()["limits"][0]["most_in_a_window"], 320);
  EXPECT_EQ(h.post(generate, hello).status, 429);
}

TEST(token_limit, the_client_sees_the_same_numbers_that_are_judged) {
  host h;
  h.script(R"({"key":"k1","limits":[{"tpm":1000}]})");
  const auto usage = h.post(generate, hello).parsed()["usageMetadata"];
  EXPECT_EQ(h.judge()["limits"][0]["most_in_a_window"], usage["totalTokenCount"]);
  h.post(chat, chat_hello);
  const auto counted = h.counters("k1");
  std::uint64_t output = 0;
  for (const auto& one : counted)
    output += one["output_tokens"].get<std::uint64_t>();
  EXPECT_GT(output, usage["candidatesTokenCount"].get<std::uint64_t>());
  EXPECT_EQ(counted[0]["prompt_tokens"], usage["promptTokenCount"]);
}

TEST(token_limit, concurrency_refuses_without_a_time_and_frees_at_the_end) {
  host h;
  h.script(R"({"key":"k1","limits":[{"concurrency":1}],"rules":[{"delay_ms":30}]})");
  client a{h.port()}, b{h.port()};
  a.send(request_text("POST", generate, hello, "k1"));
  b.send(request_text("POST", generate, hello, "k1"));
  const auto first = a.read_response(), second = b.read_response();
  EXPECT_EQ(std::min(first.status, second.status), 200);
  EXPECT_EQ(std::max(first.status, second.status), 429);
  EXPECT_EQ(h.judge()["violations"], 1);
  EXPECT_EQ(h.judge()["refusals_with_a_time"], 0);
  EXPECT_EQ(h.post(generate, hello).status, 200);
  EXPECT_EQ(h.judge()["violations"], 1);
}

TEST(token_limit, openai_refusals_name_the_limit_and_the_wait) {
  host h;
  h.script(R"({"key":"k1","limits":[{"rpm":1}]})");
  EXPECT_EQ(h.post(chat, chat_hello).status, 200);
  auto r = h.post(chat, chat_hello);
  EXPECT_EQ(r.status, 429);
  const auto e = r.parsed()["error"];
  EXPECT_EQ(e["code"], "rate_limit_exceeded");
  EXPECT_EQ(e["type"], "requests");
  const auto text = e["message"].get<std::string>();
  EXPECT_NE(text.find("requests per min (RPM): Limit 1, Used 1"), std::string::npos) << text;
  EXPECT_NE(text.find("Please try again in "), std::string::npos) << text;
  EXPECT_GT(std::stoi(r.headers["retry-after"]), 30);
}

TEST(token_limit, anthropic_refusals_name_the_limit) {
  host h;
  h.script(R"({"key":"k1","limits":[{"rpm":0}]})");
  const auto r = h.post("/v1/messages", message_hello);
  EXPECT_EQ(r.status, 429);
  EXPECT_EQ(r.parsed()["error"]["type"], "rate_limit_error");
  EXPECT_NE(r.body.find("0 requests per minute"), std::string::npos);
}

TEST(token_limit, what_is_left_is_told_in_headers_when_the_script_wants_it) {
  host h;
  h.script(R"({"key":"k1","tell_limits":true,"limits":[{"rpm":3},{"tpm":1000}]})");
  auto r = h.post(chat, chat_hello);
  EXPECT_EQ(r.headers["x-ratelimit-limit-requests"], "3");
  EXPECT_EQ(r.headers["x-ratelimit-remaining-requests"], "2");
  EXPECT_EQ(r.headers["x-ratelimit-reset-requests"], "1m0s");
  EXPECT_EQ(r.headers["x-ratelimit-limit-tokens"], "1000");
  EXPECT_EQ(r.headers["x-ratelimit-remaining-tokens"], "997");
  r = h.post("/v1/messages", message_hello);
  EXPECT_EQ(r.headers["anthropic-ratelimit-requests-limit"], "3");
  EXPECT_EQ(r.headers["anthropic-ratelimit-requests-reset"].back(), 'Z');
  EXPECT_EQ(h.post(generate, hello).headers.count("x-ratelimit-limit-requests"), 0);
}

TEST(token_limit, unknown_and_double_forms_are_refused) {
  host h;
  for (const auto* limits :
       {R"([{"tpm":1,"rpm":1}])", R"([{"tokens":1}])", R"([{"requests":1}])", R"([{"tpm":-1}])"})
    EXPECT_EQ(
        h.post("/_sandbox/scripts", std::string{R"({"key":"k1","limits":)"} + limits + "}").status,
        400)
        << limits;
}

TEST(token_limit, a_stream_that_breaks_counts_what_it_has_said) {
  host h;
  h.script(R"({"key":"k1","limits":[{"output_tpm":1000}],"rules":[)"
           R"({"events":4,"event_bytes":40,"break":"fin","after_events":2}]})");
  h.post(stream, hello);
  EXPECT_EQ(h.judge()["limits"][0]["most_in_a_window"], 20);
  h.post(chat, stream_chat);
}

} // namespace
} // namespace sandbox::test
