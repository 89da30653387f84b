#include "actors/front/forward_answers.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

constexpr std::size_t bound = 4'096;

TEST(forward_whole, passes_a_body_byte_for_byte_and_keeps_what_it_tells) {
  const std::string body =
      "{ \"id\":\"resp_1\", \"output\":[{\"x\":1.0}],\n\"usage\":{\"input_tokens\":3,"
      "\"output_tokens\":4},\"unknown\":{} }";
  forward_whole answer{upstream_kind::openai, true};
  const auto passed = answer.translate(body);
  ASSERT_NE(std::get_if<std::string>(&passed), nullptr);
  EXPECT_EQ(std::get<std::string>(passed), body);
  EXPECT_EQ(answer.usage().prompt, 3U);
  EXPECT_EQ(answer.usage().output, 4U);
  EXPECT_EQ(answer.response_id(), "resp_1");
}

TEST(forward_whole, an_error_under_a_good_status_goes_to_be_judged) {
  forward_whole answer{upstream_kind::anthropic, true};
  const std::string body = R"({"type":"error","error":{"type":"overloaded_error"}})";
  const auto passed = answer.translate(body);
  ASSERT_NE(std::get_if<inner_error>(&passed), nullptr);
  EXPECT_EQ(std::get<inner_error>(passed).status, 529);
  EXPECT_EQ(std::get<inner_error>(passed).body, body);
  EXPECT_EQ(answer.response_id(), "");
}

TEST(forward_whole, what_is_no_answer_may_be_asked_of_another_key) {
  const auto fault_of = [](std::string body) {
    const auto passed = forward_whole{upstream_kind::openai, true}.translate(std::move(body));
    const auto* error = std::get_if<client_error>(&passed);
    return error ? error->what : fault::internal;
  };
  EXPECT_EQ(fault_of("<html>"), fault::upstream_error);
  EXPECT_EQ(fault_of(R"({"choices":[]})"), fault::empty_response);
}

TEST(forward_whole, an_answer_that_holds_no_content_by_its_nature_is_passed) {
  const std::string body = R"({"input_tokens":12})";
  const auto passed = forward_whole{upstream_kind::anthropic, false}.translate(body);
  EXPECT_EQ(std::get<std::string>(passed), body);
}

TEST(forward_events, passes_a_stream_and_ends_it) {
  forward_events answer{upstream::forward_form::messages, bound};
  const std::string text =
      "event: message_start\n"
      R"(data: {"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":3,"output_tokens":1}}})"
      "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
  std::string out;
  EXPECT_FALSE(answer.feed(text, out));
  EXPECT_FALSE(answer.end(out));
  EXPECT_EQ(out, text);
  EXPECT_EQ(answer.usage().prompt, 3U);
  EXPECT_EQ(answer.response_id(), "msg_1");
  EXPECT_EQ(answer.content_type(), "text/event-stream; charset=utf-8");
}

TEST(forward_events, a_cut_stream_is_told_not_ended) {
  forward_events answer{upstream::forward_form::chat, bound};
  std::string out;
  EXPECT_FALSE(answer.feed("data: {\"choices\":[{\"finish_reason\":null}]}\n\n", out));
  const auto missing = answer.end(out);
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->what, fault::stream_truncated);
  EXPECT_TRUE(answer.broken(*missing, "r1").starts_with("data: {\"error\":"));
}

TEST(forward_events, an_error_event_goes_to_be_judged_and_is_not_visible) {
  forward_events answer{upstream::forward_form::chat, bound};
  std::string out;
  const auto failed = answer.feed("data: {\"error\":{\"code\":503,\"message\":\"m\"}}\n\n", out);
  ASSERT_TRUE(failed);
  EXPECT_EQ(std::get<inner_error>(*failed).status, 503);
  EXPECT_EQ(out, "");
}

TEST(forward_events, bytes_that_are_no_event_are_the_upstreams_fault) {
  forward_events answer{upstream::forward_form::chat, bound};
  std::string out;
  const auto failed = answer.feed("data: <html>\n\n", out);
  ASSERT_TRUE(failed);
  EXPECT_EQ(std::get<client_error>(*failed).what, fault::upstream_error);
}

} // namespace
} // namespace troupe
