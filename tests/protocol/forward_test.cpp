#include "protocol/upstream/forward.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>
#include <string>

namespace troupe::upstream {
namespace {

using ordered = nlohmann::ordered_json;

// --- what a request says

TEST(scan_forward, reads_the_outermost_members_only) {
  const auto facts = scan_forward(
      R"({"model":"gpt-4o","stream":true,"metadata":{"model":"x","previous_response_id":"y"}})");
  EXPECT_TRUE(facts.well_formed);
  EXPECT_EQ(facts.model, "gpt-4o");
  EXPECT_TRUE(facts.stream);
  EXPECT_FALSE(facts.has_previous_response_id);
}

TEST(scan_forward, finds_what_ties_a_request_to_its_key) {
  const auto facts = scan_forward(R"({"previous_response_id":"resp_1"})");
  EXPECT_TRUE(facts.has_previous_response_id);
  EXPECT_EQ(facts.previous_response_id, "resp_1");
  EXPECT_FALSE(scan_forward(R"({"previous_response_id":null})").has_previous_response_id);
  const auto wrong = scan_forward(R"({"previous_response_id":7})");
  EXPECT_TRUE(wrong.has_previous_response_id);
  EXPECT_EQ(wrong.previous_response_id, "");
}

TEST(scan_forward, the_last_of_two_members_counts) {
  const auto facts = scan_forward("{\"model\":\"a\",\"mod\\u0065l\":\"b\",\"stream\":true,"
                                  "\"stream\":false}");
  EXPECT_EQ(facts.model, "b");
  EXPECT_FALSE(facts.stream);
}

TEST(scan_forward, what_is_no_object_is_not_well_formed) {
  for (const std::string body : {"", "[]", "null", "\"{}\"", "{", R"({"model":"a"},)",
                                 R"({"model":})", "{\"model\":\"\xff\"}"}) {
    const auto facts = scan_forward(body);
    EXPECT_FALSE(facts.well_formed) << body;
    EXPECT_EQ(facts.model, "") << body;
  }
  EXPECT_TRUE(scan_forward(" {} ").well_formed);
}

TEST(scan_forward, reads_bodies_of_megabytes_and_small_ones_after_them) {
  const std::string large = R"({"input":")" + std::string(3 << 20, 'x') + R"(","model":"m"})";
  EXPECT_EQ(scan_forward(large).model, "m");
  EXPECT_EQ(scan_forward(R"({"model":"n"})").model, "n");
  EXPECT_EQ(scan_whole(upstream_kind::openai, large).empty, true);
  EXPECT_EQ(scan_forward(large).model, "m");
}

// --- the model's name

TEST(with_model, replaces_the_value_and_nothing_else) {
  EXPECT_EQ(with_model("{ \"temperature\" : 1.0e0,\n\t\"model\" :  \"a\\u0062\" , \"x\":[ ] }",
                       "new\"one"),
            "{ \"temperature\" : 1.0e0,\n\t\"model\" :  \"new\\\"one\" , \"x\":[ ] }");
}

TEST(with_model, replaces_every_spelling_so_that_no_reader_finds_another) {
  EXPECT_EQ(with_model(R"({"model":"a","mod\u0065l":"b","model":{"c":["d"]}})", "e"),
            R"({"model":"e","mod\u0065l":"e","model":"e"})");
}

TEST(with_model, leaves_members_of_members_alone) {
  const std::string body =
      R"({"a":{"model":"x"},"b":[{"model":"y"}],"c":"\"model\":\"z\"","model":"m"})";
  EXPECT_EQ(with_model(body, "m"), body);
}

TEST(with_model, names_a_model_where_there_was_none) {
  EXPECT_EQ(with_model("{}", "m"), R"({"model":"m"})");
  EXPECT_EQ(with_model(R"( { "a":1})", "m"), R"( {"model":"m", "a":1})");
  EXPECT_EQ(with_model(R"({"models":1,"Model":2,"mode":3})", "m"),
            R"({"model":"m","models":1,"Model":2,"mode":3})");
}

TEST(with_model, leaves_what_is_no_object_as_it_is) {
  for (const std::string body : {"", "[]", "text", "[{\"model\":\"a\"}]"})
    EXPECT_EQ(with_model(body, "m"), body);
}

/// A random document: names and texts with everything that could mislead a scanner.
ordered some_value(std::mt19937& random, int depth) {
  const std::string texts[] = {"model", "\"model\":\"x\"", "a\\", "\"",  "{",
                               "]",     "\xE2\x80\xA8",    "",    "ünï", "line\nbreak"};
  const auto pick = random() % (depth > 3 ? 4 : 6);
  switch (pick) {
  case 0:
    return texts[random() % std::size(texts)];
  case 1:
    return static_cast<int>(random() % 1'000) - 500;
  case 2:
    return random() % 2 == 0;
  case 3:
    return nullptr;
  case 4: {
    auto list = ordered::array();
    for (auto n = random() % 4; n > 0; --n)
      list.push_back(some_value(random, depth + 1));
    return list;
  }
  default: {
    auto object = ordered::object();
    for (auto n = random() % 4; n > 0; --n)
      object[texts[random() % std::size(texts)]] = some_value(random, depth + 1);
    return object;
  }
  }
}

TEST(with_model, changes_nothing_but_the_model_of_any_document) {
  std::mt19937 random{7};
  for (int round = 0; round < 2'000; ++round) {
    auto document = ordered::object();
    for (int n = 0; n < 4; ++n)
      document["m" + std::to_string(n)] = some_value(random, 0);
    document["model"] = some_value(random, 0);
    document["z"] = some_value(random, 0);
    const auto changed = with_model(document.dump(round % 3 - 1), "new");
    auto expected = document;
    expected["model"] = "new";
    EXPECT_EQ(ordered::parse(changed), expected) << document.dump();
  }
}

// --- what an answer tells

TEST(scan_whole, a_chat_completion_with_its_usage) {
  const auto scan = scan_whole(
      upstream_kind::openai,
      R"({"id":"chatcmpl-1","choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}],)"
      R"("usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,)"
      R"("prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}}})");
  EXPECT_TRUE(scan.well_formed);
  EXPECT_FALSE(scan.is_error);
  EXPECT_FALSE(scan.empty);
  EXPECT_TRUE(scan.finished);
  EXPECT_EQ(scan.id, "chatcmpl-1");
  EXPECT_TRUE(scan.usage.reported);
  EXPECT_EQ(scan.usage.prompt, 10U);
  EXPECT_EQ(scan.usage.output, 7U);
  EXPECT_EQ(scan.usage.cached, 4U);
  EXPECT_EQ(scan.usage.thought, 3U);
}

TEST(scan_whole, a_response_with_its_usage) {
  const auto scan = scan_whole(
      upstream_kind::openai,
      R"({"id":"resp_1","object":"response","status":"completed","error":null,)"
      R"("output":[{"type":"message"}],"usage":{"input_tokens":5,"output_tokens":6,)"
      R"("input_tokens_details":{"cached_tokens":1},"output_tokens_details":{"reasoning_tokens":2}}})");
  EXPECT_FALSE(scan.is_error);
  EXPECT_FALSE(scan.empty);
  EXPECT_EQ(scan.id, "resp_1");
  EXPECT_EQ(scan.usage.prompt, 5U);
  EXPECT_EQ(scan.usage.output, 6U);
  EXPECT_EQ(scan.usage.cached, 1U);
  EXPECT_EQ(scan.usage.thought, 2U);
}

TEST(scan_whole, anthropics_prompt_is_the_sum_of_what_was_read_written_and_new) {
  const auto scan = scan_whole(
      upstream_kind::anthropic,
      R"({"id":"msg_1","type":"message","content":[{"type":"text"}],"stop_reason":"end_turn",)"
      R"("usage":{"input_tokens":3,"cache_read_input_tokens":100,"cache_creation_input_tokens":20,"output_tokens":9}})");
  EXPECT_EQ(scan.usage.prompt, 123U);
  EXPECT_EQ(scan.usage.cached, 100U);
  EXPECT_EQ(scan.usage.output, 9U);
  EXPECT_EQ(scan.id, "msg_1");
}

TEST(scan_whole, an_error_says_what_it_stands_for) {
  const auto by_number =
      scan_whole(upstream_kind::openai, R"({"error":{"code":503,"message":"m"}})");
  EXPECT_TRUE(by_number.is_error);
  EXPECT_EQ(by_number.error_status, 503);
  const auto by_type = scan_whole(upstream_kind::anthropic,
                                  R"({"type":"error","error":{"type":"overloaded_error"}})");
  EXPECT_TRUE(by_type.is_error);
  EXPECT_EQ(by_type.error_status, 529);
  EXPECT_EQ(scan_whole(upstream_kind::openai, R"({"error":"x"})").error_status, 500);
  EXPECT_FALSE(scan_whole(upstream_kind::openai, R"({"error":null,"choices":[1]})").is_error);
}

TEST(scan_whole, an_answer_without_content_or_reason_is_empty) {
  for (const auto* body : {"{}", R"({"choices":[]})", R"({"object":"response","output":[]})",
                           R"({"status":"completed","output":[]})", R"({"choices":null})"})
    EXPECT_TRUE(scan_whole(upstream_kind::openai, body).empty) << body;
  EXPECT_TRUE(scan_whole(upstream_kind::anthropic, R"({"type":"message","content":[]})").empty);
  for (const auto* body :
       {R"({"choices":[{"message":{"content":""}}]})", R"({"data":[{}]})",
        R"({"status":"incomplete","output":[]})", R"({"status":"queued","output":[]})"})
    EXPECT_FALSE(scan_whole(upstream_kind::openai, body).empty) << body;
  EXPECT_FALSE(
      scan_whole(upstream_kind::anthropic, R"({"content":[],"stop_reason":"end_turn"})").empty);
}

TEST(scan_whole, counts_of_a_wrong_kind_are_as_if_absent) {
  const auto scan = scan_whole(
      upstream_kind::openai,
      R"({"usage":{"prompt_tokens":"10","completion_tokens":-1,"prompt_tokens_details":7}})");
  EXPECT_FALSE(scan.usage.reported);
  EXPECT_EQ(scan.usage.prompt, 0U);
}

TEST(scan_whole, what_is_no_object_is_not_well_formed) {
  for (const std::string body : {"", "[]", "<html>", "{", "7", "\xff"})
    EXPECT_FALSE(scan_whole(upstream_kind::openai, body).well_formed) << body;
}

} // namespace
} // namespace troupe::upstream
