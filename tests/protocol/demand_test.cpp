#include "protocol/upstream/demand.hpp"

#include "tests/protocol/chat_request_support.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::upstream {
namespace {

token_demand gemini(std::string_view body, std::uint64_t assumed = 1'000) {
  return demand_of(upstream_kind::gemini, body, assumed);
}
token_demand openai(std::string_view body, std::uint64_t assumed = 1'000) {
  return demand_of(upstream_kind::openai, body, assumed);
}
token_demand anthropic(std::string_view body, std::uint64_t assumed = 1'000) {
  return demand_of(upstream_kind::anthropic, body, assumed);
}

TEST(demand, text_is_a_token_for_three_bytes_and_eight_for_each_message) {
  // Names: contents, role, parts, text: 21 bytes; values: user and 300: 304.
  EXPECT_EQ(gemini(R"({"contents":[{"role":"user","parts":[{"text":")" + std::string(300, 'a')
                   + R"("}]}]})")
                .input,
            (21 + 304 + 2) / 3 + 8);
  // model gpt, messages, role user, content + 30, role user, content + 30.
  EXPECT_EQ(openai(R"({"model":"gpt","messages":[{"role":"user","content":")" + std::string(30, 'a')
                   + R"("},{"role":"user","content":")" + std::string(30, 'b') + R"("}]})")
                .input,
            (8 + 8 + 2 * (8 + 7 + 30) + 2) / 3 + 16);
}

TEST(demand, tools_and_numbers_count_too) {
  EXPECT_EQ(gemini(R"({"tools":[{"a":[12345,true,null]}]})").input, (5 + 1 + 5 + 4 + 4 + 2) / 3);
}

TEST(demand, spaces_between_tokens_cost_nothing) {
  EXPECT_EQ(gemini("{ \"a\" :\r\n\t[ \"b\" , 1 ] }"), gemini(R"({"a":["b",1]})"));
}

TEST(demand, media_counts_by_its_size_not_as_text) {
  const std::string base64(4'096, 'A');
  const auto plain =
      gemini(R"({"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":""}}]}]})");
  const auto with =
      gemini(R"({"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":")" + base64
             + R"("}}]}]})");
  EXPECT_EQ(with.input - plain.input, 1'300 + 4);
  const auto url = openai(R"({"url":"data:image/png;base64,)" + base64 + R"("})");
  EXPECT_EQ(url.input, 1 + 1'300 + 4);
  const auto escaped = openai(R"({"url":"data:image\/png;base64,)" + base64 + R"(\/"})");
  EXPECT_EQ(escaped.input, 1 + 1'300 + 5);
  const auto source = anthropic(R"({"source":{"type":"base64","media_type":"image\/png","data":")"
                                + base64 + R"("}})");
  EXPECT_EQ(source.input, (6 + 4 + 6 + 10 + 10 + 4 + 1 + 2) / 3 + 1'300 + 4);
}

TEST(demand, base64_as_text_is_text) {
  const std::string base64(3'000, 'A');
  EXPECT_EQ(gemini(R"({"text":")" + base64 + R"("})").input, (4 + 3'000 + 2) / 3);
  EXPECT_EQ(gemini(R"({"data":")" + base64 + R"( "})").input, (4 + 3'001 + 2) / 3);
  EXPECT_EQ(gemini(R"({"thoughtSignature":")" + base64 + R"("})").input, (16 + 3'000 + 2) / 3);
}

TEST(demand, media_kept_elsewhere_counts_once) {
  EXPECT_EQ(gemini(R"({"fileUri":"https://x/v1beta/files/a"})").input, (7 + 2) / 3 + 1'300);
  EXPECT_EQ(openai(R"({"image_url":{"url":"https://x/cat.png"}})").input, (9 + 3 + 2) / 3 + 1'300);
  EXPECT_EQ(openai(R"({"image_url":"https://x/cat.png"})").input, (9 + 2) / 3 + 1'300);
  EXPECT_EQ(openai(R"({"image_url":{"url":"data:image/png;base64,AAAA"}})").input,
            (9 + 3 + 2) / 3 + 1'300 + 1);
  EXPECT_EQ(anthropic(R"({"source":{"type":"url","url":"https://x"}})").input,
            (6 + 4 + 3 + 9 + 2) / 3 + 1'300);
}

TEST(demand, output_is_what_the_body_allows) {
  EXPECT_EQ(gemini(R"({"generationConfig":{"maxOutputTokens":50}})").output, 50U);
  EXPECT_EQ(
      gemini(R"({"generation_config":{"max_output_tokens": 50 ,"candidate_count":3}})").output,
      150U);
  EXPECT_EQ(openai(R"({"max_tokens":50,"n":2})").output, 100U);
  EXPECT_EQ(openai(R"({"max_tokens":50,"max_completion_tokens":70})").output, 70U);
  EXPECT_EQ(openai(R"({"max_output_tokens":9})").output, 9U);
  EXPECT_EQ(anthropic(R"({"max_tokens":4096})").output, 4'096U);
}

TEST(demand, output_is_assumed_where_the_body_says_nothing_usable) {
  for (const auto* body : {"", "{}", R"({"max_tokens":null})", R"({"max_tokens":-1})",
                           R"({"max_tokens":1.5})", R"({"max_tokens":"x"})"})
    EXPECT_EQ(openai(body).output, 1'000U) << body;
  EXPECT_EQ(openai(R"({"n":4})").output, 4'000U);
  EXPECT_EQ(gemini(R"({"max_tokens":5})").output, 1'000U);
}

TEST(demand, numbers_of_tools_and_messages_are_not_the_requests_own) {
  EXPECT_EQ(
      openai(R"({"tools":[{"max_tokens":5}],"metadata":{"n":7},"messages":[{"n":9}]})").output,
      1'000U);
  EXPECT_EQ(gemini(R"({"contents":[{"generationConfig":{"maxOutputTokens":5}}],)"
                   R"("generationConfig":{"responseSchema":{"maxOutputTokens":6}}})")
                .output,
            1'000U);
}

TEST(demand, numbers_past_all_sense_are_bounded) {
  EXPECT_EQ(openai(R"({"max_tokens":99999999999999999999999,"n":99999999999999999999})").output,
            1'000'000'000'000U);
  EXPECT_EQ(openai(R"({"n":0})").output, 1'000U);
}

TEST(demand, reads_what_is_no_json_without_harm) {
  const std::string body = R"({"contents":[{"role":"u\"\\","parts":[{"text":"x"}]}],"n":12})";
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    EXPECT_LE(gemini(body.substr(0, cut)).input, gemini(body).input + 1) << cut;
    EXPECT_LE(openai(body.substr(cut)).output, 12'000U) << cut;
  }
  gemini("]]}}\"\\");
  gemini(R"({"a)");
}

// --- what a prompt cache can share

std::string turns(int count, std::string_view before = "", std::string_view after = "") {
  std::string body{"{"};
  body += before;
  body += R"("contents":[)";
  for (int i = 0; i < count; ++i)
    body += std::string{i == 0 ? "" : ","} + R"({"role":"user","parts":[{"text":")"
            + std::to_string(i) + std::string(3'000, 'x') + R"("}]})";
  body += "]";
  body += after;
  return body + "}";
}

TEST(prefix_hash, is_the_same_for_every_later_turn_of_a_conversation) {
  const auto first = prefix_hash(turns(2));
  EXPECT_NE(first, 0U);
  for (int count = 3; count < 6; ++count)
    EXPECT_EQ(prefix_hash(turns(count)), first);
}

TEST(prefix_hash, does_not_see_what_is_not_shared) {
  const auto first = prefix_hash(turns(2));
  EXPECT_EQ(prefix_hash(turns(2, R"("stream":true,"generationConfig":{"temperature":1},)")), first);
  EXPECT_EQ(prefix_hash(turns(2, "", R"(,"generationConfig":{"temperature":0})")), first);
}

TEST(prefix_hash, sees_system_and_tools_wherever_they_stand) {
  const std::string system = R"("systemInstruction":{"parts":[{"text":"be kind"}]})";
  const auto before = prefix_hash(turns(2, system + ","));
  EXPECT_EQ(prefix_hash(turns(2, "", "," + system)), before);
  EXPECT_NE(before, prefix_hash(turns(2)));
  EXPECT_NE(prefix_hash(turns(2, R"("tools":[{"a":1}],)")), prefix_hash(turns(2)));
}

TEST(prefix_hash, is_zero_for_little_text_however_long_the_body) {
  EXPECT_EQ(prefix_hash(""), 0U);
  EXPECT_EQ(prefix_hash(turns(1)), 0U);
  EXPECT_EQ(
      prefix_hash(turns(1, R"("generationConfig":{"x":")" + std::string(9'000, 'y') + "\"},")), 0U);
  EXPECT_EQ(prefix_hash(std::string(9'000, '[')), 0U);
  EXPECT_EQ(prefix_hash(std::string(9'000, '{')), 0U);
}

TEST(prefix_hash, differs_with_any_byte_of_the_prefix) {
  const auto body = turns(2);
  const auto first = prefix_hash(body);
  const auto begin = body.find("0xxx");
  for (std::size_t at = begin; at < begin + 2'900; at += 97) {
    auto other = body;
    other[at] = 'z';
    EXPECT_NE(prefix_hash(other), first) << at;
  }
}

TEST(prefix_hash, never_changes_between_machines_and_versions) {
  EXPECT_EQ(prefix_hash(R"({"messages":[")" + std::string(5'000, 'a') + "\"]}"),
            12149345649914858812U);
}

/// Two turns as a client of the OpenAI surface sends them, in the upstream's words.
TEST(prefix_hash, is_the_same_for_two_turns_that_were_translated) {
  const std::string system = R"({"role":"system","content":")" + std::string(1'000, 's') + R"("})";
  const std::string user = R"({"role":"user","content":")" + std::string(3'500, 'u') + R"("})";
  const auto translated = [](const std::string& messages, const std::string& more) {
    return openai::body_of(openai::translate(openai::request("[" + messages + "]", more)));
  };
  const auto one = translated(system + "," + user, "");
  const auto two = translated(system + "," + user
                                  + R"(,{"role":"assistant","content":"fine"},)"
                                    R"({"role":"user","content":"and now?"})",
                              R"(,"stream":true,"temperature":0.5)");
  EXPECT_NE(prefix_hash(one), 0U);
  EXPECT_EQ(prefix_hash(one), prefix_hash(two));
}

} // namespace
} // namespace troupe::upstream
