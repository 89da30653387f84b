#include "client.hpp"

#include <gtest/gtest.h>

namespace sandbox::test {
namespace {

constexpr std::string_view responses = "/v1/responses";

std::string long_prompt(std::string_view last, std::size_t shared = 5000) {
  return R"({"contents":[{"role":"user","parts":[{"text":")" + std::string(shared, 'x')
         + std::string{last} + R"("}]}]})";
}

std::uint64_t cached(const response& r) {
  return r.parsed()["usageMetadata"].value("cachedContentTokenCount", std::uint64_t{0});
}

TEST(prompt_cache, a_beginning_seen_on_the_same_key_is_cached) {
  host h;
  EXPECT_EQ(cached(h.post(generate, long_prompt("one"))), 0);
  EXPECT_EQ(cached(h.post(generate, long_prompt("two"))), 1024);
  EXPECT_EQ(cached(h.post(generate, long_prompt("two"), "k2")), 0);
  const auto c = h.counters("k1")[0];
  EXPECT_EQ(c["cached_tokens"], 1024);
  EXPECT_GT(c["prompt_tokens"].get<std::uint64_t>(), 2500);
}

TEST(prompt_cache, short_prompts_and_other_beginnings_are_not_cached) {
  host h;
  h.post(generate, hello);
  EXPECT_EQ(cached(h.post(generate, hello)), 0);
  h.post(generate, long_prompt("x", 4095));
  EXPECT_EQ(cached(h.post(generate, long_prompt("y", 4095))), 0);
}

TEST(prompt_cache, forgets_after_its_time) {
  host h;
  EXPECT_EQ(h.post("/_sandbox/settings", R"({"cache_s":0})").status, 200);
  h.post(generate, long_prompt("one"));
  EXPECT_EQ(cached(h.post(generate, long_prompt("two"))), 0);
}

TEST(prompt_cache, a_refused_request_caches_nothing) {
  host h;
  h.script(R"({"key":"k1","rules":[{"when":{"first":1},"error":"overloaded"}]})");
  EXPECT_EQ(h.post(generate, long_prompt("one")).status, 503);
  EXPECT_EQ(cached(h.post(generate, long_prompt("two"))), 0);
}

TEST(prompt_cache, the_other_dialects_tell_it_in_their_own_fields) {
  host h;
  const std::string text(5000, 'y');
  const auto chat = R"({"model":"sandbox-small","messages":[{"role":"system","content":")" + text
                    + R"("},{"role":"user","content":"q"}]})";
  h.post("/v1/chat/completions", chat);
  EXPECT_EQ(h.post("/v1/chat/completions", chat)
                .parsed()["usage"]["prompt_tokens_details"]["cached_tokens"],
            1024);
  const auto message = R"({"model":"claude-sandbox","max_tokens":9,"system":")" + text
                       + R"(","messages":[{"role":"user","content":"q"}]})";
  h.post("/v1/messages", message);
  const auto usage = h.post("/v1/messages", message).parsed()["usage"];
  EXPECT_EQ(usage["cache_read_input_tokens"], 1024);
  EXPECT_EQ(usage["input_tokens"], 1250 + 1 - 1024);
}

TEST(responses, whole_and_streamed_end_completed) {
  host h;
  const auto whole = h.post(responses, R"({"model":"gpt-4o","input":"hi"})").parsed();
  EXPECT_TRUE(whole["id"].get<std::string>().starts_with("resp_"));
  EXPECT_EQ(whole["status"], "completed");
  EXPECT_EQ(whole["output"][0]["content"][0]["type"], "output_text");
  const auto r =
      h.post(responses, R"({"model":"gpt-4o","stream":true,"input":[)"
                        R"({"role":"user","content":[{"type":"input_text","text":"hi"}]}]})");
  const auto events = events_of(r.body);
  EXPECT_EQ(events.front()["type"], "response.created");
  EXPECT_EQ(events.back()["type"], "response.completed");
  for (std::size_t i = 0; i < events.size(); ++i)
    EXPECT_EQ(events[i]["sequence_number"], i);
  EXPECT_EQ(events.back()["response"]["output"][0]["content"][0]["text"],
            events[events.size() - 4]["text"]);
}

TEST(responses, go_on_only_with_the_key_that_began) {
  host h;
  const auto id = h.post(responses, R"({"model":"gpt-4o","input":"hi"})").parsed()["id"];
  const auto more = R"({"model":"gpt-4o","input":"on","previous_response_id":)" + id.dump() + "}";
  EXPECT_EQ(h.post(responses, more).status, 200);
  const auto r = h.post(responses, more, "k2");
  EXPECT_EQ(r.status, 400);
  EXPECT_EQ(r.parsed()["error"]["code"], "previous_response_not_found");
  EXPECT_EQ(h.post(responses, R"({"model":"gpt-4o","input":"x","previous_response_id":7})").status,
            400);
}

TEST(embeddings, one_vector_for_each_input) {
  host h;
  const auto j =
      h.post("/v1/embeddings", R"({"model":"text-embedding-3-small","input":["a","b"]})").parsed();
  EXPECT_EQ(j["data"].size(), 2);
  EXPECT_EQ(j["data"][1]["index"], 1);
  EXPECT_EQ(h.post("/v1/embeddings", R"({"model":"text-embedding-3-small","input":[]})").status,
            400);
}

TEST(cached_contents, are_the_key_s_that_made_them) {
  host h;
  const auto made = h.post("/v1beta/cachedContents",
                           R"({"model":"models/gemini-2.5-flash","contents":[{"role":"user",)"
                           R"("parts":[{"text":"12345678"}]}],"ttl":"300s"})")
                        .parsed();
  const auto name = made["name"].get<std::string>();
  EXPECT_EQ(made["usageMetadata"]["totalTokenCount"], 2);
  EXPECT_EQ(h.get("/v1beta/" + name).status, 200);
  EXPECT_EQ(h.get("/v1beta/" + name, "k2").status, 403);
  EXPECT_EQ(h.get("/v1beta/cachedContents").parsed()["cachedContents"].size(), 1);
  EXPECT_EQ(h.get("/v1beta/cachedContents", "k2").parsed()["cachedContents"].size(), 0);
  const auto use =
      R"({"cachedContent":")" + name + R"(","contents":[{"role":"user","parts":[{"text":"hi"}]}]})";
  EXPECT_EQ(cached(h.post(generate, use)), 2);
  EXPECT_EQ(h.post(generate, use, "k2").status, 403);
  client c{h.port()};
  c.send(request_text("DELETE", "/v1beta/" + name, "", "k1"));
  EXPECT_EQ(c.read_response().status, 200);
  EXPECT_EQ(h.post(generate, use).status, 403);
}

TEST(sources, too_many_from_one_address_are_throttled_whatever_the_key) {
  host h;
  h.script(R"({"key":"*","per_source":{"requests":2,"window_s":60}})");
  EXPECT_EQ(h.post(generate, hello, "a").status, 200);
  EXPECT_EQ(h.post(generate, hello, "b").status, 200);
  const auto r = h.post(generate, hello, "c");
  EXPECT_EQ(r.status, 429);
  EXPECT_FALSE(r.parsed()["error"].contains("details"));
  EXPECT_EQ(h.counters("c")[0]["scripted"]["source"], 1);
  EXPECT_EQ(h.counters("c")[0]["sources"]["127.0.0.1"], 1);
  EXPECT_EQ(h.judge()["violations"], 0);
}

TEST(empty, answers_have_no_candidates_and_no_reason) {
  host h;
  h.script(R"({"key":"*","rules":[{"empty":true}]})");
  const auto whole = h.post(generate, hello).parsed();
  EXPECT_FALSE(whole.contains("candidates"));
  EXPECT_FALSE(whole.contains("promptFeedback"));
  EXPECT_TRUE(whole.contains("usageMetadata"));
  const auto events = events_of(h.post(stream, hello).body);
  ASSERT_EQ(events.size(), 1);
  EXPECT_FALSE(events[0].contains("candidates"));
  const auto chat = h.post("/v1/chat/completions",
                           R"({"model":"gpt-4o","messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(chat.parsed()["choices"].size(), 0);
}

} // namespace
} // namespace sandbox::test
