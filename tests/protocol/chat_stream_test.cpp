#include "protocol/openai/chat.hpp"
#include "protocol/sse/parser.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace troupe::openai {
namespace {

using nlohmann::json;
using step = chat_stream::step;

chat_facts facts(bool usage = false) {
  return {.model_asked = "asked",
          .model = "gemini-2.5-flash",
          .stream = true,
          .include_usage = usage,
          .prefixed_functions = {}};
}

const answer_context context{.created = std::chrono::seconds{7}, .id_seed = 1, .request_id = "r"};

chat_stream make(const translation_options& options = {}, bool usage = false) {
  return chat_stream{facts(usage), options, context};
}

std::string event(const std::string& parts, const std::string& more = "") {
  return R"({"candidates":[{"content":{"parts":)" + parts + "}" + more + R"(}],"responseId":"r1"})";
}

const std::string stop = R"({"candidates":[{"finishReason":"STOP"}]})";

/// The payloads of frames as a client reads them; "[DONE]" as a string.
std::vector<json> payloads(const std::string& frames) {
  std::vector<json> list;
  sse::parser parser{1 << 26};
  parser.feed(frames);
  for (std::string_view payload; parser.next(payload);)
    list.push_back(payload == "[DONE]" ? json("[DONE]") : json::parse(payload));
  EXPECT_TRUE(parser.idle());
  return list;
}

/// All deltas of one choice, in order.
std::vector<json> deltas(const std::string& frames, int choice = 0) {
  std::vector<json> list;
  for (const auto& payload : payloads(frames))
    if (payload.is_object())
      for (const auto& c : payload["choices"])
        if (c["index"] == choice)
          list.push_back(c["delta"]);
  return list;
}

/// The whole stream of these events and a clean end.
std::string play(const std::vector<std::string>& events, const translation_options& options = {},
                 bool usage = false) {
  auto stream = make(options, usage);
  std::string out;
  for (const auto& e : events)
    EXPECT_EQ(stream.on_event(e, out), step::more) << e;
  EXPECT_FALSE(stream.on_end(out)) << out;
  return out;
}

TEST(chat_stream, begins_with_the_first_thing_to_see_and_not_before) {
  auto stream = make();
  std::string out;
  for (const std::string silent :
       {"{}", R"({"usageMetadata":{"promptTokenCount":1}})", R"({"candidates":[]})",
        R"({"candidates":[{"content":{"role":"model"}}]})",
        R"({"candidates":[{"content":{"parts":[{"text":""}]}}]})"}) {
    EXPECT_EQ(stream.on_event(silent, out), step::more);
    EXPECT_FALSE(stream.begun()) << silent;
    EXPECT_EQ(out, "");
  }
  stream.on_event(event(R"([{"text":"x"}])"), out);
  EXPECT_TRUE(stream.begun());
  EXPECT_EQ(deltas(out)[0], json::parse(R"({"role":"assistant","content":""})"));
  EXPECT_EQ(deltas(out)[1], json::parse(R"({"content":"x"})"));
}

TEST(chat_stream, one_id_and_time_from_the_first_chunk_to_the_last) {
  const auto out =
      play({event(R"([{"text":"a"}])"),
            R"({"candidates":[{"content":{"parts":[{"text":"b"}]}}],"responseId":"other"})", stop});
  for (const auto& payload : payloads(out))
    if (payload.is_object()) {
      EXPECT_EQ(payload["id"], "chatcmpl-r1");
      EXPECT_EQ(payload["created"], 7);
      EXPECT_EQ(payload["model"], "asked");
      EXPECT_FALSE(payload.contains("usage"));
    }
}

TEST(chat_stream, a_made_id_stays_when_the_upstream_names_one_too_late) {
  const auto out = play({R"({"candidates":[{"content":{"parts":[{"text":"a"}]}}]})",
                         event(R"([{"text":"b"}])"), stop});
  const auto list = payloads(out);
  EXPECT_EQ(list[0]["id"].get<std::string>().size(), 9U + 24U);
  EXPECT_EQ(list[0]["id"], list[2]["id"]);
}

TEST(chat_stream, an_error_first_leaves_everything_open_for_another_key) {
  auto stream = make();
  std::string out;
  const std::string payload = R"({"error":{"code":429,"message":"m"}})";
  EXPECT_EQ(stream.on_event(payload, out), step::error);
  EXPECT_EQ(out, "");
  EXPECT_FALSE(stream.begun());
  EXPECT_EQ(stream.upstream_error(), payload);
  EXPECT_EQ(stream.upstream_error_status(), 429);
}

TEST(chat_stream, after_an_error_nothing_more_is_said_and_the_end_is_no_clean_one) {
  auto stream = make();
  std::string out;
  stream.on_event(event(R"([{"text":"a"}])"), out);
  const auto before = out;
  EXPECT_EQ(stream.on_event(R"([{"error":{"status":"UNAVAILABLE"}}])", out), step::error);
  EXPECT_EQ(stream.upstream_error_status(), 503);
  EXPECT_EQ(stream.on_event(event(R"([{"text":"b"}])"), out), step::error);
  EXPECT_TRUE(stream.on_end(out));
  EXPECT_EQ(out, before);
}

TEST(chat_stream, an_event_that_is_no_json_is_an_error_of_the_upstream) {
  for (const std::string bad : {"", "{", "[DONE]", "nonsense", "{}x", "\xff"}) {
    auto stream = make();
    std::string out;
    EXPECT_EQ(stream.on_event(bad, out), step::error) << bad;
    EXPECT_EQ(stream.upstream_error_status(), 502);
    EXPECT_EQ(stream.upstream_error(), bad);
  }
}

TEST(chat_stream, an_end_without_a_finish_reason_is_a_cut) {
  auto stream = make();
  std::string out;
  stream.on_event(event(R"([{"text":"a"}])"), out);
  const auto before = out;
  const auto error = stream.on_end(out);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->what, fault::stream_truncated);
  EXPECT_EQ(out, before);
}

TEST(chat_stream, one_choice_cut_is_a_cut_although_another_finished) {
  auto stream = make();
  std::string out;
  stream.on_event(
      R"({"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"},{"content":{"parts":[{"text":"b"}]},"index":1}]})",
      out);
  const auto error = stream.on_end(out);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->what, fault::stream_truncated);
}

TEST(chat_stream, an_end_without_any_candidate_goes_to_another_key) {
  auto stream = make();
  std::string out;
  stream.on_event(R"({"usageMetadata":{"promptTokenCount":3}})", out);
  const auto error = stream.on_end(out);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->what, fault::empty_response);
  EXPECT_EQ(out, "");
}

TEST(chat_stream, a_blocked_prompt_is_an_answer_with_usage) {
  const auto out =
      play({R"({"promptFeedback":{"blockReason":"SAFETY"},"responseId":"r1"})"}, {}, true);
  const auto list = payloads(out);
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[1]["choices"][0]["delta"]["refusal"], "Prompt blocked by Gemini: SAFETY");
  EXPECT_EQ(list[1]["choices"][0]["finish_reason"], "content_filter");
  EXPECT_EQ(list[2]["choices"], json::array());
  EXPECT_EQ(list[3], "[DONE]");
}

TEST(chat_stream, a_filter_that_left_nothing_refuses_in_the_finish_chunk) {
  const auto filtered = deltas(play({R"({"candidates":[{"finishReason":"SAFETY"}]})"}));
  EXPECT_EQ(filtered.back()["refusal"], "Blocked by Gemini: SAFETY");
  const auto seen =
      deltas(play({event(R"([{"text":"x"}])"), R"({"candidates":[{"finishReason":"SAFETY"}]})"}));
  EXPECT_EQ(seen.back(), json::object());
}

TEST(chat_stream, events_after_the_finish_reason_still_count_until_the_end) {
  auto stream = make({}, true);
  std::string out;
  stream.on_event(event(R"([{"text":"a"}])", R"(,"finishReason":"STOP")"), out);
  stream.on_event(R"({"usageMetadata":{"promptTokenCount":2,"candidatesTokenCount":1}})", out);
  EXPECT_EQ(stream.usage().prompt, 2U);
  EXPECT_TRUE(stream.usage().reported);
  EXPECT_FALSE(stream.on_end(out));
  EXPECT_EQ(payloads(out)[3]["usage"]["total_tokens"], 3);
}

TEST(chat_stream, after_the_end_nothing_is_appended_any_more) {
  auto stream = make();
  std::string out;
  stream.on_event(event(R"([{"text":"a"}])", R"(,"finishReason":"STOP")"), out);
  EXPECT_FALSE(stream.on_end(out));
  const auto before = out;
  EXPECT_EQ(stream.on_event(event(R"([{"text":"b"}])"), out), step::error);
  EXPECT_TRUE(stream.on_end(out));
  EXPECT_EQ(out, before);
}

TEST(chat_stream, calls_are_numbered_per_choice_over_events_and_ids_differ) {
  const auto out = play(
      {R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"a"}}]}},{"content":{"parts":[{"functionCall":{"name":"b"}}]},"index":1}]})",
       R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"c","args":{"k":"é\"\n"}}}]},"finishReason":"STOP"},{"index":1,"finishReason":"STOP"}]})"});
  const auto first = deltas(out, 0), second = deltas(out, 1);
  const auto &a = first[1]["tool_calls"][0], &c = first[2]["tool_calls"][0],
             &b = second[1]["tool_calls"][0];
  EXPECT_EQ(a["index"], 0);
  EXPECT_EQ(c["index"], 1);
  EXPECT_EQ(b["index"], 0);
  EXPECT_NE(a["id"], c["id"]);
  EXPECT_NE(a["id"], b["id"]);
  EXPECT_EQ(json::parse(c["function"]["arguments"].get<std::string>())["k"], "é\"\n");
}

TEST(chat_stream, ids_are_those_of_the_whole_answer) {
  const std::string body = event(R"([{"functionCall":{"name":"a"}},{"functionCall":{"name":"b"}}])",
                                 R"(,"finishReason":"STOP")");
  const auto whole =
      json::parse(std::get<std::string>(translate_chat_response(body, facts(), {}, context)));
  const auto streamed = deltas(play({body}));
  for (int i : {0, 1})
    EXPECT_EQ(streamed[static_cast<std::size_t>(i) + 1]["tool_calls"][0]["id"],
              whole["choices"][0]["message"]["tool_calls"][i]["id"]);
}

TEST(chat_stream, a_signed_text_carries_its_signature_also_when_empty) {
  const auto list = deltas(play({event(R"([{"text":"a","thoughtSignature":"S1"}])"),
                                 event(R"([{"text":"","thoughtSignature":"S2"}])"), stop}));
  EXPECT_EQ(
      list[1],
      json::parse(R"({"content":"a","extra_content":{"google":{"thought_signature":"S1"}}})"));
  EXPECT_EQ(list[2], json::parse(R"({"extra_content":{"google":{"thought_signature":"S2"}}})"));
  translation_options options;
  options.signature_in_extra_content = false;
  EXPECT_EQ(deltas(play({event(R"([{"text":"","thoughtSignature":"S2"}])"), stop}, options)).size(),
            2U);
}

TEST(chat_stream, logprobs_go_once_with_the_first_content_of_their_event) {
  const auto out = play({event(
      R"([{"text":"t","thought":true},{"text":"a"},{"text":"b"}])",
      R"(,"finishReason":"STOP","logprobsResult":{"chosenCandidates":[{"token":"a","logProbability":-1}]})")});
  int with = 0;
  for (const auto& payload : payloads(out))
    if (payload.is_object() && payload["choices"][0].contains("logprobs")) {
      ++with;
      EXPECT_EQ(payload["choices"][0]["delta"]["content"], "a");
    }
  EXPECT_EQ(with, 1);
}

TEST(chat_stream, citations_come_at_the_end_counted_over_the_whole_text) {
  const std::string grounding =
      R"(,"groundingMetadata":{"groundingChunks":[{"web":{"uri":"u","title":"t"}}],"groundingSupports":[{"segment":{"startIndex":2,"endIndex":6},"groundingChunkIndices":[0]}]})";
  const auto list =
      deltas(play({event(R"([{"text":"é"}])"), event(R"([{"text":"bécd"}])", grounding),
                   event("[]", R"(,"groundingMetadata":{"webSearchQueries":["q"]})"), stop}));
  const auto& citation = list.back()["annotations"][0]["url_citation"];
  EXPECT_EQ(citation["start_index"], 1);
  EXPECT_EQ(citation["end_index"], 4);
  translation_options options;
  options.grounding = grounding_output::markdown;
  const auto listed = deltas(play({event(R"([{"text":"x"}])", grounding), stop}, options));
  EXPECT_EQ(listed[2]["content"], "\n\n---\n\n- [t](u)");
  EXPECT_EQ(listed[3], json::object());
}

TEST(chat_stream, images_follow_their_option) {
  const auto image = event(R"([{"inlineData":{"mimeType":"image/png","data":"AA"}}])");
  EXPECT_EQ(deltas(play({image, stop}))[1]["content"],
            "\n\n![image](data:image/png;base64,AA)\n\n");
  translation_options options;
  options.images = image_output::images;
  const auto field = deltas(play({image, stop}, options))[1];
  EXPECT_FALSE(field.contains("content"));
  EXPECT_EQ(field["images"][0]["image_url"]["url"], "data:image/png;base64,AA");
  options.images = image_output::both;
  EXPECT_EQ(deltas(play({image, stop}, options))[1].size(), 2U);
}

TEST(chat_stream, what_is_kept_does_not_grow_with_the_answer) {
  auto stream = make();
  std::string out;
  const auto one = event(R"([{"text":"some words of an answer "}])");
  for (int i = 0; i < 100'000; ++i) {
    out.clear();
    ASSERT_EQ(stream.on_event(one, out), step::more);
  }
  EXPECT_EQ(payloads(out).size(), 1U);
}

TEST(chat_stream, hostile_events_are_an_error_or_whole_frames_of_json) {
  const std::string good = event(
      R"([{"text":"a\n","thoughtSignature":"S"},{"functionCall":{"name":"f","args":{"x":[1,{"y":null}]}}}])",
      R"(,"finishReason":"STOP","index":1,"logprobsResult":{"chosenCandidates":[{"token":"a"}]})");
  for (std::size_t at = 0; at < good.size(); ++at)
    for (const char c : {'7', '"', '{', ']', '\\', '\n', '\xff', ' '}) {
      auto damaged = good;
      damaged[at] = c;
      auto stream = make();
      std::string out;
      if (stream.on_event(damaged, out) == step::error) {
        EXPECT_EQ(out, "");
        continue;
      }
      stream.on_end(out);
      for (const auto& payload : payloads(out)) // parses or throws
        EXPECT_TRUE(payload.is_object() || payload == "[DONE]");
    }
}

TEST(chat_stream, bounds_the_number_of_choices) {
  auto stream = make();
  std::string out;
  for (int i = 0; i < 10'000; ++i)
    stream.on_event(
        R"({"candidates":[{"index":)" + std::to_string(i) + R"(,"finishReason":"STOP"}]})", out);
  EXPECT_FALSE(stream.on_end(out));
  EXPECT_LE(payloads(out).size(), 2U * 64 + 1);
}

TEST(chat_stream, a_megabyte_of_text_and_deep_nesting_are_no_trouble) {
  const std::string megabyte(1 << 20, 'x');
  EXPECT_EQ(deltas(play({event(R"([{"text":")" + megabyte + R"("}])"), stop}))[1]["content"],
            megabyte);
  auto stream = make();
  std::string out;
  EXPECT_EQ(stream.on_event(std::string(100'000, '['), out), step::error);
  EXPECT_EQ(stream.on_event(std::string(100'000, '{'), out), step::error);
}

} // namespace
} // namespace troupe::openai
