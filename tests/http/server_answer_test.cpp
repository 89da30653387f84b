#include "tests/http/server_stage.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace troupe::http {
namespace {

using namespace std::chrono_literals;

/// What a handler found out, for the test to look at after `ended`.
struct scene {
  gate held;
  signal ended;
  std::vector<bool> results;
  std::string body;
};

task<void> stream_pieces(exchange& x, scene& sc) {
  response_head head{200, "text/event-stream"};
  head.add("x-extra", "a\r\nb");
  sc.results.push_back(co_await x.start(head));
  sc.results.push_back(co_await x.write("one "));
  sc.results.push_back(co_await x.write(""));
  const std::string large(100'000, 'L');
  sc.results.push_back(co_await x.write(large));
  sc.results.push_back(co_await x.write(" end"));
  sc.results.push_back(co_await x.finish());
  sc.ended.raise();
}

TEST(server_answer, streams_in_chunks_and_keeps_the_connection) {
  scene sc;
  stage s;
  s.on("/stream", &stream_pieces, sc);
  raw_client c{s.web->port()};
  c.send(get("/stream") + get("/echo"));
  const auto a = c.read_answer();
  EXPECT_EQ(a.status, 200);
  EXPECT_TRUE(a.whole);
  EXPECT_EQ(a.body, "one " + std::string(100'000, 'L') + " end");
  EXPECT_EQ(a.field("transfer-encoding"), "chunked");
  EXPECT_EQ(a.field("content-length"), "");
  EXPECT_EQ(a.field("content-type"), "text/event-stream");
  EXPECT_EQ(c.read_answer().status, 200);
  ASSERT_TRUE(sc.ended.wait());
  EXPECT_EQ(sc.results, std::vector<bool>(6, true));
}

TEST(server_answer, line_breaks_never_enter_a_field) {
  scene sc;
  stage s;
  s.on("/stream", &stream_pieces, sc);
  raw_client c{s.web->port()};
  c.send(get("/stream"));
  EXPECT_EQ(c.read_answer().field("x-extra"), "ab");
}

TEST(server_answer, a_stream_for_http_1_0_has_no_chunks_and_ends_with_the_connection) {
  scene sc;
  stage s;
  s.on("/stream", &stream_pieces, sc);
  raw_client c{s.web->port()};
  c.send("GET /stream HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
  const auto a = c.read_answer();
  EXPECT_TRUE(a.whole);
  EXPECT_EQ(a.body, "one " + std::string(100'000, 'L') + " end");
  EXPECT_EQ(a.field("transfer-encoding"), "");
  EXPECT_EQ(a.field("connection"), "close");
}

TEST(server_answer, http_1_0_closes_unless_it_asks_to_be_kept) {
  stage s;
  raw_client plain{s.web->port()};
  plain.send("GET /echo HTTP/1.0\r\n\r\n");
  const auto closed = plain.read_answer();
  EXPECT_EQ(closed.body, "GET /echo  ");
  EXPECT_EQ(closed.field("connection"), "close");
  EXPECT_TRUE(plain.at_end());
  raw_client kept{s.web->port()};
  for (int i = 0; i < 2; ++i) {
    kept.send("GET /echo HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n");
    EXPECT_EQ(kept.read_answer().field("connection"), "keep-alive");
  }
}

TEST(server_answer, head_gets_the_head_of_get_and_no_body) {
  scene sc;
  stage s;
  s.on("/stream", &stream_pieces, sc);
  raw_client c{s.web->port()};
  c.send("HEAD /echo HTTP/1.1\r\nhost: a\r\n\r\n");
  const auto simple = c.read_answer(true);
  EXPECT_EQ(simple.field("content-length"), "12"); // of "HEAD /echo  "
  c.send("HEAD /stream HTTP/1.1\r\nhost: a\r\n\r\n");
  const auto streamed = c.read_answer(true);
  EXPECT_EQ(streamed.field("transfer-encoding"), "chunked");
  c.send(get("/echo"));
  EXPECT_EQ(c.read_answer().body, "GET /echo  ");
  ASSERT_TRUE(sc.ended.wait());
  EXPECT_EQ(sc.results, std::vector<bool>(6, true));
}

TEST(server_answer, no_content_has_neither_body_nor_length) {
  stage s;
  s.on("/empty", [](exchange& x) -> task<void> {
    const response_head head{204, ""};
    co_await x.respond(head, "nobody sees this");
  });
  raw_client c{s.web->port()};
  c.send(get("/empty") + get("/echo"));
  const auto a = c.read_answer();
  EXPECT_EQ(a.status, 204);
  EXPECT_EQ(a.field("content-length"), "");
  EXPECT_EQ(c.read_answer().body, "GET /echo  ");
}

TEST(server_answer, closes_when_the_client_asks) {
  stage s;
  raw_client c{s.web->port()};
  c.send(get("/echo", "connection: foo, Close\r\n"));
  const auto a = c.read_answer();
  EXPECT_EQ(a.field("connection"), "close");
  EXPECT_TRUE(c.at_end());
}

task<void> start_then_wait(exchange& x, scene& sc) {
  const response_head head{200, "text/plain"};
  co_await x.start(head);
  co_await sc.held;
  co_await x.write("late");
  co_await x.finish();
}

TEST(server_answer, a_head_does_not_wait_for_a_slow_first_byte) {
  scene sc;
  stage s;
  s.on("/slow", &start_then_wait, sc);
  raw_client c{s.web->port()};
  c.send(get("/slow"));
  EXPECT_EQ(c.read_answer(true).status, 200); // while the handler holds the body back
  ASSERT_TRUE(sc.held.reached.wait());
  sc.held.open(*s.loop);
  EXPECT_EQ(c.read_bytes(9), "4\r\nlate\r\n");
}

task<void> cut_midway(exchange& x) {
  const response_head head{200, "text/plain"};
  co_await x.start(head);
  co_await x.write("half");
  x.cut();
  EXPECT_FALSE(co_await x.write("more"));
  EXPECT_FALSE(co_await x.finish());
}

TEST(server_answer, a_cut_answer_never_looks_whole) {
  stage s;
  s.on("/cut", &cut_midway);
  raw_client modern{s.web->port()};
  modern.send(get("/cut"));
  EXPECT_FALSE(modern.read_answer().whole);
  raw_client old{s.web->port()};
  old.send("GET /cut HTTP/1.0\r\n\r\n");
  bool reset = false;
  old.read_to_end(&reset);
  EXPECT_TRUE(reset);
}

TEST(server_answer, a_handler_that_forgets_to_answer_or_finish_is_cut) {
  stage s;
  s.on("/nothing", [](exchange&) -> task<void> { co_return; });
  s.on("/unfinished", [](exchange& x) -> task<void> {
    const response_head head{200, "text/plain"};
    co_await x.start(head);
    co_await x.write("half");
  });
  raw_client nothing{s.web->port()};
  nothing.send(get("/nothing"));
  EXPECT_TRUE(nothing.at_end());
  raw_client unfinished{s.web->port()};
  unfinished.send(get("/unfinished"));
  const auto a = unfinished.read_answer();
  EXPECT_EQ(a.body, "half");
  EXPECT_FALSE(a.whole);
}

/// Waits until its client has left, as the front does while an upstream thinks.
class departure {
public:
  explicit departure(cancel_source& source) : source_(source) {}

  bool await_ready() const noexcept { return source_.cancelled(); }
  void await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    listener_.join(source_);
  }
  void await_resume() const noexcept {}

private:
  cancel_source& source_;
  std::coroutine_handle<> waiting_;
  cancel_listener listener_{[](void* self) { static_cast<departure*>(self)->waiting_.resume(); },
                            this};
};

task<void> wait_for_departure(exchange& x, scene& sc) {
  sc.held.reached.raise();
  departure left{x.gone()};
  co_await left;
  sc.body = "left";
  sc.ended.raise();
}

TEST(server_answer, a_client_that_leaves_cancels_its_exchange_at_once) {
  scene sc;
  stage s;
  s.on("/wait", &wait_for_departure, sc);
  {
    raw_client c{s.web->port()};
    c.send(get("/wait"));
    ASSERT_TRUE(sc.held.reached.wait());
  }
  ASSERT_TRUE(sc.ended.wait());
  EXPECT_EQ(sc.body, "left");
}

task<void> answer_after_departure(exchange& x, scene& sc) {
  sc.held.reached.raise();
  departure left{x.gone()};
  co_await left;
  const response_head head{200, "text/plain"};
  sc.results.push_back(co_await x.start(head));
  sc.results.push_back(co_await x.write("nobody reads this"));
  sc.results.push_back(co_await x.finish());
  sc.results.push_back(co_await x.respond(head, "nor this"));
  sc.ended.raise();
}

TEST(server_answer, every_call_is_false_and_harmless_once_the_client_is_gone) {
  scene sc;
  stage s;
  s.on("/late", &answer_after_departure, sc);
  raw_client c{s.web->port()};
  c.send(get("/late"));
  ASSERT_TRUE(sc.held.reached.wait());
  c.close_with_reset();
  ASSERT_TRUE(sc.ended.wait());
  EXPECT_EQ(sc.results, std::vector<bool>(4, false));
}

TEST(server_answer, a_client_that_left_together_with_its_request_is_noticed) {
  scene sc;
  stage s;
  s.on("/wait", &wait_for_departure, sc);
  // The loop is busy while request and end arrive, so that it sees both at once.
  std::promise<void> busy;
  std::promise<void> sent;
  s.loop->post([&] {
    busy.set_value();
    sent.get_future().get();
  });
  busy.get_future().get();
  {
    raw_client c{s.web->port()};
    c.send(get("/wait"));
  }
  sent.set_value();
  EXPECT_TRUE(sc.ended.wait());
}

TEST(server_answer, a_client_that_leaves_behind_pipelined_requests_is_noticed) {
  scene sc;
  stage s;
  s.on("/wait", &wait_for_departure, sc);
  {
    raw_client c{s.web->port()};
    c.send(get("/wait") + get("/echo"));
    ASSERT_TRUE(sc.held.reached.wait());
    c.send(get("/echo"));
  }
  ASSERT_TRUE(sc.ended.wait());
}

struct flood {
  scene sc;
  std::size_t written = 0;
  std::size_t bytes;

  explicit flood(std::size_t b) : bytes(b) {}
};

task<void> write_much(exchange& x, flood& f) {
  const std::string piece(64 * 1024, 'x');
  const response_head head{200, "text/plain"};
  co_await x.start(head);
  while (f.written < f.bytes) {
    if (!co_await x.write(piece))
      break;
    f.written += piece.size();
    if (f.written == 16 * piece.size())
      f.sc.held.reached.raise();
  }
  f.sc.results.push_back(co_await x.finish());
  f.sc.ended.raise();
}

TEST(server_answer, writing_waits_for_a_slow_reader_and_loses_nothing) {
  flood f{32 * 1024 * 1024};
  stage s;
  s.on("/flood", &write_much, f);
  raw_client c{s.web->port(), 4096};
  c.send(get("/flood"));
  // It has been made to wait at least once: the kernel holds far less than 32 MiB.
  const auto a = c.read_answer();
  EXPECT_TRUE(a.whole);
  EXPECT_EQ(a.body.size(), 32U * 1024 * 1024);
  EXPECT_EQ(a.body.find_first_not_of('x'), std::string::npos);
  ASSERT_TRUE(f.sc.ended.wait());
  EXPECT_EQ(f.sc.results, std::vector{true});
}

TEST(server_answer, a_reader_that_takes_nothing_is_cut_after_the_write_timeout) {
  server_options o;
  o.write_timeout = 200ms;
  flood f{1024 * 1024 * 1024};
  stage s{o};
  s.on("/flood", &write_much, f);
  raw_client c{s.web->port(), 4096};
  c.send(get("/flood"));
  ASSERT_TRUE(f.sc.ended.wait());
  EXPECT_EQ(f.sc.results, std::vector{false});
  EXPECT_LT(f.written, 64U * 1024 * 1024); // what a write takes is bounded by the kernel
  bool reset = false;
  c.read_to_end(&reset);
  EXPECT_TRUE(reset);
}

TEST(server_answer, a_large_answer_leaves_whole) {
  std::string body(20'000'000, 'b');
  stage s;
  s.on(
      "/large",
      +[](exchange& x, std::string& bytes) -> task<void> {
        const response_head head{200, "text/plain"};
        co_await x.respond(head, bytes);
      },
      body);
  raw_client c{s.web->port(), 4096};
  c.send(get("/large") + get("/echo"));
  EXPECT_EQ(c.read_answer().body, body);
  EXPECT_EQ(c.read_answer().status, 200);
}

} // namespace
} // namespace troupe::http
