#include "tests/http/server_stage.hpp"

#include <gtest/gtest.h>

namespace troupe::http {
namespace {

using namespace std::chrono_literals;

/// What a server that refuses must do: this status, `connection: close`, then the end.
void expect_refused(raw_client& c, int status) {
  const auto a = c.read_answer();
  EXPECT_EQ(a.status, status);
  EXPECT_EQ(a.field("connection"), "close");
  EXPECT_TRUE(a.whole);
  EXPECT_TRUE(c.at_end());
}

TEST(server_request, keeps_the_connection_for_the_next_request) {
  stage s;
  raw_client c{s.web->port()};
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(c.send(post("/echo?n=1", "body " + std::to_string(i))));
    const auto a = c.read_answer();
    EXPECT_EQ(a.status, 200);
    EXPECT_EQ(a.body, "POST /echo n=1 body " + std::to_string(i));
    EXPECT_EQ(a.field("connection"), "");
  }
  EXPECT_EQ(s.web->counters().requests, 3U);
  EXPECT_EQ(s.web->counters().connections_accepted, 1U);
}

TEST(server_request, every_answer_has_a_date_and_an_id_of_its_own) {
  stage s;
  raw_client c{s.web->port()};
  c.send(get("/echo"));
  const auto first = c.read_answer();
  c.send("BAD\r\n\r\n");
  const auto second = c.read_answer();
  for (const auto& a : {first, second}) {
    EXPECT_EQ(a.field("date").size(), 29U);
    EXPECT_EQ(a.field("x-request-id").size(), 20U);
    EXPECT_EQ(a.field("x-request-id").substr(0, 4), "req_");
  }
  EXPECT_NE(first.field("x-request-id"), second.field("x-request-id"));
}

TEST(server_request, answers_pipelined_requests_in_order) {
  stage s;
  raw_client c{s.web->port()};
  std::string all;
  for (int i = 0; i < 200; ++i)
    all += post("/echo", std::to_string(i));
  c.send(all);
  for (int i = 0; i < 200; ++i)
    ASSERT_EQ(c.read_answer().body, "POST /echo  " + std::to_string(i));
}

struct slow_scene {
  gate held;
  bool inside = false;
};

task<void> answer_and_stay(exchange& x, slow_scene& scene) {
  EXPECT_FALSE(scene.inside);
  scene.inside = true;
  const response_head head{200, "text/plain"};
  co_await x.respond(head, "slow");
  co_await scene.held; // answered, but not at its end
  scene.inside = false;
}

task<void> answer_at_once(exchange& x, slow_scene& scene) {
  EXPECT_FALSE(scene.inside);
  const response_head head{200, "text/plain"};
  co_await x.respond(head, "next");
}

TEST(server_request, never_enters_the_handler_for_the_next_request_before_it_has_ended) {
  slow_scene scene;
  stage s;
  s.on("/slow", &answer_and_stay, scene);
  s.on("/next", &answer_at_once, scene);
  raw_client c{s.web->port()};
  c.send(get("/slow") + get("/next"));
  EXPECT_EQ(c.read_answer().body, "slow");
  ASSERT_TRUE(scene.held.reached.wait());
  scene.held.open(*s.loop);
  EXPECT_EQ(c.read_answer().body, "next");
}

TEST(server_request, takes_a_head_byte_by_byte) {
  stage s;
  raw_client c{s.web->port()};
  for (const char byte : post("/echo", "hello"))
    ASSERT_TRUE(c.send({&byte, 1}));
  EXPECT_EQ(c.read_answer().body, "POST /echo  hello");
}

TEST(server_request, takes_chunked_bodies_however_they_are_cut) {
  stage s;
  const std::string head = "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: Chunked\r\n\r\n";
  const std::string body = "5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nx-trailer: 1\r\n\r\n";
  raw_client whole{s.web->port()};
  whole.send(head + body);
  EXPECT_EQ(whole.read_answer().body, "POST /echo  hello world");
  raw_client cut{s.web->port()};
  for (const char byte : head + body + get("/echo"))
    cut.send({&byte, 1});
  EXPECT_EQ(cut.read_answer().body, "POST /echo  hello world");
  EXPECT_EQ(cut.read_answer().body, "GET /echo  ");
}

task<void> compare_body(exchange& x, std::string& expected) {
  const std::string_view verdict = *x.req().body == expected ? "same" : "different";
  const response_head head{200, "text/plain"};
  co_await x.respond(head, verdict);
}

TEST(server_request, takes_large_bodies_whole) {
  std::string body(5'000'000, 'x');
  for (std::size_t i = 0; i < body.size(); i += 997)
    body[i] = static_cast<char>('a' + i % 26);
  stage s;
  s.on("/compare", &compare_body, body);
  raw_client c{s.web->port()};
  c.send(post("/compare", body));
  EXPECT_EQ(c.read_answer().body, "same");
  c.send("POST /compare HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
  for (std::size_t at = 0; at < body.size(); at += 100'000)
    c.send("186a0\r\n" + body.substr(at, 100'000) + "\r\n");
  c.send("0\r\n\r\n");
  EXPECT_EQ(c.read_answer().body, "same");
}

TEST(server_request, tells_a_client_that_asks_to_continue) {
  stage s;
  raw_client c{s.web->port()};
  c.send("POST /echo HTTP/1.1\r\nhost: a\r\nexpect: 100-Continue\r\ncontent-length: 5\r\n\r\n");
  EXPECT_EQ(c.read_answer().status, 100);
  c.send("hello");
  EXPECT_EQ(c.read_answer().body, "POST /echo  hello");
}

TEST(server_request, refuses_a_body_by_its_length_before_it_says_continue) {
  stage s{[] {
    server_options o;
    o.body_bytes_max = 4;
    return o;
  }()};
  raw_client c{s.web->port()};
  c.send("POST /echo HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
  const auto a = c.read_answer();
  EXPECT_EQ(a.status, 413);
  EXPECT_EQ(a.body, "refused: body too large; target: /echo");
}

TEST(server_request, refuses_other_expectations) {
  stage s;
  raw_client c{s.web->port()};
  c.send(get("/echo", "expect: miracles\r\n"));
  expect_refused(c, 417);
}

TEST(server_request, a_get_with_a_body_is_no_harm) {
  stage s;
  raw_client c{s.web->port()};
  c.send("GET /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi" + get("/echo"));
  EXPECT_EQ(c.read_answer().body, "GET /echo  hi");
  EXPECT_EQ(c.read_answer().body, "GET /echo  ");
}

TEST(server_request, reduces_absolute_targets) {
  stage s;
  raw_client c{s.web->port()};
  c.send("GET http://example.com:80/echo?q=1 HTTP/1.1\r\nhost: example.com\r\n\r\n");
  EXPECT_EQ(c.read_answer().body, "GET /echo q=1 ");
  c.send("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_EQ(c.read_answer().body, "OPTIONS *  ");
}

TEST(server_request, gives_the_handler_fields_peer_and_age) {
  stage s;
  s.on("/look", [](exchange& x) -> task<void> {
    const auto& r = x.req();
    std::string seen{r.fields->get("X-One")};
    seen.append("|").append(r.fields->get("x-two")).append("|").append(r.peer);
    seen.append("|").append(std::to_string(x.age() < 20s));
    seen.append("|").append(x.request_id() == "" ? "" : "id");
    const response_head head{200, "text/plain"};
    co_await x.respond(head, seen);
  });
  raw_client c{s.web->port()};
  c.send(get("/look", "x-one:  a b \t\r\nX-TWO:\r\n"));
  EXPECT_EQ(c.read_answer().body, "a b||127.0.0.1|1|id");
}

task<void> take_body(exchange& x, std::string& to) {
  to = std::move(*x.req().body);
  const response_head head{200, "text/plain"};
  co_await x.respond(head, "ok");
}

TEST(server_request, a_handler_may_keep_the_body) {
  std::string kept;
  stage s;
  s.on("/take", &take_body, kept);
  raw_client c{s.web->port()};
  c.send(post("/take", "first") + post("/echo", "second"));
  EXPECT_EQ(c.read_answer().body, "ok");
  EXPECT_EQ(c.read_answer().body, "POST /echo  second");
  s.shut_down(); // orders the loop's write before this read
  EXPECT_EQ(kept, "first");
}

struct bad_request {
  const char* name;
  const char* bytes;
  int status;
};

void PrintTo(const bad_request& r, std::ostream* out) {
  *out << r.name;
}

class server_refuses : public testing::TestWithParam<bad_request> {};

TEST_P(server_refuses, and_closes) {
  stage s;
  raw_client c{s.web->port()};
  c.send(GetParam().bytes);
  expect_refused(c, GetParam().status);
  EXPECT_EQ(s.web->counters().requests, 0U);
  EXPECT_EQ(s.web->counters().requests_refused, 1U);
}

constexpr const char* smuggled = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";

const bad_request bad_requests[] = {
    {"length_and_chunks",
     "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"
     "0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n",
     400},
    {"chunks_and_length",
     "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: "
     "5\r\n\r\n0\r\n\r\n",
     400},
    {"two_lengths",
     "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", 400},
    {"the_same_length_twice",
     "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na", 400},
    {"a_list_of_lengths", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 2\r\n\r\nab", 400},
    {"a_negative_length", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n", 400},
    {"a_signed_length", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\na", 400},
    {"a_hex_length", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x1\r\n\r\na", 400},
    {"an_empty_length", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length:\r\n\r\n", 400},
    {"a_length_beyond_64_bits",
     "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 18446744073709551616\r\n\r\n", 400},
    {"a_bare_lf_after_the_request_line", "GET / HTTP/1.1\nhost: a\r\n\r\n", 400},
    {"a_bare_lf_after_a_field", "GET / HTTP/1.1\r\nhost: a\n\r\n", 400},
    {"a_bare_lf_for_the_empty_line", "GET / HTTP/1.1\r\nhost: a\r\n\n", 400},
    {"a_bare_cr_in_a_value", "GET / HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n", 400},
    {"a_bare_cr_in_the_request_line", "GET /\r HTTP/1.1\r\nhost: a\r\n\r\n", 400},
    {"a_folded_value", "GET / HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n\r\n", 400},
    {"a_fold_before_the_first_field", "GET / HTTP/1.1\r\n host: a\r\n\r\n", 400},
    {"a_space_before_the_colon", "GET / HTTP/1.1\r\nhost : a\r\n\r\n", 400},
    {"a_space_in_a_name", "GET / HTTP/1.1\r\nhost: a\r\nx y: 1\r\n\r\n", 400},
    {"a_line_without_a_colon", "GET / HTTP/1.1\r\nhost: a\r\nnothing\r\n\r\n", 400},
    {"an_empty_name", "GET / HTTP/1.1\r\nhost: a\r\n: 1\r\n\r\n", 400},
    {"a_control_character_in_a_value", "GET / HTTP/1.1\r\nhost: a\r\nx: \x01\r\n\r\n", 400},
    {"no_host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"two_hosts", "GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", 400},
    {"a_bad_host", "GET / HTTP/1.1\r\nhost: a b\r\n\r\n", 400},
    {"an_unknown_transfer_coding",
     "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
    {"chunked_twice",
     "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: "
     "chunked\r\n\r\n"
     "0\r\n\r\n",
     400},
    {"chunked_twice_in_one_field",
     "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400},
    {"a_disguised_chunked",
     "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
    {"an_empty_transfer_encoding", "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding:\r\n\r\n", 400},
    {"chunks_in_http_1_0",
     "POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"a_chunk_size_that_is_none",
     "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", 400},
    {"a_chunk_size_beyond_64_bits",
     "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n10000000000000000\r\n", 400},
    {"a_chunk_longer_than_it_says",
     "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", 400},
    {"a_bare_lf_after_a_chunk_size",
     "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", 400},
    {"an_encoded_body",
     "POST / HTTP/1.1\r\nhost: a\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\na", 415},
    {"http_2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"http_1_2", "GET / HTTP/1.2\r\nhost: a\r\n\r\n", 505},
    {"http_0_9", "GET /\r\n\r\n", 400},
    {"no_http", "GET / HTTX/1.1\r\nhost: a\r\n\r\n", 400},
    {"a_tls_hello", "\x16\x03\x01\x02\n", 400},
    {"a_target_without_a_slash", "GET echo HTTP/1.1\r\nhost: a\r\n\r\n", 400},
    {"a_fragment", "GET /a#b HTTP/1.1\r\nhost: a\r\n\r\n", 400},
    {"connect", "CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n", 501},
    {"two_spaces_after_the_method", "GET  / HTTP/1.1\r\nhost: a\r\n\r\n", 400},
    {"a_method_that_is_no_token", "G@T / HTTP/1.1\r\nhost: a\r\n\r\n", 400},
};

INSTANTIATE_TEST_SUITE_P(, server_refuses, testing::ValuesIn(bad_requests),
                         [](const auto& each) { return std::string{each.param.name}; });

TEST(server_request, refuses_nul_in_names_and_values) {
  using namespace std::string_literals;
  for (const auto& field : {"x\0y: 1\r\n"s, "x: a\0b\r\n"s}) {
    stage s;
    raw_client c{s.web->port()};
    c.send(get("/echo", field));
    expect_refused(c, 400);
  }
}

TEST(server_request, what_follows_a_refused_request_is_never_served) {
  stage s;
  raw_client c{s.web->port()};
  c.send(std::string{"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n"
                     "transfer-encoding: chunked\r\n\r\n0\r\n\r\n"}
         + smuggled + smuggled);
  expect_refused(c, 400);
  EXPECT_EQ(s.web->counters().requests, 0U);
}

TEST(server_request, ignores_a_few_empty_lines_before_a_request) {
  stage s;
  raw_client c{s.web->port()};
  c.send("\r\n\r\n" + get("/echo"));
  EXPECT_EQ(c.read_answer().status, 200);
  c.send("\r\n\r\n\r\n\r\n\r\n" + get("/echo"));
  expect_refused(c, 400);
}

TEST(server_request, a_refusal_speaks_of_this_request_and_no_other) {
  stage s;
  raw_client c{s.web->port()};
  c.send("HEAD /echo HTTP/1.1\r\nhost: a\r\nanthropic-version: 1\r\n\r\n");
  EXPECT_EQ(c.read_answer(true).status, 200);
  c.send("GET /v1/messages HTTP/1.1\nhost: a\r\n\r\n");
  const auto a = c.read_answer();
  EXPECT_EQ(a.status, 400);
  EXPECT_EQ(a.body, "refused: malformed head; target: /v1/messages");
}

TEST(server_request, a_refusal_knows_the_surface) {
  stage s;
  raw_client c{s.web->port()};
  c.send("POST /v1/messages HTTP/1.1\r\nhost: a\r\nanthropic-version: 2023-06-01\r\n"
         "content-encoding: br\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(c.read_answer().body,
            "refused: content-encoding is not supported; target: /v1/messages; anthropic");
}

} // namespace
} // namespace troupe::http
