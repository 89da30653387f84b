#include "http/core/proxy_words.hpp"

#include <gtest/gtest.h>

#include <random>

namespace troupe::http {
namespace {

using namespace std::string_literals;
using state = proxy_answer::state;

proxy_address proxy(std::string_view text) {
  return *parse_proxy(text);
}

/// A whole answer is `more` at every cut, is used to its last byte, and leaves what follows.
void expect_whole(proxy_answer_reader read, const std::string& bytes, int code) {
  for (std::size_t n = 0; n < bytes.size(); ++n)
    EXPECT_EQ(read(std::string_view{bytes}.substr(0, n)).is, state::more) << n;
  for (const auto& all : {bytes, bytes + "and more"}) {
    const auto answer = read(all);
    EXPECT_EQ(answer.is, state::done);
    EXPECT_EQ(answer.used, bytes.size());
    EXPECT_EQ(answer.code, code);
  }
}

TEST(proxy_connect, names_the_upstream_twice) {
  std::string out = "what was there";
  write_connect(out, "api.example:443", proxy("http://p"));
  EXPECT_EQ(out, "CONNECT api.example:443 HTTP/1.1\r\nhost: api.example:443\r\n\r\n");
}

TEST(proxy_connect, shows_a_login_in_base64) {
  std::string out;
  for (const auto& [login, shown] :
       {std::pair{"me:pass", "bWU6cGFzcw=="}, std::pair{"me:pass1", "bWU6cGFzczE="},
        std::pair{"me:pass12", "bWU6cGFzczEy"}, std::pair{"me", "bWU6"},
        std::pair{":key", "OmtleQ=="}}) {
    write_connect(out, "h:1", proxy("http://"s + login + "@p"));
    EXPECT_EQ(out, "CONNECT h:1 HTTP/1.1\r\nhost: h:1\r\nproxy-authorization: Basic "s + shown
                       + "\r\n\r\n");
  }
}

TEST(proxy_connect, an_answer_is_its_head) {
  expect_whole(&read_connect_answer, "HTTP/1.1 200 Connection established\r\n\r\n", 200);
  expect_whole(&read_connect_answer, "HTTP/1.0 200 OK\r\nvia: x\r\n\r\n", 200);
  expect_whole(&read_connect_answer, "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n", 200);
}

TEST(proxy_connect, a_refusal_uses_up_what_came_with_it) {
  const std::string head = "HTTP/1.1 407\r\nproxy-authenticate: Basic\r\n\r\n";
  for (const auto& bytes : {head, head + "<html>", head + std::string(10'000, 'x')}) {
    const auto answer = read_connect_answer(bytes);
    EXPECT_EQ(answer.is, state::done);
    EXPECT_EQ(answer.code, 407);
    EXPECT_EQ(answer.used, bytes.size());
  }
}

TEST(proxy_connect, a_head_over_its_bound_is_malformed) {
  const std::string begin = "HTTP/1.1 200 OK\r\na: ";
  const auto fits = begin + std::string(proxy_answer_bytes_max - begin.size() - 4, 'x');
  EXPECT_EQ(read_connect_answer(fits + "\r\n\r\n").is, state::done);
  EXPECT_EQ(read_connect_answer(fits + "x\r\n\r\n").is, state::malformed);
}

TEST(proxy_connect, interim_answers_are_skipped) {
  expect_whole(&read_connect_answer,
               "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\na: b\r\n\r\n"
               "HTTP/1.1 200 OK\r\n\r\n",
               200);
}

TEST(proxy_connect, what_is_no_http_is_malformed) {
  for (const char* bytes :
       {"\x05\n", "SSH-2.0-x\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 101 Switch\r\n\r\n",
        "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\n folded\r\n\r\n", "http/1.1 200 OK\r\n\r\n",
        "\r\n\r\n\r\n\r\n\r\n\r\n"})
    EXPECT_EQ(read_connect_answer(bytes).is, state::malformed) << bytes;
}

TEST(proxy_socks, offers_a_login_only_if_there_is_one) {
  std::string out = "what was there";
  socks::write_greeting(out, proxy("socks5://p"));
  EXPECT_EQ(out, "\x05\x01\x00"s);
  socks::write_greeting(out, proxy("socks5://me:pass@p"));
  EXPECT_EQ(out, "\x05\x02\x00\x02"s);
}

TEST(proxy_socks, reads_the_choice) {
  expect_whole(&socks::read_choice, "\x05\x00"s, socks::no_login);
  expect_whole(&socks::read_choice, "\x05\x02"s, socks::user_and_password);
  expect_whole(&socks::read_choice, "\x05\xff"s, socks::none_of_these);
  EXPECT_EQ(socks::read_choice("\x04").is, state::malformed);
  EXPECT_EQ(socks::read_choice("HTTP").is, state::malformed);
}

TEST(proxy_socks, counts_user_and_password) {
  std::string out = "what was there";
  socks::write_login(out, proxy("socks5://me:pass@p"));
  EXPECT_EQ(out, "\x01\x02me\x04pass"s);
  socks::write_login(out, proxy("socks5://me@p"));
  EXPECT_EQ(out, "\x01\x02me\x00"s);
  const std::string most(255, 'x');
  socks::write_login(out, proxy("socks5://" + most + ":" + most + "@p"));
  EXPECT_EQ(out, "\x01\xff" + most + "\xff" + most);
  expect_whole(&socks::read_login_answer, "\x01\x00"s, 0);
  expect_whole(&socks::read_login_answer, "\x01\x01"s, 1);
  EXPECT_EQ(socks::read_login_answer("\x05").is, state::malformed);
}

TEST(proxy_socks, names_addresses_by_their_bytes_and_names_by_their_letters) {
  std::string out = "what was there";
  ASSERT_TRUE(socks::write_connect(out, "api.example", 443));
  EXPECT_EQ(out, "\x05\x01\x00\x03\x0b"s + "api.example" + "\x01\xbb");
  ASSERT_TRUE(socks::write_connect(out, "127.0.0.1", 8080));
  EXPECT_EQ(out, "\x05\x01\x00\x01\x7f\x00\x00\x01\x1f\x90"s);
  ASSERT_TRUE(socks::write_connect(out, "::1", 1));
  EXPECT_EQ(out, "\x05\x01\x00\x04"s + std::string(15, '\0') + "\x01\x00\x01"s);
  EXPECT_TRUE(socks::write_connect(out, std::string(255, 'x'), 1));
  EXPECT_FALSE(socks::write_connect(out, std::string(256, 'x'), 1));
}

TEST(proxy_socks, reads_a_reply_with_any_kind_of_address) {
  expect_whole(&socks::read_connect_answer, "\x05\x00\x00\x01\x7f\x00\x00\x01\x1f\x90"s, 0);
  expect_whole(&socks::read_connect_answer, "\x05\x00\x00\x03\x04host\x00\x00"s, 0);
  expect_whole(&socks::read_connect_answer, "\x05\x00\x00\x03\x00\x00\x00"s, 0);
  expect_whole(&socks::read_connect_answer, "\x05\x00\x00\x04"s + std::string(18, '\0'), 0);
  EXPECT_EQ(socks::read_connect_answer("\x04").is, state::malformed);
  EXPECT_EQ(socks::read_connect_answer("\x05\x00\x00\x02\x00"s).is, state::malformed);
}

TEST(proxy_socks, a_refusal_ends_with_its_code_however_much_follows) {
  for (const auto& bytes : {"\x05\x05"s, "\x05\x05\x00\x01"s,
                            "\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"s, "\x05\x05\x00\x09\x09"s}) {
    const auto answer = socks::read_connect_answer(bytes);
    EXPECT_EQ(answer.is, state::done);
    EXPECT_EQ(answer.code, 5);
    EXPECT_EQ(answer.used, bytes.size());
  }
}

TEST(proxy_words, no_bytes_are_used_that_are_not_there) {
  std::mt19937 random{7};
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = round % 2 == 0 ? "\x05\x00\x00"s : "HTTP/1.1 200 OK\r\n"s;
    for (auto n = random() % 40; n > 0; --n)
      bytes += "\r\n: \x00\x01\x03\x04\x05x\xff"[random() % 11];
    for (const auto read : {&read_connect_answer, &socks::read_choice, &socks::read_login_answer,
                            &socks::read_connect_answer})
      ASSERT_LE(read(bytes).used, bytes.size());
  }
}

TEST(proxy_words, refusals_of_the_upstream_behind_it_are_told_apart) {
  const std::string behind = "the upstream behind it";
  for (const int status : {502, 503, 504})
    EXPECT_NE(connect_refusal(status, true).find(behind), std::string::npos) << status;
  for (const int status : {300, 400, 401, 403, 407, 429, 500})
    EXPECT_EQ(connect_refusal(status, true).find(behind), std::string::npos) << status;
  for (const int reply : {3, 4, 5, 6})
    EXPECT_NE(socks_refusal(reply).find(behind), std::string::npos) << reply;
  for (const int reply : {1, 2, 7, 8, 9, 255})
    EXPECT_EQ(socks_refusal(reply).find(behind), std::string::npos) << reply;
  EXPECT_NE(connect_refusal(407, true), connect_refusal(407, false));
}

} // namespace
} // namespace troupe::http
