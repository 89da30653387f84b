#include "protocol/upstream/forward_stream.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::upstream {
namespace {

constexpr std::size_t bound = 4'096;

/// How a stream went that was fed in pieces of `step` bytes.
struct passing {
  std::string out;
  std::optional<forward_fault> fault;
  std::optional<client_error> at_end;
  std::string last_words;
  token_usage usage;
  std::string id;
};

passing pass(forward_form form, std::string_view text, std::size_t step = std::string::npos,
             std::size_t event_bytes_max = bound) {
  forward_stream stream{form, event_bytes_max};
  passing got;
  for (std::size_t at = 0; at < text.size() && !got.fault;) {
    const std::string piece{text.substr(at, step)};
    got.fault = stream.feed(piece, got.out);
    at += piece.size();
  }
  if (!got.fault)
    got.at_end = stream.end(got.out);
  if (got.fault || got.at_end) {
    const auto* own = got.fault ? std::get_if<client_error>(&*got.fault) : &*got.at_end;
    got.last_words = stream.broken(own ? *own : make_client_error(fault::overloaded, "busy"), "r1");
  }
  got.usage = stream.usage();
  got.id = stream.response_id();
  return got;
}

bool is_whole(const passing& p) {
  return !p.fault && !p.at_end;
}

const std::string chat_head =
    R"(data: {"id":"c1","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]})"
    "\n\n";
const std::string chat_finish =
    R"(data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})"
    "\n\n";
const std::string chat_usage =
    R"(data: {"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}})"
    "\n\n";
const std::string done = "data: [DONE]\n\n";

const std::string responses =
    "event: response.created\n"
    R"(data: {"type":"response.created","response":{"id":"resp_1","status":"in_progress","usage":null,"error":null},"sequence_number":0})"
    "\n\n"
    "event: response.output_text.delta\n"
    R"(data: {"type":"response.output_text.delta","delta":"Hi","sequence_number":1})"
    "\n\n";
const std::string responses_end =
    "event: response.completed\n"
    R"(data: {"type":"response.completed","response":{"id":"resp_1","error":null,"usage":{"input_tokens":5,"output_tokens":6}},"sequence_number":2})"
    "\n\n";

const std::string messages =
    "event: message_start\n"
    R"(data: {"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":3,"cache_read_input_tokens":4,"output_tokens":1}}})"
    "\n\n"
    "event: ping\n"
    R"(data: {"type":"ping"})"
    "\n\n"
    "event: content_block_delta\n"
    R"(data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}})"
    "\n\n"
    "event: message_delta\n"
    R"(data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}})"
    "\n\n";
const std::string messages_end = "event: message_stop\n"
                                 R"(data: {"type":"message_stop"})"
                                 "\n\n";

TEST(forward_form, is_told_by_the_path) {
  EXPECT_EQ(form_of("/v1/chat/completions"), forward_form::chat);
  EXPECT_EQ(form_of("/v1/completions"), forward_form::chat);
  EXPECT_EQ(form_of("/v1/responses?x=/messages"), forward_form::responses);
  EXPECT_EQ(form_of("/v1/messages?beta=true"), forward_form::messages);
  EXPECT_EQ(form_of("/v1/embeddings"), forward_form::other);
}

TEST(forward_stream, passes_whole_streams_on_as_they_are) {
  for (const auto& text :
       {chat_head + chat_finish + done, chat_head + chat_finish + chat_usage + done}) {
    const auto p = pass(forward_form::chat, text);
    EXPECT_TRUE(is_whole(p));
    EXPECT_EQ(p.out, text);
  }
  EXPECT_EQ(pass(forward_form::responses, responses + responses_end).out,
            responses + responses_end);
  EXPECT_EQ(pass(forward_form::messages, messages + messages_end).out, messages + messages_end);
}

TEST(forward_stream, is_the_same_wherever_it_is_cut_into_pieces) {
  const std::pair<forward_form, std::string> streams[] = {
      {forward_form::chat, chat_head + chat_finish + chat_usage + done},
      {forward_form::responses, responses + responses_end},
      {forward_form::messages, messages + messages_end}};
  for (const auto& [form, text] : streams)
    for (std::size_t step = 1; step < 80; ++step) {
      const auto p = pass(form, text, step);
      EXPECT_TRUE(is_whole(p)) << step;
      EXPECT_EQ(p.out, text) << step;
    }
}

TEST(forward_stream, cut_at_any_byte_it_never_ends_as_if_it_were_whole) {
  const auto ends_before = [](forward_form form, const std::string& text, std::size_t whole_from) {
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
      const auto p = pass(form, text.substr(0, cut));
      EXPECT_FALSE(p.fault) << cut;
      if (cut < whole_from) {
        ASSERT_TRUE(p.at_end) << cut;
        EXPECT_EQ(p.at_end->what, fault::stream_truncated) << cut;
        EXPECT_TRUE(text.starts_with(p.out)) << cut;
        EXPECT_NE(p.last_words, "") << cut;
      } else {
        EXPECT_TRUE(is_whole(p)) << cut;
      }
    }
  };
  ends_before(forward_form::chat, chat_head + chat_finish + chat_usage + done,
              chat_head.size() + chat_finish.size());
  ends_before(forward_form::responses, responses + responses_end,
              responses.size() + responses_end.size());
  ends_before(forward_form::messages, messages + messages_end,
              messages.size() + messages_end.size());
}

TEST(forward_stream, a_chat_needs_a_finish_reason_or_done) {
  EXPECT_TRUE(is_whole(pass(forward_form::chat, chat_head + done)));
  const auto without_done = pass(forward_form::chat, chat_head + chat_finish);
  EXPECT_TRUE(is_whole(without_done));
  EXPECT_EQ(without_done.out, chat_head + chat_finish + done);
  EXPECT_FALSE(is_whole(pass(forward_form::chat, chat_head)));
}

TEST(forward_stream, nothing_but_done_is_no_answer_and_nothing_of_it_is_visible) {
  const auto p = pass(forward_form::chat, done);
  ASSERT_TRUE(p.at_end);
  EXPECT_EQ(p.at_end->what, fault::empty_response);
  EXPECT_EQ(p.out, "");
}

TEST(forward_stream, every_end_of_a_response_is_one) {
  for (const auto* type : {"response.completed", "response.incomplete", "response.failed"})
    EXPECT_TRUE(is_whole(
        pass(forward_form::responses, responses + R"(data: {"type":")" + type + "\"}\n\n")))
        << type;
  EXPECT_FALSE(
      is_whole(pass(forward_form::responses, responses + "data: {\"type\":\"response.x\"}\n\n")));
}

TEST(forward_stream, done_is_not_an_end_where_the_protocol_has_its_own) {
  for (const auto& [form, text] : {std::pair{forward_form::responses, responses},
                                   std::pair{forward_form::messages, messages}}) {
    const auto p = pass(form, text + done);
    EXPECT_FALSE(is_whole(p));
    EXPECT_EQ(p.out, text);
  }
}

TEST(forward_stream, reads_usage_and_id_from_the_events) {
  const auto chat = pass(forward_form::chat, chat_head + chat_finish + chat_usage + done);
  EXPECT_EQ(chat.usage.prompt, 3U);
  EXPECT_EQ(chat.usage.output, 2U);
  EXPECT_EQ(chat.id, "c1");
  const auto response = pass(forward_form::responses, responses + responses_end);
  EXPECT_EQ(response.usage.prompt, 5U);
  EXPECT_EQ(response.usage.output, 6U);
  EXPECT_EQ(response.id, "resp_1");
  const auto message = pass(forward_form::messages, messages + messages_end);
  EXPECT_EQ(message.usage.prompt, 7U);
  EXPECT_EQ(message.usage.cached, 4U);
  EXPECT_EQ(message.usage.output, 9U);
  EXPECT_EQ(message.id, "msg_1");
}

TEST(forward_stream, an_error_at_the_beginning_leaves_nothing_visible) {
  const auto p =
      pass(forward_form::chat, "data: {\"error\":{\"code\":429,\"message\":\"slow\"}}\n\n" + done);
  ASSERT_TRUE(p.fault);
  const auto* error = std::get_if<forward_error>(&*p.fault);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->status, 429);
  EXPECT_EQ(error->body, R"({"error":{"code":429,"message":"slow"}})");
  EXPECT_EQ(p.out, "");
}

TEST(forward_stream, an_error_in_the_middle_is_told_in_the_upstreams_own_event) {
  const std::string overloaded =
      "event: error\n"
      R"(data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})"
      "\n\n";
  const auto message = pass(forward_form::messages, messages + overloaded);
  ASSERT_TRUE(message.fault);
  EXPECT_EQ(std::get<forward_error>(*message.fault).status, 529);
  EXPECT_EQ(message.out, messages);
  EXPECT_EQ(message.last_words, overloaded);

  const std::string failed =
      "event: response.failed\n"
      R"(data: {"type":"response.failed","response":{"id":"resp_1","error":{"code":"server_error","message":"m"}}})"
      "\n\n";
  const auto response = pass(forward_form::responses, responses + failed);
  ASSERT_TRUE(response.fault);
  EXPECT_EQ(std::get<forward_error>(*response.fault).status, 500);
  EXPECT_EQ(response.last_words, failed);
}

TEST(forward_stream, a_keys_fault_is_not_told_in_the_upstreams_words) {
  forward_stream stream{forward_form::chat, bound};
  std::string out;
  ASSERT_TRUE(
      stream.feed("data: {\"error\":{\"code\":401,\"message\":\"key sk-1 is bad\"}}\n\n", out));
  const auto words = stream.broken(make_client_error(fault::no_usable_key, ""), "r1");
  EXPECT_EQ(words.find("sk-1"), std::string::npos);
  EXPECT_TRUE(words.starts_with("data: {\"error\":{"));
}

TEST(forward_stream, a_break_is_told_in_each_protocols_way) {
  const auto why = make_client_error(fault::stream_truncated, "It broke.");
  EXPECT_EQ(forward_stream(forward_form::chat, bound).broken(why, "r1"),
            render_stream_error(why, surface::openai, "r1"));
  EXPECT_EQ(forward_stream(forward_form::messages, bound).broken(why, "r1"),
            render_stream_error(why, surface::anthropic, "r1"));
  forward_stream stream{forward_form::responses, bound};
  std::string out;
  EXPECT_FALSE(stream.feed(responses, out));
  EXPECT_EQ(stream.broken(why, "r1"),
            "event: error\n"
            R"(data: {"type":"error","code":"stream_truncated","message":"It broke.",)"
            R"("param":null,"sequence_number":2})"
            "\n\n");
}

TEST(forward_stream, comments_and_other_fields_make_nothing_visible) {
  const auto p =
      pass(forward_form::chat, ": PROCESSING\n\nid: 7\nretry: 10\n\n" + chat_head + done);
  EXPECT_EQ(p.out, chat_head + done);
}

TEST(forward_stream, other_framings_become_one_line_for_each_event) {
  EXPECT_EQ(pass(forward_form::chat, "data:{\"choices\":\r\ndata:[]}\r\n\r\n" + done).out,
            "data: {\"choices\": []}\n\n" + done);
  EXPECT_EQ(pass(forward_form::messages, "data: {\"type\":\"ping\"}\n\n").out,
            "event: ping\ndata: {\"type\":\"ping\"}\n\n");
  EXPECT_EQ(pass(forward_form::messages, "data: {\"type\":\"a\\nb\"}\n\n").out,
            "data: {\"type\":\"a\\nb\"}\n\n");
}

TEST(forward_stream, what_follows_done_is_not_passed_on) {
  const auto p = pass(forward_form::chat, chat_head + done + chat_head);
  EXPECT_EQ(p.out, chat_head + done);
}

TEST(forward_stream, an_event_that_is_no_json_object_ends_it) {
  for (const auto* event : {"data: <html>\n\n", "data: [1]\n\n", "data: {\n\n"}) {
    const auto p = pass(forward_form::chat, chat_head + event);
    ASSERT_TRUE(p.fault) << event;
    EXPECT_EQ(std::get<client_error>(*p.fault).what, fault::upstream_error) << event;
    EXPECT_EQ(p.out, chat_head);
  }
}

TEST(forward_stream, an_event_over_its_bound_ends_it) {
  const auto p = pass(forward_form::chat, chat_head + chat_finish, std::string::npos, 16);
  ASSERT_TRUE(p.fault);
  EXPECT_EQ(std::get<client_error>(*p.fault).what, fault::upstream_error);
}

TEST(forward_stream, of_unknown_events_any_will_do) {
  const auto p =
      pass(forward_form::other, "data: {\"type\":\"transcript.text.delta\",\"delta\":\"a\"}\n\n");
  EXPECT_TRUE(is_whole(p));
  EXPECT_EQ(p.out, "event: transcript.text.delta\n"
                   "data: {\"type\":\"transcript.text.delta\",\"delta\":\"a\"}\n\n");
  EXPECT_FALSE(is_whole(pass(forward_form::other, "")));
}

} // namespace
} // namespace troupe::upstream
