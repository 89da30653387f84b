#include "http/detail/client_parser.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace troupe::http::detail {
namespace {

using state = response_parser::state;

struct seen {
  state end = state::more;
  int status = 0;
  std::string body;
  std::string fields;
  std::string problem;
  bool keeps_alive = false;
  std::size_t left = 0; ///< bytes after the answer
};

/// Gives `wire` to a parser as the reads of a connection would: new bytes up to each of
/// `cuts`, after those that were not used.
seen parse(const std::string& wire, std::vector<std::size_t> cuts, bool head_request = false,
           std::size_t head_max = 64 * 1024, bool eof = true) {
  headers fields;
  response_parser parser{fields, head_request, head_max};
  seen s;
  std::string pending;
  std::size_t from = 0;
  bool in_body = false;
  cuts.push_back(wire.size());
  for (const auto cut : cuts) {
    pending += wire.substr(from, cut - from);
    from = cut;
    while (s.end == state::more && !pending.empty()) {
      const auto step = in_body ? parser.body(pending.data(), pending.size())
                                : parser.head(pending.data(), pending.size());
      s.body += step.body;
      const bool waits = step.is == state::more && step.body.empty();
      pending.erase(0, step.used);
      if (step.is == state::malformed)
        s.end = state::malformed;
      if (step.is == state::done && in_body)
        s.end = state::done;
      if (step.is == state::done && !in_body) {
        in_body = true;
        if (parser.complete())
          s.end = state::done;
        continue;
      }
      if (waits)
        break;
    }
  }
  if (s.end == state::more && eof && parser.ends_with_input())
    s.end = state::done;
  s.status = parser.status();
  s.problem = parser.problem();
  s.left = pending.size();
  s.keeps_alive = parser.keeps_alive();
  for (std::size_t i = 0; i < fields.size(); ++i)
    s.fields += std::string{fields[i].name} + "=" + std::string{fields[i].value} + ";";
  return s;
}

/// At once, cut in two at every byte, and byte by byte: always the same.
seen parse_in_all_ways(const std::string& wire) {
  const auto whole = parse(wire, {});
  std::vector<std::size_t> every;
  for (std::size_t i = 1; i < wire.size(); ++i) {
    every.push_back(i);
    const auto halves = parse(wire, {i});
    EXPECT_EQ(halves.end, whole.end) << "cut at " << i;
    EXPECT_EQ(halves.status, whole.status) << "cut at " << i;
    EXPECT_EQ(halves.body, whole.body) << "cut at " << i;
    EXPECT_EQ(halves.fields, whole.fields) << "cut at " << i;
    EXPECT_EQ(halves.keeps_alive, whole.keeps_alive) << "cut at " << i;
  }
  const auto bytes = parse(wire, every);
  EXPECT_EQ(bytes.end, whole.end);
  EXPECT_EQ(bytes.body, whole.body);
  EXPECT_EQ(bytes.fields, whole.fields);
  return whole;
}

TEST(client_parser, body_of_a_length_ends_with_its_last_byte) {
  const auto s = parse_in_all_ways("HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(s.end, state::done);
  EXPECT_EQ(s.status, 200);
  EXPECT_EQ(s.body, "hello");
  EXPECT_EQ(s.fields, "A=b;Content-Length=5;");
  EXPECT_TRUE(s.keeps_alive);
  EXPECT_EQ(s.left, 0U);
}

TEST(client_parser, chunks_with_extensions_and_trailers_are_put_together) {
  const auto s = parse_in_all_ways("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "5;a=b;c=\"d;e\"\r\nhello\r\n"
                                   "1\r\n \r\n"
                                   "00A\r\nwide world\r\n"
                                   "0;last\r\nChecksum: 1\r\nX: y\r\n\r\n");
  EXPECT_EQ(s.end, state::done);
  EXPECT_EQ(s.body, "hello wide world");
  EXPECT_EQ(s.fields, "Transfer-Encoding=chunked;") << "trailers are no fields";
  EXPECT_TRUE(s.keeps_alive);
}

TEST(client_parser, all_chunks_of_one_read_come_as_one_piece) {
  std::string wire = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
  headers fields;
  response_parser parser{fields, false, 1024};
  auto step = parser.head(wire.data(), wire.size());
  ASSERT_EQ(step.is, state::done);
  std::string body = "3\r\nabc\r\n4\r\ndefg\r\n2\r\nhi\r\n3\r\nxy";
  step = parser.body(body.data(), body.size());
  EXPECT_EQ(step.is, state::more);
  EXPECT_EQ(step.body, "abcdefghixy");
  EXPECT_EQ(step.used, body.size());
}

TEST(client_parser, body_without_framing_ends_with_the_connection) {
  const auto s = parse_in_all_ways("HTTP/1.1 200 OK\r\n\r\nsome bytes");
  EXPECT_EQ(s.end, state::done);
  EXPECT_EQ(s.body, "some bytes");
  EXPECT_FALSE(s.keeps_alive);
}

TEST(client_parser, cut_bodies_have_no_end) {
  for (const char* wire :
       {"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-le"}) {
    const auto s = parse(wire, {});
    EXPECT_EQ(s.end, state::more) << wire;
    EXPECT_FALSE(s.keeps_alive) << wire;
  }
}

TEST(client_parser, answers_without_a_body_end_with_their_head) {
  for (const char* head : {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\n\r\n",
                           "HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\n\r\n",
                           "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"}) {
    const auto s = parse_in_all_ways(head);
    EXPECT_EQ(s.end, state::done) << head;
    EXPECT_TRUE(s.keeps_alive) << head;
  }
  const auto head_only = parse("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n", {}, true);
  EXPECT_EQ(head_only.end, state::done);
  EXPECT_TRUE(head_only.keeps_alive);
}

TEST(client_parser, no_other_exchange_after_a_204_that_announces_a_body) {
  EXPECT_FALSE(parse("HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n", {}).keeps_alive);
  EXPECT_FALSE(parse("HTTP/1.1 204 No\r\ntransfer-encoding: chunked\r\n\r\n", {}).keeps_alive);
}

TEST(client_parser, interim_answers_are_skipped) {
  const auto s = parse_in_all_ways("HTTP/1.1 100 Continue\r\n\r\n"
                                   "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
                                   "HTTP/1.1 201 Created\r\na: b\r\ncontent-length: 2\r\n\r\nok");
  EXPECT_EQ(s.end, state::done);
  EXPECT_EQ(s.status, 201);
  EXPECT_EQ(s.body, "ok");
  EXPECT_EQ(s.fields, "a=b;content-length=2;") << "fields of interim answers are forgotten";
}

TEST(client_parser, connection_close_and_old_versions_end_the_connection) {
  EXPECT_FALSE(
      parse("HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-length: 0\r\n\r\n", {}).keeps_alive);
  EXPECT_FALSE(parse("HTTP/1.1 200 OK\r\nconnection: x, close\r\ncontent-length: 0\r\n\r\n", {})
                   .keeps_alive);
  EXPECT_FALSE(parse("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", {}).keeps_alive);
  EXPECT_TRUE(parse("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n", {})
                  .keeps_alive);
}

TEST(client_parser, bytes_after_the_answer_are_left) {
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200", {}).left, 12U);
}

TEST(client_parser, doubtful_framing_is_malformed) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const std::string& wire : {
           ok + "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
           ok + "transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n",
           ok + "content-length: 5\r\ncontent-length: 6\r\n\r\n",
           ok + "content-length: 5, 6\r\n\r\n",
           ok + "content-length: -1\r\n\r\n",
           ok + "content-length: 0x5\r\n\r\n",
           ok + "content-length: 99999999999999999999999\r\n\r\n",
           ok + "content-length:\r\n\r\n",
           ok + "transfer-encoding: gzip\r\n\r\n",
           ok + "transfer-encoding: gzip, chunked\r\n\r\n",
           ok + "transfer-encoding: chunked, gzip\r\n\r\n",
           ok + "transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n",
           ok + "transfer-encoding: xchunked\r\n\r\n",
           std::string{"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"},
           std::string{
               "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"},
           std::string{"HTTP/1.1 099 Odd\r\n\r\n"},
           std::string{"HTTP/2 200 OK\r\n\r\n"},
           std::string{"HTTP/1.1 20 OK\r\n\r\n"},
           std::string{"SSH-2.0-OpenSSH_9.2\r\n\r\n"},
           ok + "a b: c\r\n\r\n",
           ok + "a : c\r\n\r\n",
           ok + "no colon\r\n\r\n",
           ok + "a: b\rc\r\n\r\n",
           ok + "a: b\nc: d\r\n\r\n",
       }) {
    EXPECT_EQ(parse(wire, {}).end, state::malformed) << wire;
    EXPECT_FALSE(parse(wire, {}).problem.empty()) << wire;
  }
}

TEST(client_parser, equal_lengths_said_twice_are_one) {
  const auto s = parse("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok", {});
  EXPECT_EQ(s.end, state::done);
  EXPECT_EQ(s.body, "ok");
}

TEST(client_parser, faulty_chunks_are_malformed_after_what_was_good) {
  const std::string head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
  for (const char* body :
       {"3\r\nabcX\r\n0\r\n\r\n", "3\r\nabc\r\nzz\r\n", "3\r\nabc\r\n-1\r\n",
        "3\r\nabc\r\nFFFFFFFFFFFFFFFFFF\r\n", "3\r\nabc\r\n0\r\nbad trailer\r\n\r\n"}) {
    const auto s = parse(head + body, {});
    EXPECT_EQ(s.end, state::malformed) << body;
    EXPECT_EQ(s.body, "abc") << body;
  }
}

TEST(client_parser, a_head_over_its_bound_is_malformed_however_it_arrives) {
  const std::string big =
      "HTTP/1.1 200 OK\r\na: " + std::string(600, 'x') + "\r\ncontent-length: 0\r\n\r\n";
  EXPECT_EQ(parse(big, {}, false, 1024).end, state::done);
  EXPECT_EQ(parse(big, {}, false, 512).end, state::malformed);
  EXPECT_EQ(parse(big.substr(0, 600), {}, false, 512).end, state::malformed) << "before its end";
  std::vector<std::size_t> every;
  for (std::size_t i = 1; i < big.size(); ++i)
    every.push_back(i);
  EXPECT_EQ(parse(big, every, false, 512).end, state::malformed);
}

TEST(client_parser, endless_interim_answers_are_bounded_like_a_head) {
  std::string wire;
  for (int i = 0; i < 100; ++i)
    wire += "HTTP/1.1 102 Processing\r\n\r\n";
  EXPECT_EQ(parse(wire, {}, false, 1024).end, state::malformed);
}

} // namespace
} // namespace troupe::http::detail
