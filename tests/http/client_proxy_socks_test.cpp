#include "client_proxy_support.hpp"

namespace troupe::http::testing {
namespace {

using namespace std::string_literals;

/// A call through a SOCKS proxy that behaves so, and then is the upstream.
got call(const std::function<void(peer&)>& behave, std::string_view login = {},
         const origin& to = behind(), std::string_view scheme = "socks5h") {
  scripted_server s{[&](peer& p) {
    behave(p);
    always(with_length("ok"))(p);
  }};
  bench b;
  auto g = call_through(b, to, proxy_url(s, scheme, login));
  EXPECT_EQ(b.c->counters().connections_open, g.error ? 0U : 1U);
  return g;
}

/// What the proxy is asked for, after a greeting without login.
std::string asked_for(const origin& to, std::string_view scheme, std::size_t bytes) {
  std::string asked;
  const auto g = call(
      [&](peer& p) {
        EXPECT_EQ(read_bytes(p, 3), "\x05\x01\x00"s);
        p.write("\x05\x00"s);
        asked = read_bytes(p, bytes);
        p.write(socks_reply(0));
      },
      {}, to, scheme);
  EXPECT_EQ(g.body, "ok");
  return asked;
}

TEST(client_proxy_socks, a_name_is_told_as_a_name_to_be_looked_up_there) {
  EXPECT_EQ(asked_for(behind(), "socks5h", 20),
            "\x05\x01\x00\x03\x0d"s + "upstream.test" + "\x1f\x90");
}

TEST(client_proxy_socks, an_address_is_told_as_an_address_by_both_kinds) {
  for (const char* scheme : {"socks5", "socks5h"}) {
    EXPECT_EQ(asked_for(behind("10.1.2.3"), scheme, 10),
              "\x05\x01\x00\x01\x0a\x01\x02\x03\x1f\x90"s);
    EXPECT_EQ(asked_for(behind("2001:db8::1"), scheme, 22),
              "\x05\x01\x00\x04\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01\x1f\x90"s);
  }
}

TEST(client_proxy_socks, socks5_looks_the_name_up_here) {
  const auto g = call(
      [](peer& p) {
        read_bytes(p, 3);
        p.write("\x05\x00"s);
        const auto begin = read_bytes(p, 4);
        EXPECT_TRUE(begin == "\x05\x01\x00\x01"s || begin == "\x05\x01\x00\x04"s);
        const bool ipv4 = begin.back() == 1;
        EXPECT_EQ(read_bytes(p, ipv4 ? 6 : 18),
                  (ipv4 ? "\x7f\x00\x00"s : std::string(15, '\0')) + "\x01\x1f\x90"s);
        p.write(socks_reply(0));
      },
      {}, behind("localhost"), "socks5");
  EXPECT_EQ(g.body, "ok");
}

TEST(client_proxy_socks, a_name_that_is_not_known_here_is_no_fault_of_the_proxy) {
  scripted_server s{[](peer&) {}};
  bench b;
  const auto g = call_through(b, behind("no-such-host.invalid"), proxy_url(s, "socks5"));
  EXPECT_EQ(g.code(), errc::connect_failed);
  EXPECT_EQ(s.accepted(), 0);
}

TEST(client_proxy_socks, logs_in_if_the_proxy_wants_it) {
  const auto g = call(
      [](peer& p) {
        EXPECT_EQ(read_bytes(p, 4), "\x05\x02\x00\x02"s);
        p.write("\x05\x02"s);
        EXPECT_EQ(read_bytes(p, 9), "\x01\x02me\x04p@ss"s);
        p.write("\x01\x00"s);
        read_bytes(p, 20);
        p.write(socks_reply(0));
      },
      "me:p%40ss@");
  EXPECT_EQ(g.body, "ok");
}

TEST(client_proxy_socks, keeps_the_login_to_itself_if_the_proxy_does_not_want_it) {
  const auto g = call(
      [](peer& p) {
        read_bytes(p, 4);
        p.write("\x05\x00"s);
        EXPECT_EQ(read_bytes(p, 5), "\x05\x01\x00\x03\x0d"s);
        read_bytes(p, 15);
        p.write(socks_reply(0));
      },
      "me:hush@");
  EXPECT_EQ(g.body, "ok");
}

TEST(client_proxy_socks, every_kind_of_reply_in_any_pieces_opens_the_way) {
  for (const auto& reply : {socks_reply(0), "\x05\x00\x00\x03\x04host\x00\x01"s,
                            "\x05\x00\x00\x04"s + std::string(18, 'x')}) {
    const auto g = call([&](peer& p) {
      read_bytes(p, 3);
      for (const char c : "\x05\x00"s)
        p.write({&c, 1});
      read_bytes(p, 20);
      for (const char c : reply)
        p.write({&c, 1});
    });
    EXPECT_EQ(g.body, "ok");
  }
}

TEST(client_proxy_socks, a_refused_login_fails_without_repeating_it) {
  const auto wrong = call(
      [](peer& p) {
        read_bytes(p, 4);
        p.write("\x05\x02"s);
        read_bytes(p, 9);
        p.write("\x01\x01"s);
        p.closed_by_client();
      },
      "me:hush@");
  EXPECT_EQ(wrong.code(), errc::proxy_failed);
  expect_in(wrong.error->text, "refuses the user and the password");
  expect_not_in(wrong.error->text, "hush");
  const auto missing = call([](peer& p) {
    read_bytes(p, 3);
    p.write("\x05\xff"s);
  });
  EXPECT_EQ(missing.code(), errc::proxy_failed);
  expect_in(missing.error->text, "asks for a user and a password");
}

TEST(client_proxy_socks, a_choice_that_was_not_offered_fails) {
  for (const auto& choice : {"\x05\x02"s, "\x05\x01"s, "\x05\x80"s}) {
    const auto g = call([&](peer& p) {
      read_bytes(p, 3);
      p.write(choice);
    });
    EXPECT_EQ(g.code(), errc::proxy_failed);
  }
}

TEST(client_proxy_socks, refusals_say_whether_the_upstream_behind_is_concerned) {
  for (const auto& [code, words] :
       {std::pair{1, "does not say why"}, std::pair{2, "not allowed"},
        std::pair{3, "the upstream behind it cannot be reached"},
        std::pair{4, "the upstream behind it cannot be reached"},
        std::pair{5, "connection refused"}, std::pair{6, "too many hops"},
        std::pair{7, "makes no connections"}, std::pair{8, "addresses of this kind"},
        std::pair{99, "answers 99"}}) {
    const auto g = call([&](peer& p) {
      read_bytes(p, 3);
      p.write("\x05\x00"s);
      read_bytes(p, 20);
      p.write(socks_reply(static_cast<char>(code)));
    });
    EXPECT_EQ(g.code(), errc::proxy_failed) << code;
    expect_in(g.error->text, words);
    expect_in(g.error->text, "socks5h://127.0.0.1:");
    expect_in(g.error->text, "upstream.test:8080");
  }
}

TEST(client_proxy_socks, another_protocol_fails_at_each_step) {
  const auto at_once = call([](peer& p) { p.write("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  EXPECT_EQ(at_once.code(), errc::proxy_failed);
  const auto at_login = call(
      [](peer& p) {
        read_bytes(p, 4);
        p.write("\x05\x02"s);
        read_bytes(p, 9);
        p.write("HTTP");
      },
      "me:pass@");
  EXPECT_EQ(at_login.code(), errc::proxy_failed);
  for (const auto& reply : {"HTTP/1.1 400 Bad Request\r\n\r\n"s, "\x05\x00\x00\x02\x00"s}) {
    const auto at_reply = call([&](peer& p) {
      read_bytes(p, 3);
      p.write("\x05\x00"s);
      read_bytes(p, 20);
      p.write(reply);
    });
    EXPECT_EQ(at_reply.code(), errc::proxy_failed);
  }
}

TEST(client_proxy_socks, bytes_that_nobody_asked_for_fail_at_each_step) {
  const auto early = call([](peer& p) { p.write("\x05\x00\x05"s); });
  EXPECT_EQ(early.code(), errc::proxy_failed);
  const auto late = call([](peer& p) {
    read_bytes(p, 3);
    p.write("\x05\x00"s);
    read_bytes(p, 20);
    p.write(socks_reply(0) + with_length("forged"));
  });
  EXPECT_EQ(late.code(), errc::proxy_failed);
  EXPECT_EQ(late.body, "");
}

TEST(client_proxy_socks, a_proxy_that_closes_fails_at_each_step) {
  const std::vector<std::pair<std::size_t, std::string>> steps{
      {4, "\x05\x02"s}, {9, "\x01\x00"s}, {20, socks_reply(0)}};
  for (std::size_t last = 0; last < steps.size(); ++last)
    for (std::size_t cut = 0; cut < steps[last].second.size(); ++cut) {
      const auto g = call(
          [&](peer& p) {
            for (std::size_t i = 0; i < last; ++i) {
              read_bytes(p, steps[i].first);
              p.write(steps[i].second);
            }
            read_bytes(p, steps[last].first);
            p.write(steps[last].second.substr(0, cut));
            p.close();
          },
          "me:pass@");
      EXPECT_EQ(g.code(), errc::proxy_failed) << last << " " << cut;
      expect_in(g.error->text, "closed");
    }
}

TEST(client_proxy_socks, a_name_that_socks_cannot_tell_fails) {
  const auto g = call(
      [](peer& p) {
        read_bytes(p, 3);
        p.write("\x05\x00"s);
        p.closed_by_client();
      },
      {}, behind(std::string(300, 'x')));
  EXPECT_EQ(g.code(), errc::connect_failed);
}

} // namespace
} // namespace troupe::http::testing
