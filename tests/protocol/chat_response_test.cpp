#include "protocol/openai/chat.hpp"
#include "protocol/openai/text_index.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace troupe::openai {
namespace {

using nlohmann::json;

const chat_facts facts{
    .model_asked = "asked", .model = "gemini-2.5-flash", .prefixed_functions = {}};
const answer_context context{.created = std::chrono::seconds{7}, .id_seed = 1, .request_id = "r"};

std::variant<std::string, client_error> translate(std::string_view body,
                                                  const translation_options& options = {}) {
  return translate_chat_response(body, facts, options, context);
}

json answer(std::string_view body, const translation_options& options = {}) {
  const auto got = translate(body, options);
  const auto* text = std::get_if<std::string>(&got);
  return text ? json::parse(*text) : json("an error");
}

json message(const std::string& parts, const std::string& more = R"("finishReason":"STOP")",
             const translation_options& options = {}) {
  return answer(R"({"candidates":[{"content":{"parts":)" + parts + "}," + more + "}]}",
                options)["choices"][0]["message"];
}

client_error error(std::string_view body) {
  const auto got = translate(body);
  const auto* e = std::get_if<client_error>(&got);
  return e ? *e : client_error{.what = fault::internal, .message = "no error"};
}

TEST(chat_response, keeps_what_numbers_are_in_tool_arguments) {
  const auto got = message(
      R"([{"functionCall":{"name":"f","args":{"z":1.0,"a":-0.5,"n":12345678901234567890,"e":1e22,"nested":[{"k":[]}]}}}])");
  EXPECT_EQ(got["tool_calls"][0]["function"]["arguments"],
            R"({"z":1.0,"a":-0.5,"n":12345678901234567890,"e":1e+22,"nested":[{"k":[]}]})");
}

TEST(chat_response, text_of_any_kind_survives) {
  const json text = "q\" b\\ n\n \x01 \xC3\xA9 \xF0\x9F\x98\x80 \xE2\x80\xA8 </script>";
  EXPECT_EQ(message("[{\"text\":" + text.dump() + "}]")["content"], text);
}

TEST(chat_response, made_ids_differ_per_call_and_stay_for_one_seed) {
  const char* body =
      R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"a"}},{"functionCall":{"name":"b","id":""}}]}},
          {"content":{"parts":[{"functionCall":{"name":"a"}}]}}]})";
  const auto first = answer(body), again = answer(body);
  EXPECT_EQ(first, again);
  const auto& calls = first["choices"][0]["message"]["tool_calls"];
  const std::string a = calls[0]["id"], b = calls[1]["id"],
                    c = first["choices"][1]["message"]["tool_calls"][0]["id"];
  EXPECT_EQ(a.size(), 29U); // call_ and 24 hex digits
  EXPECT_NE(a, b);
  EXPECT_NE(a, c);
  answer_context other = context;
  other.id_seed = 2;
  const auto with_other =
      json::parse(std::get<std::string>(translate_chat_response(body, facts, {}, other)));
  EXPECT_NE(first["id"], with_other["id"]);
  EXPECT_NE(calls[0]["id"], with_other["choices"][0]["message"]["tool_calls"][0]["id"]);
}

TEST(chat_response, a_response_id_that_is_no_plain_word_is_not_taken_over) {
  const auto id = [](const std::string& upstream) {
    return answer(R"({"candidates":[{}],"responseId":)" + json(upstream).dump() + "}")["id"]
        .get<std::string>();
  };
  EXPECT_EQ(id("aB-_.9"), "chatcmpl-aB-_.9");
  for (const std::string bad : {"", "a b", "a\"b", "\n", "\xC3\xA9"})
    EXPECT_EQ(id(bad).size(), 9U + 24U) << bad;
  EXPECT_EQ(id(std::string(100'000, 'x')).size(), 9U + 24U);
}

TEST(chat_response, signature_carriers_can_be_switched_off_one_by_one) {
  const char* parts = R"([{"functionCall":{"id":"f","name":"a"},"thoughtSignature":"+/8="}])";
  translation_options options;
  options.signature_in_id = false;
  auto call = message(parts, R"("index":0)", options)["tool_calls"][0];
  EXPECT_EQ(call["id"], "f");
  EXPECT_EQ(call["extra_content"]["google"]["thought_signature"], "+/8=");
  options.signature_in_id = true;
  options.signature_in_extra_content = false;
  call = message(parts, R"("index":0)", options)["tool_calls"][0];
  EXPECT_EQ(call["id"], "f__thought__-_8");
  EXPECT_FALSE(call.contains("extra_content"));
}

TEST(chat_response, takes_the_prefix_off_function_names_that_got_one) {
  chat_facts prefixed = facts;
  prefixed.prefixed_functions = {"1st"};
  const char* body =
      R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"_1st"}},{"functionCall":{"name":"_own"}}]}}]})";
  const auto got =
      json::parse(std::get<std::string>(translate_chat_response(body, prefixed, {}, context)));
  const auto& calls = got["choices"][0]["message"]["tool_calls"];
  EXPECT_EQ(calls[0]["function"]["name"], "1st");
  EXPECT_EQ(calls[1]["function"]["name"], "_own");
}

TEST(chat_response, every_finish_reason_has_its_word) {
  const auto reason = [](const std::string& gemini, const char* parts) {
    return answer(R"({"candidates":[{"content":{"parts":)" + std::string{parts}
                  + R"(},"finishReason":")" + gemini + R"("}]})")["choices"][0]["finish_reason"];
  };
  const char* text = R"([{"text":"t"}])";
  const char* call = R"([{"functionCall":{"name":"f"}}])";
  for (const auto* filter :
       {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE",
        "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR"}) {
    EXPECT_EQ(reason(filter, text), "content_filter") << filter;
    EXPECT_EQ(reason(filter, call), "content_filter") << filter;
  }
  for (const auto* other :
       {"STOP", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "OTHER",
        "NO_IMAGE", "IMAGE_OTHER", "FINISH_REASON_UNSPECIFIED", "NEW", ""}) {
    EXPECT_EQ(reason(other, text), "stop") << other;
    EXPECT_EQ(reason(other, call), "tool_calls") << other;
  }
  EXPECT_EQ(reason("MAX_TOKENS", call), "length");
  EXPECT_EQ(reason("CONTINUATION", text), "length");
}

TEST(chat_response, refuses_only_where_a_filter_left_nothing_to_see) {
  const char* safety = R"("finishReason":"SAFETY")";
  EXPECT_EQ(message("[]", safety)["refusal"], "Blocked by Gemini: SAFETY");
  EXPECT_EQ(message(R"([{"text":"x","thought":true}])", safety)["refusal"],
            "Blocked by Gemini: SAFETY");
  EXPECT_TRUE(message(R"([{"text":"x"}])", safety)["refusal"].is_null());
  EXPECT_TRUE(message("[]", R"("finishReason":"MAX_TOKENS")")["refusal"].is_null());
  EXPECT_EQ(message("[]", R"("finishReason":"MAX_TOKENS")")["content"], "");
}

TEST(chat_response, drafts_sound_and_unknown_parts_are_left_out) {
  const auto got = message(
      R"([{"inlineData":{"mimeType":"image/png","data":"AA"},"thought":true},
          {"inlineData":{"mimeType":"audio/L16","data":"AA"}},{"newPart":{}},{},5,{"text":"t"}])");
  EXPECT_EQ(got["content"], "t");
  EXPECT_FALSE(got.contains("images"));
}

TEST(chat_response, images_can_be_in_text_in_a_field_or_in_both) {
  translation_options options;
  options.images = image_output::both;
  const auto got = message(R"([{"inlineData":{"mimeType":"image/png","data":"AA"}}])",
                           R"("finishReason":"STOP")", options);
  EXPECT_EQ(got["content"], "\n\n![image](data:image/png;base64,AA)\n\n");
  EXPECT_EQ(got["images"][0]["image_url"]["url"], "data:image/png;base64,AA");
}

TEST(chat_response, a_failed_code_run_says_so_and_no_fence_ends_early) {
  EXPECT_EQ(message(R"([{"codeExecutionResult":{"outcome":"OUTCOME_FAILED","output":"boom\n\n"}}])")
                ["content"],
            "\n\n```text\n[OUTCOME_FAILED]\nboom\n```\n\n");
  EXPECT_EQ(
      message(R"([{"executableCode":{"language":"LANGUAGE_UNSPECIFIED","code":"a\n```\nb"}}])")
          ["content"],
      "\n\n````\na\n```\nb\n````\n\n");
}

TEST(chat_response, counts_come_as_numbers_or_strings_and_total_may_be_missing) {
  const auto usage = answer(
      R"({"candidates":[{}],"usageMetadata":{"promptTokenCount":"3","toolUsePromptTokenCount":2,"candidatesTokenCount":4.0,
          "thoughtsTokenCount":1,"promptTokensDetails":[{"modality":"TEXT","tokenCount":1},{"modality":"AUDIO","tokenCount":"2"}]}})")
      ["usage"];
  EXPECT_EQ(usage["prompt_tokens"], 5);
  EXPECT_EQ(usage["completion_tokens"], 5);
  EXPECT_EQ(usage["total_tokens"], 10);
  EXPECT_EQ(usage["prompt_tokens_details"]["audio_tokens"], 2);
  EXPECT_FALSE(usage["completion_tokens_details"].contains("audio_tokens"));
}

TEST(chat_response, absurd_counts_neither_wrap_nor_turn_negative) {
  token_usage used;
  const auto got = translate_chat_response(
      R"({"candidates":[{}],"usageMetadata":{"promptTokenCount":18446744073709551615,"toolUsePromptTokenCount":"99999999999999999999999","candidatesTokenCount":-5,"thoughtsTokenCount":1.5}})",
      facts, {}, context, &used);
  ASSERT_TRUE(std::holds_alternative<std::string>(got));
  EXPECT_EQ(used.prompt, std::uint64_t{1} << 54);
  EXPECT_EQ(used.output, 0U);
}

TEST(chat_response, citations_count_code_points_over_all_that_the_client_sees) {
  const std::string grounding =
      R"("groundingMetadata":{"groundingChunks":[{"web":{"uri":"u0","title":"t0"}},{"other":{}},{"web":{"uri":"u2"}}],
         "groundingSupports":[{"segment":{"endIndex":"3"},"groundingChunkIndices":[0]},
          {"segment":{"startIndex":3,"endIndex":5},"groundingChunkIndices":[2,1,9]},
          {"segment":{"startIndex":99,"endIndex":7},"groundingChunkIndices":[0]},{}]})";
  const auto got = message(
      R"([{"text":"aé"},{"executableCode":{"language":"PYTHON","code":"é"}},{"text":"bc"}])",
      grounding);
  const auto& list = got["annotations"];
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0]["url_citation"]["start_index"], 0);
  EXPECT_EQ(list[0]["url_citation"]["url"], "u0");
  // "bc" are bytes 3 and 4 upstream; the client has a code block of 19 characters before them.
  const std::string content = got["content"];
  EXPECT_EQ(content.substr(content.size() - 2), "bc");
  EXPECT_EQ(list[1]["url_citation"]["start_index"], 2 + 19);
  EXPECT_EQ(list[1]["url_citation"]["end_index"], 2 + 19 + 2);
  EXPECT_EQ(list[1]["url_citation"]["title"], "u2");
  EXPECT_EQ(list[2]["url_citation"]["start_index"], list[2]["url_citation"]["end_index"]);
}

TEST(chat_response, sources_without_supports_are_cited_at_the_beginning_or_listed) {
  const char* grounding =
      R"("groundingMetadata":{"groundingChunks":[{"web":{"uri":"u","title":"t"}}]})";
  EXPECT_EQ(message(R"([{"text":"x"}])", grounding)["annotations"][0]["url_citation"]["end_index"],
            0);
  translation_options options;
  options.grounding = grounding_output::markdown;
  const auto listed = message(R"([{"text":"x"}])", grounding, options);
  EXPECT_EQ(listed["content"], "x\n\n---\n\n- [t](u)");
  EXPECT_FALSE(listed.contains("annotations"));
}

TEST(chat_response, an_error_under_status_200_is_told_as_one) {
  EXPECT_EQ(error(R"({"error":{"code":429,"message":"slow"}})").what, fault::rate_limited);
  EXPECT_EQ(error(R"([{"error":{"status":"UNAVAILABLE","message":"m"}}])").what, fault::overloaded);
  EXPECT_EQ(error(R"({"error":{"code":429,"message":"slow"}})").message, "slow");
}

TEST(chat_response, an_answer_without_candidates_goes_to_another_key_unless_blocked) {
  EXPECT_EQ(error("{}").what, fault::empty_response);
  EXPECT_EQ(error(R"({"candidates":[]})").what, fault::empty_response);
  EXPECT_EQ(error(R"({"candidates":"x","promptFeedback":7})").what, fault::empty_response);
  EXPECT_EQ(error("[]").what, fault::empty_response);
  EXPECT_EQ(
      answer(R"({"candidates":[],"promptFeedback":{"blockReason":"OTHER"}})")["choices"][0]
                                                                             ["finish_reason"],
      "content_filter");
}

TEST(chat_response, hostile_bytes_become_an_upstream_fault_or_valid_json) {
  std::string deep(100'000, '[');
  const std::string megabyte(1 << 20, 'x');
  const std::string good =
      R"({"candidates":[{"content":{"parts":[{"text":"a\u00e9\n"},{"functionCall":{"name":"f","args":{"x":[1,2]}}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1}})";
  for (std::size_t cut = 0; cut < good.size(); ++cut)
    EXPECT_EQ(error(good.substr(0, cut)).what, fault::upstream_error) << cut;
  for (const std::string& bad :
       {deep, std::string{"{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\xff\"}]}}]}"},
        "{\"a\":" + deep + "}", good + "x", std::string{"{\"candidates\":[01]}"}})
    EXPECT_EQ(error(bad).what, fault::upstream_error);
  EXPECT_EQ(message("[{\"text\":\"" + megabyte + "\"}]")["content"], megabyte);
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string damaged = good;
    damaged[at] = '7';
    const auto got = translate(damaged);
    const auto* text = std::get_if<std::string>(&got);
    EXPECT_TRUE(!text || json::accept(*text)) << damaged;
  }
}

TEST(chat_response, wrong_types_everywhere_are_as_if_absent) {
  const auto got = answer(
      R"({"candidates":[5,null,[],{"content":7},{"content":{"parts":{}}},{"index":"x","finishReason":3,"logprobsResult":[],"groundingMetadata":"g",
          "content":{"parts":[null,{"text":1},{"functionCall":[]},{"functionCall":{"name":5,"args":[1],"id":{}}},{"inlineData":3},{"executableCode":""},
          {"text":"t","thought":"yes","thoughtSignature":9}]}}],"usageMetadata":[],"responseId":5,"promptFeedback":[]})");
  ASSERT_EQ(got["choices"].size(), 3U);
  const auto& last = got["choices"][2];
  EXPECT_EQ(last["message"]["content"], "t");
  EXPECT_EQ(last["message"]["tool_calls"][0]["function"]["arguments"], "{}");
  EXPECT_EQ(got["usage"]["total_tokens"], 0);
}

TEST(text_index, finds_places_in_text_of_every_width) {
  const std::string text = "a\xC3\xA9\xC3\xA9"
                           "b\xE2\x82\xAC\xF0\x9F\x98\x80"
                           "c";
  std::vector<std::uint64_t> expected; // for each byte the characters that begin before it
  std::uint64_t points = 0;
  for (const char c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    expected.push_back(begins ? points : points - 1);
    points += begins;
  }
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    if (cut < text.size() && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80)
      continue; // parts hold whole characters
    text_index index;
    index.add_text(std::string_view{text}.substr(0, cut));
    index.add_text(std::string_view{text}.substr(cut));
    for (std::size_t byte = 0; byte < text.size(); ++byte)
      ASSERT_EQ(index.code_point(byte), expected[byte]) << cut << ' ' << byte;
    EXPECT_EQ(index.code_point(text.size()), points);
    EXPECT_EQ(index.code_point(1'000'000), points);
  }
}

TEST(text_index, stays_bounded_and_within_the_text_however_mixed_it_is) {
  text_index index;
  for (int i = 0; i < 100'000; ++i)
    index.add_text("a\xC3\xA9");
  EXPECT_EQ(index.code_point(3), 2U);
  EXPECT_EQ(index.code_point(3'000), 2'000U);
  EXPECT_LE(index.code_point(300'000), 200'000U);
}

} // namespace
} // namespace troupe::openai
