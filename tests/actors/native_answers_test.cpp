#include "actors/front/native_answers.hpp"

#include <gtest/gtest.h>

namespace troupe {

namespace {

constexpr std::size_t bound = 1024 * 1024;

constexpr std::string_view first =
    R"({"candidates":[{"content":{"parts":[{"text":"He"}]}}],"usageMetadata":{"promptTokenCount":3}})";
constexpr std::string_view last =
    R"({"candidates":[{"content":{"parts":[{"text":"y"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5}})";

std::string frame(std::string_view event) {
  return "data: " + std::string{event} + "\r\n\r\n";
}

} // namespace

TEST(native_whole, the_body_passes_byte_for_byte) {
  native_whole answer{true};
  const std::string body = "{ \"candidates\" : [ {\"x\":1} ], \"new\":\t[] }\n";
  const auto got = answer.translate(body);
  ASSERT_TRUE(std::holds_alternative<std::string>(got));
  EXPECT_EQ(std::get<std::string>(got), body);
}

TEST(native_whole, an_error_in_a_200_is_an_error) {
  native_whole answer{true};
  const auto got =
      answer.translate(R"({"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}})");
  ASSERT_TRUE(std::holds_alternative<inner_error>(got));
  EXPECT_EQ(std::get<inner_error>(got).status, 503);
}

TEST(native_whole, neither_candidates_nor_a_block_is_no_answer) {
  native_whole answer{true};
  const auto got = answer.translate("{}");
  ASSERT_TRUE(std::holds_alternative<client_error>(got));
  EXPECT_EQ(std::get<client_error>(got).what, fault::empty_response);
}

TEST(native_whole, a_blocked_prompt_is_an_answer) {
  native_whole answer{true};
  EXPECT_TRUE(std::holds_alternative<std::string>(
      answer.translate(R"({"promptFeedback":{"blockReason":"SAFETY"}})")));
}

TEST(native_whole, other_methods_need_no_candidates) {
  native_whole answer{false};
  EXPECT_TRUE(std::holds_alternative<std::string>(answer.translate(R"({"totalTokens":3})")));
}

TEST(native_whole, html_is_an_upstream_error) {
  native_whole answer{false};
  const auto got = answer.translate("<html>");
  ASSERT_TRUE(std::holds_alternative<client_error>(got));
  EXPECT_EQ(std::get<client_error>(got).what, fault::upstream_error);
}

TEST(native_sse, every_event_is_one_data_line_whatever_came) {
  native_sse answer{bound};
  std::string out;
  EXPECT_FALSE(answer.feed(": hi\nid: 7\ndata: {\"candidates\":\ndata: [{}]}\n\n", out));
  EXPECT_EQ(out, "data: {\"candidates\": [{}]}\r\n\r\n");
}

TEST(native_sse, a_stream_with_a_finish_reason_ends_cleanly) {
  native_sse answer{bound};
  std::string out;
  EXPECT_FALSE(answer.feed(frame(first) + frame(last), out));
  EXPECT_EQ(out, frame(first) + frame(last));
  EXPECT_FALSE(answer.end(out));
  EXPECT_EQ(answer.usage().output, 2u);
}

TEST(native_sse, an_end_without_a_finish_reason_is_told) {
  native_sse answer{bound};
  std::string out;
  EXPECT_FALSE(answer.feed(frame(first), out));
  const auto error = answer.end(out);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->what, fault::stream_truncated);
}

TEST(native_sse, what_came_before_an_error_in_the_same_read_is_kept) {
  native_sse answer{bound};
  std::string out;
  const auto error =
      answer.feed(frame(first) + frame(R"({"error":{"code":429,"message":"Q"}})"), out);
  ASSERT_TRUE(error);
  EXPECT_EQ(std::get<inner_error>(*error).status, 429);
  EXPECT_EQ(out, frame(first));
}

TEST(native_sse, an_event_over_the_bound_ends_the_stream) {
  native_sse answer{64};
  std::string out;
  EXPECT_TRUE(answer.feed("data: " + std::string(200, ' '), out));
  EXPECT_EQ(out, "");
}

TEST(native_array, elements_pass_in_the_shape_that_clients_know) {
  native_array answer{bound};
  std::string out;
  const auto whole = "[" + std::string{first} + "\n,\r\n" + std::string{last} + "\n]\n";
  for (const char c : whole)
    EXPECT_FALSE(answer.feed({&c, 1}, out));
  EXPECT_FALSE(answer.end(out));
  EXPECT_EQ(out, whole);
}

TEST(native_array, a_cut_array_is_told_and_stays_open) {
  native_array answer{bound};
  std::string out;
  EXPECT_FALSE(answer.feed("[" + std::string{first} + "\n,", out));
  const auto error = answer.end(out);
  ASSERT_TRUE(error);
  out += answer.broken(*error, "req_1");
  EXPECT_EQ(out.rfind("[" + std::string{first} + "\n,\r\n{\"error\":", 0), 0u);
  EXPECT_NE(out.back(), ']');
}

TEST(native_array, an_error_as_first_element_leaves_nothing_visible) {
  native_array answer{bound};
  std::string out;
  const auto error =
      answer.feed(R"([{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}])", out);
  ASSERT_TRUE(error);
  EXPECT_EQ(out, "");
}

} // namespace troupe
