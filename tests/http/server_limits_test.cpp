#include "tests/http/server_stage.hpp"

#include <gtest/gtest.h>

namespace troupe::http {
namespace {

using namespace std::chrono_literals;

server_options small() {
  server_options o;
  o.header_bytes_max = 1024;
  o.body_bytes_max = 1000;
  return o;
}

server_options hasty() {
  server_options o;
  o.header_timeout = o.body_timeout = o.idle_timeout = 100ms;
  return o;
}

void expect_refused(raw_client& c, int status) {
  const auto a = c.read_answer();
  EXPECT_EQ(a.status, status);
  EXPECT_EQ(a.field("connection"), "close");
  EXPECT_TRUE(c.at_end());
}

TEST(server_limits, a_head_of_exactly_the_limit_is_taken) {
  stage s{small()};
  raw_client c{s.web->port()};
  const auto empty = get("/echo", "x: \r\n");
  const auto full = get("/echo", "x: " + std::string(1024 - empty.size(), 'a') + "\r\n");
  ASSERT_EQ(full.size(), 1024U);
  c.send(full);
  EXPECT_EQ(c.read_answer().status, 200);
}

TEST(server_limits, a_larger_head_is_refused_whole_or_endless) {
  stage s{small()};
  raw_client whole{s.web->port()};
  whole.send(get("/echo", "x: " + std::string(1024, 'a') + "\r\n"));
  expect_refused(whole, 431);
  raw_client endless{s.web->port()};
  endless.send("GET /echo HTTP/1.1\r\nx: " + std::string(5'000, 'a'));
  const auto a = endless.read_answer();
  EXPECT_EQ(a.status, 431);
  EXPECT_EQ(a.body, "refused: header fields too large; target: /echo");
}

TEST(server_limits, the_default_limit_takes_a_head_of_many_buffers) {
  stage s;
  raw_client c{s.web->port()};
  std::string fields;
  for (int i = 0; i < 600; ++i)
    fields += "x-" + std::to_string(i) + ": " + std::string(80, 'v') + "\r\n";
  c.send(get("/echo", fields));
  EXPECT_EQ(c.read_answer().status, 200);
}

TEST(server_limits, bodies_up_to_the_limit_are_taken_in_either_framing) {
  stage s{small()};
  const std::string body(1000, 'b');
  raw_client c{s.web->port()};
  c.send(post("/echo", body));
  EXPECT_EQ(c.read_answer().status, 200);
  c.send("POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1f4\r\n"
         + body.substr(500) + "\r\n1f4\r\n" + body.substr(500) + "\r\n0\r\n\r\n");
  EXPECT_EQ(c.read_answer().body.size(), body.size() + 12);
}

TEST(server_limits, a_larger_body_is_refused_by_its_length_unread) {
  stage s{small()};
  raw_client c{s.web->port()};
  c.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1001\r\n\r\n");
  expect_refused(c, 413);
}

TEST(server_limits, a_stranger_s_large_body_is_refused_unread) {
  stage s;
  raw_client sized{s.web->port()};
  sized.send("POST /echo HTTP/1.1\r\nhost: x\r\nx-stranger: 1\r\ncontent-length: 1000000\r\n\r\n");
  expect_refused(sized, 401);
  raw_client chunked{s.web->port()};
  chunked.send("POST /echo HTTP/1.1\r\nhost: x\r\nx-stranger: 1\r\n"
               "transfer-encoding: chunked\r\n\r\n");
  expect_refused(chunked, 401);
  raw_client small_one{s.web->port()};
  small_one.send("POST /echo HTTP/1.1\r\nhost: x\r\nx-stranger: 1\r\ncontent-length: 2\r\n\r\nok");
  EXPECT_EQ(small_one.read_answer().status, 200); // the handler's own check comes later
}

TEST(server_limits, a_larger_chunked_body_is_refused_when_it_becomes_too_large) {
  stage s{small()};
  raw_client c{s.web->port()};
  c.send("POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1f4\r\n"
         + std::string(500, 'b') + "\r\n1f5\r\n");
  expect_refused(c, 413);
}

TEST(server_limits, a_client_that_sends_on_can_still_read_why_it_was_refused) {
  stage s{small()};
  raw_client c{s.web->port()};
  c.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 3000000\r\n\r\n");
  c.send(std::string(3'000'000, 'b'));
  c.half_close();
  expect_refused(c, 413);
}

TEST(server_limits, endless_chunk_extensions_and_trailers_are_refused) {
  for (const auto* start : {"1;", "0\r\nx: "}) {
    stage s{small()};
    raw_client c{s.web->port()};
    c.send(std::string{"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"}
           + start + std::string(40'000, 'e'));
    expect_refused(c, 431);
  }
}

TEST(server_limits, a_head_that_trickles_in_is_ended_by_the_header_timeout) {
  stage s{hasty()};
  raw_client c{s.web->port()};
  c.send("GET /echo HTTP/1.1\r\nhost");
  expect_refused(c, 408);
}

TEST(server_limits, a_body_that_stalls_is_ended_by_the_body_timeout) {
  stage s{hasty()};
  raw_client sized{s.web->port()};
  sized.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc");
  expect_refused(sized, 408);
  raw_client chunked{s.web->port()};
  chunked.send("POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab");
  expect_refused(chunked, 408);
}

TEST(server_limits, an_idle_connection_closes_without_a_word) {
  stage s{hasty()};
  raw_client fresh{s.web->port()};
  EXPECT_EQ(fresh.read_to_end(), "");
  raw_client used{s.web->port()};
  used.send(get("/echo"));
  EXPECT_EQ(used.read_answer().status, 200);
  EXPECT_EQ(used.read_to_end(), "");
}

TEST(server_limits, a_handler_may_take_longer_than_any_read_timeout) {
  stage s{hasty()};
  s.on(
      "/long",
      +[](exchange& x, stage& st) -> task<void> {
        co_await st.loop->sleep(400ms);
        const response_head head{200, "text/plain"};
        co_await x.respond(head, "done");
      },
      s);
  raw_client c{s.web->port()};
  c.send(get("/long"));
  EXPECT_EQ(c.read_answer().body, "done");
}

TEST(server_limits, connections_over_the_limit_are_told_and_closed) {
  server_options o;
  o.connections_max = 2;
  stage s{o};
  raw_client a{s.web->port()};
  raw_client b{s.web->port()};
  for (auto* c : {&a, &b}) {
    c->send(get("/echo"));
    EXPECT_EQ(c->read_answer().status, 200);
  }
  raw_client third{s.web->port()};
  third.send(get("/echo"));
  expect_refused(third, 503);
  EXPECT_EQ(s.web->counters().connections_refused, 1U);
  EXPECT_EQ(s.web->counters().connections_accepted, 2U);
  a.send(get("/echo"));
  EXPECT_EQ(a.read_answer().status, 200);
}

TEST(server_limits, far_over_the_limit_connections_are_closed_at_once) {
  server_options o;
  o.connections_max = 1;
  stage s{o};
  std::vector<std::unique_ptr<raw_client>> crowd;
  for (int i = 0; i < 1 + 64; ++i)
    crowd.push_back(std::make_unique<raw_client>(s.web->port()));
  raw_client last{s.web->port()};
  EXPECT_EQ(last.read_to_end(), "");
  EXPECT_EQ(s.web->counters().connections_refused, 65U);
}

TEST(server_limits, pipelined_input_is_bounded_while_a_handler_runs) {
  gate held;
  stage s;
  s.on(
      "/hold",
      +[](exchange& x, gate& g) -> task<void> {
        co_await g;
        const response_head head{200, "text/plain"};
        co_await x.respond(head, "held");
      },
      held);
  raw_client c{s.web->port()};
  c.send(get("/hold"));
  ASSERT_TRUE(held.reached.wait());
  std::string many;
  for (int i = 0; i < 400; ++i) // 32 KB, far more than the buffer of a connection
    many += post("/echo", std::to_string(i));
  c.send(many);
  held.open(*s.loop);
  EXPECT_EQ(c.read_answer().body, "held");
  for (int i = 0; i < 400; ++i)
    ASSERT_EQ(c.read_answer().body, "POST /echo  " + std::to_string(i));
}

} // namespace
} // namespace troupe::http
