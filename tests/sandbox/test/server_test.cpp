#include "client.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace sandbox::test {
namespace {

TEST(server, answers_several_requests_on_one_connection) {
  host h;
  client c{h.port()};
  for (int i = 0; i < 3; ++i) {
    c.send(request_text("POST", generate, hello, "k1"));
    EXPECT_EQ(c.read_response().status, 200);
  }
  EXPECT_EQ(h.inside().counts({}, false)["connections"]["opened"], 1);
}

TEST(server, answers_pipelined_requests_in_order) {
  host h;
  h.script(R"({"key":"slow","rules":[{"delay_ms":20,"text":"first"}]})");
  client c{h.port()};
  c.send(request_text("POST", generate, hello, "slow")
         + request_text("GET", "/v1beta/models/gemini-2.5-pro", {}, "k1"));
  EXPECT_NE(c.read_response().body.find("first"), std::string::npos);
  EXPECT_NE(c.read_response().body.find("models/gemini-2.5-pro"), std::string::npos);
}

TEST(server, takes_a_request_in_any_pieces) {
  host h;
  client c{h.port()};
  for (const char byte : request_text("POST", generate, hello, "k1"))
    c.send({&byte, 1});
  EXPECT_EQ(c.read_response().status, 200);
}

TEST(server, reads_chunked_bodies) {
  host h;
  client c{h.port()};
  const std::string body{hello};
  c.send("POST " + std::string{generate}
         + " HTTP/1.1\r\nHost: s\r\nx-goog-api-key: k\r\nTransfer-Encoding: chunked\r\n\r\n"
           "A;why=not\r\n"
         + body.substr(0, 10) + "\r\n");
  char size[16];
  std::snprintf(size, sizeof size, "%zx", body.size() - 10);
  c.send(std::string{size} + "\r\n" + body.substr(10) + "\r\n0\r\nTrailer: x\r\n\r\n");
  EXPECT_EQ(c.read_response().status, 200);
  c.send(request_text("GET", "/v1beta/models", {}, "k"));
  EXPECT_EQ(c.read_response().status, 200);
}

TEST(server, tells_a_waiting_client_to_continue) {
  host h;
  client c{h.port()};
  const auto whole = request_text("POST", generate, hello, "k1", "Expect: 100-continue\r\n");
  const auto head = whole.substr(0, whole.find("\r\n\r\n") + 4);
  c.send(head);
  c.read_until(25);
  EXPECT_EQ(c.input, "HTTP/1.1 100 Continue\r\n\r\n");
  c.input.clear();
  c.send(whole.substr(head.size()));
  EXPECT_EQ(c.read_response().status, 200);
}

TEST(server, closes_when_asked_to) {
  host h;
  client c{h.port()};
  c.send(request_text("POST", generate, hello, "k1", "Connection: close\r\n"));
  auto r = c.read_response();
  EXPECT_EQ(r.headers["connection"], "close");
  c.read_to_end();
  EXPECT_TRUE(c.ended);
}

TEST(server, streams_to_http_1_0_until_the_end_of_the_connection) {
  host h;
  client c{h.port()};
  auto text = request_text("POST", stream, hello, "k1");
  text.replace(text.find("HTTP/1.1"), 8, "HTTP/1.0");
  c.send(text);
  const auto r = c.read_response();
  EXPECT_FALSE(r.headers.contains("transfer-encoding"));
  EXPECT_TRUE(r.complete);
  EXPECT_NE(text_of(events_of(r.body)).find("troupe sandbox"), std::string::npos);
}

TEST(server, answers_head_without_a_body) {
  host h;
  client c{h.port()};
  c.send(request_text("HEAD", "/v1beta/models/gemini-2.5-pro", {}, "k1"));
  EXPECT_EQ(c.read_response(true).status, 200);
  c.send(request_text("GET", "/v1beta/models/gemini-2.5-pro", {}, "k1"));
  EXPECT_EQ(c.read_response().status, 200);
}

TEST(server, refuses_what_is_not_http) {
  host h;
  for (const auto* bad :
       {"nonsense\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    client c{h.port()};
    c.send(bad);
    EXPECT_EQ(c.read_response().status, 400) << bad;
    c.read_to_end();
    EXPECT_TRUE(c.ended || c.reset);
  }
}

TEST(server, bounds_heads_and_bodies) {
  host h;
  client head{h.port()};
  head.send("GET / HTTP/1.1\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(head.read_response().status, 431);
  client body{h.port()};
  body.send("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n");
  EXPECT_EQ(body.read_response().status, 413);
}

TEST(server, serves_with_several_threads) {
  host h{3};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&h, t] {
      client c{h.port()};
      for (int i = 0; i < 100; ++i) {
        c.send(request_text("POST", generate, hello, "key-" + std::to_string(t)));
        ASSERT_EQ(c.read_response().status, 200);
      }
    });
  for (auto& t : threads)
    t.join();
  const auto counts = h.counters();
  ASSERT_EQ(counts.size(), 4);
  for (const auto& k : counts)
    EXPECT_EQ(k["arrivals"], 100);
}

TEST(server, names_the_port_that_is_taken) {
  app a;
  http_server first{{}, a};
  ASSERT_EQ(first.start(), "");
  server_options same;
  same.port = first.port();
  http_server second{same, a};
  EXPECT_NE(second.start().find("port " + std::to_string(first.port())), std::string::npos);
}

} // namespace
} // namespace sandbox::test
