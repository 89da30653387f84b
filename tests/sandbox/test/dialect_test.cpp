#include "client.hpp"

#include <gtest/gtest.h>

namespace sandbox::test {
namespace {

constexpr std::string_view chat = "/v1/chat/completions";

TEST(openai, answers_a_chat_and_says_who_it_is) {
  host h;
  const auto j = h.post(chat, R"({"model":"sandbox-small","messages":[{"role":"user",)"
                              R"("content":"hi"}]})")
                     .parsed();
  EXPECT_NE(j["choices"][0]["message"]["content"].get<std::string>().find("troupe sandbox"),
            std::string::npos);
  EXPECT_EQ(j["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(j["model"], "sandbox-small");
}

TEST(openai, streams_chunks_usage_and_done) {
  host h;
  const auto body = h.post(chat, R"({"model":"sandbox-small","stream":true,"stream_options":)"
                                 R"({"include_usage":true},"messages":[{"role":"user",)"
                                 R"("content":"hi"}]})")
                        .body;
  EXPECT_TRUE(body.ends_with("data: [DONE]\n\n"));
  auto events = events_of(body);
  events.pop_back();
  EXPECT_EQ(events.front()["choices"][0]["delta"]["role"], "assistant");
  EXPECT_GT(events.back()["usage"]["total_tokens"].get<int>(), 0);
  EXPECT_EQ(events[events.size() - 2]["choices"][0]["finish_reason"], "stop");
}

TEST(openai, calls_the_tool_that_the_user_names) {
  host h;
  const auto j =
      h.post(chat, R"({"model":"sandbox-small","messages":[{"role":"user","content":"call f"}],)"
                   R"("tools":[{"type":"function","function":{"name":"f","parameters":)"
                   R"({"type":"object","properties":{"a":{"type":"string"}}}}}]})")
          .parsed();
  const auto& call = j["choices"][0]["message"]["tool_calls"][0];
  EXPECT_EQ(call["function"]["name"], "f");
  EXPECT_EQ(json::parse(call["function"]["arguments"].get<std::string>())["a"], "sandbox");
  EXPECT_EQ(j["choices"][0]["finish_reason"], "tool_calls");
}

TEST(openai, errors_have_its_form_and_a_retry_after_header) {
  host h;
  h.script(R"({"key":"*","rules":[{"error":"quota_minute","retry_s":3.2}]})");
  auto r = h.post(chat, R"({"model":"sandbox-small","messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(r.status, 429);
  EXPECT_EQ(r.headers["retry-after"], "4");
  EXPECT_EQ(r.parsed()["error"]["type"], "rate_limit_error");
}

TEST(openai, knows_its_models_and_no_others) {
  host h;
  EXPECT_EQ(h.get("/v1/models").parsed()["object"], "list");
  EXPECT_EQ(h.get("/v1/models/sandbox-large").status, 200);
  EXPECT_EQ(h.get("/v1/models/none").status, 404);
  EXPECT_EQ(h.post(chat, R"({"model":"none","messages":[{"role":"user","content":"x"}]})").status,
            404);
}

TEST(openai, survives_values_of_the_wrong_type) {
  host h;
  EXPECT_EQ(h.post(chat, R"({"model":"sandbox-small","messages":[{"role":7}]})").status, 400);
  EXPECT_EQ(h.post(chat, R"({"model":"sandbox-small","messages":[{"role":"user","content":"x"}],)"
                         R"("tools":[5]})")
                .status,
            400);
}

TEST(anthropic, answers_and_streams_messages) {
  host h;
  const std::string body =
      R"("model":"claude-sandbox","max_tokens":100,"messages":[{"role":"user","content":"hi"}]})";
  const auto j = h.post("/v1/messages", "{" + body).parsed();
  EXPECT_NE(j["content"][0]["text"].get<std::string>().find("troupe sandbox"), std::string::npos);
  EXPECT_EQ(j["stop_reason"], "end_turn");
  const auto events = events_of(h.post("/v1/messages", R"({"stream":true,)" + body).body);
  EXPECT_EQ(events.front()["type"], "message_start");
  EXPECT_EQ(events.back()["type"], "message_stop");
  std::string text;
  for (const auto& e : events)
    if (e["type"] == "content_block_delta")
      text += e["delta"]["text"].get<std::string>();
  EXPECT_EQ(text, j["content"][0]["text"]);
}

TEST(anthropic, errors_have_its_form) {
  host h;
  h.script(R"({"key":"*","rules":[{"error":"overloaded"}]})");
  const auto r = h.post("/v1/messages", R"({"model":"claude-x","max_tokens":1,"messages":[1]})");
  EXPECT_EQ(r.status, 503);
  EXPECT_EQ(r.parsed()["type"], "error");
  EXPECT_EQ(r.parsed()["error"]["type"], "overloaded_error");
}

} // namespace
} // namespace sandbox::test
