#include "client_proxy_support.hpp"

namespace troupe::http::testing {
namespace {

/// A call through a proxy that answers CONNECT so, and then is the upstream.
got call(const std::function<void(peer&)>& answer, std::string_view login = {},
         client_request request = {}) {
  scripted_server s{[&](peer& p) {
    if (p.read_request().empty())
      return;
    answer(p);
    always(with_length("ok"))(p);
  }};
  bench b;
  auto g = call_through(b, behind(), proxy_url(s, "http", login), request);
  EXPECT_EQ(b.c->counters().connections_open, g.error ? 0U : 1U);
  return g;
}

got call(const std::string& answer, std::string_view login = {}) {
  return call([&answer](peer& p) { p.write(answer); }, login);
}

TEST(client_proxy_connect, asks_for_the_upstream_and_then_speaks_to_it) {
  notes seen;
  scripted_server s{[&](peer& p) {
    seen.add(p.read_request());
    p.write(way_is_open);
    seen.add(p.read_request());
    p.write(with_length("ok"));
  }};
  bench b;
  client_request r;
  r.target = "/v1/x";
  r.header_lines = "a: b\r\n";
  r.body = "body";
  const auto g = call_through(b, behind(), proxy_url(s, "http"), r);
  ASSERT_FALSE(g.error) << g.error->text;
  EXPECT_EQ(g.body, "ok");
  const auto all = seen.all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0], "CONNECT upstream.test:8080 HTTP/1.1\r\nhost: upstream.test:8080\r\n\r\n");
  EXPECT_EQ(all[1], "POST /v1/x HTTP/1.1\r\nhost: upstream.test:8080\r\n"
                    "accept-encoding: identity\r\ncontent-length: 4\r\na: b\r\n\r\nbody");
}

TEST(client_proxy_connect, shows_the_login_to_the_proxy_and_not_to_the_upstream) {
  notes seen;
  scripted_server s{[&](peer& p) {
    seen.add(p.read_request());
    p.write(way_is_open);
    seen.add(p.read_request());
    p.write(with_length("ok"));
  }};
  bench b;
  const auto to = behind("2001:db8::1");
  EXPECT_EQ(call_through(b, to, proxy_url(s, "http", "me:p%40ss@")).body, "ok");
  const auto all = seen.all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0], "CONNECT [2001:db8::1]:8080 HTTP/1.1\r\nhost: [2001:db8::1]:8080\r\n"
                    "proxy-authorization: Basic bWU6cEBzcw==\r\n\r\n");
  expect_not_in(all[1], "proxy-");
}

TEST(client_proxy_connect, takes_any_2xx_in_any_pieces) {
  EXPECT_EQ(call("HTTP/1.0 200 OK\r\nproxy-agent: x\r\n\r\n").body, "ok");
  EXPECT_EQ(call("HTTP/1.1 204 No Content\r\n\r\n").body, "ok");
  EXPECT_EQ(call("HTTP/1.1 100 Wait\r\n\r\nHTTP/1.1 200 OK\r\n\r\n").body, "ok");
  EXPECT_EQ(call("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").body, "ok");
  EXPECT_EQ(call([](peer& p) {
              for (const char c : way_is_open)
                p.write({&c, 1});
            }).body,
            "ok");
}

TEST(client_proxy_connect, a_refusal_is_told_in_words_of_ours) {
  for (const auto& [status, words] :
       {std::pair{"407", "asks for a user"}, std::pair{"403", "not allowed"},
        std::pair{"502", "the upstream behind it cannot be reached"},
        std::pair{"504", "the upstream behind it cannot be reached"},
        std::pair{"503", "is not available"}, std::pair{"500", "answers 500"},
        std::pair{"302", "answers 302"}}) {
    const auto g = call(std::string{"HTTP/1.1 "} + status
                        + " hush\r\nx: hush\r\ncontent-length: 4\r\n\r\nhush");
    EXPECT_EQ(g.code(), errc::proxy_failed) << status;
    expect_in(g.error->text, words);
    expect_in(g.error->text, "http://127.0.0.1:");
    expect_in(g.error->text, "upstream.test:8080");
    expect_not_in(g.error->text, "hush");
  }
}

TEST(client_proxy_connect, a_refused_login_is_not_repeated) {
  const auto g = call("HTTP/1.1 407 me:hush\r\n\r\n", "me:hush@");
  EXPECT_EQ(g.code(), errc::proxy_failed);
  expect_in(g.error->text, "refuses the user and the password");
  expect_not_in(g.error->text, "hush");
  expect_not_in(g.error->text, "me:");
}

TEST(client_proxy_connect, garbage_fails) {
  for (const char* bytes :
       {"SSH-2.0-x\r\n", "\x15\x03\x01\x00\x02\x02\x28\n", "\n", "\r\n\r\nx\n"}) {
    const auto g = call([bytes](peer& p) {
      p.write(bytes);
      p.close();
    });
    EXPECT_EQ(g.code(), errc::proxy_failed) << bytes;
  }
}

TEST(client_proxy_connect, an_answer_without_end_is_bounded) {
  const auto g = call([](peer& p) {
    p.write("HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 10'000; ++i)
      p.write("field: and another one\r\n");
  });
  EXPECT_EQ(g.code(), errc::proxy_failed);
  expect_in(g.error->text, "too long");
  const auto at_once = call("HTTP/1.1 200 OK\r\nfield: " + std::string(8 * 1024, 'x') + "\r\n\r\n");
  EXPECT_EQ(at_once.code(), errc::proxy_failed);
}

TEST(client_proxy_connect, bytes_after_the_answer_never_pass_for_the_upstreams) {
  const auto g = call(way_is_open + with_length("forged"));
  EXPECT_EQ(g.code(), errc::proxy_failed);
  EXPECT_EQ(g.body, "");
}

TEST(client_proxy_connect, a_proxy_that_closes_fails) {
  for (const char* before : {"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\n"}) {
    const auto g = call([before](peer& p) {
      p.write(before);
      p.close();
    });
    EXPECT_EQ(g.code(), errc::proxy_failed) << before;
    expect_in(g.error->text, "closed");
  }
}

TEST(client_proxy_connect, a_proxy_that_resets_fails) {
  for (const char* before : {"", "HTTP/1.1 2"}) {
    const auto g = call([before](peer& p) {
      p.write(before);
      p.reset();
    });
    EXPECT_EQ(g.code(), errc::proxy_failed) << before;
  }
}

TEST(client_proxy_connect, after_the_way_is_open_failures_are_the_upstreams) {
  const auto closes = call([](peer& p) {
    p.write(way_is_open);
    p.close();
  });
  EXPECT_EQ(closes.code(), errc::upstream_broken);
  const auto garbage = call([](peer& p) {
    p.write(way_is_open);
    p.read_request();
    p.write("no HTTP\r\n\r\n");
  });
  EXPECT_EQ(garbage.code(), errc::upstream_malformed);
}

TEST(client_proxy_connect, a_proxy_that_cannot_be_reached_fails_as_proxy) {
  std::uint16_t free_port = 0;
  {
    scripted_server gone{[](peer&) {}};
    free_port = gone.port();
  }
  bench b;
  auto g = call_through(b, behind(), "http://me:hush@127.0.0.1:" + std::to_string(free_port));
  EXPECT_EQ(g.code(), errc::proxy_failed);
  expect_in(g.error->text, "127.0.0.1:" + std::to_string(free_port));
  expect_not_in(g.error->text, "hush");
  g = call_through(b, behind(), "http://me:hush@no-such-proxy.invalid");
  EXPECT_EQ(g.code(), errc::proxy_failed);
  expect_in(g.error->text, "no-such-proxy.invalid");
  expect_not_in(g.error->text, "hush");
}

TEST(client_proxy_connect, the_proxys_name_is_looked_up) {
  scripted_server s{[&](peer& p) {
    p.read_request();
    p.write(way_is_open);
    always(with_length("ok"))(p);
  }};
  bench b;
  EXPECT_EQ(call_through(b, behind(), proxy_url(s, "http", {}, "localhost")).body, "ok");
}

TEST(client_proxy_connect, what_no_proxy_can_do_is_an_invalid_argument) {
  bench b;
  auto g = call_through(b, behind(), "ftp://me:hush@127.0.0.1");
  EXPECT_EQ(g.code(), errc::invalid_argument);
  expect_not_in(g.error->text, "hush");
  origin file;
  file.unix_path = "/tmp/troupe-none.sock";
  g = call_through(b, file, "http://127.0.0.1:1");
  EXPECT_EQ(g.code(), errc::invalid_argument);
  EXPECT_EQ(b.c->counters().connections_made, 0U);
}

} // namespace
} // namespace troupe::http::testing
