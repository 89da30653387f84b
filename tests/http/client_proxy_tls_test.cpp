#include "client_proxy_support.hpp"
#include "client_tls_support.hpp"

namespace troupe::http::testing {
namespace {

std::string large_text() {
  std::string large;
  for (int i = 0; large.size() < 3'000'000; ++i)
    large += std::to_string(i * 7919) + ',';
  return large;
}

/// A proxy that is spoken to over TLS, and behind it an upstream over TLS.
struct tls_in_tls {
  authority ca;
  tls_server_side proxy{ca, "DNS:localhost"};
  tls_server_side upstream{ca, "DNS:upstream.test"};

  /// Opens the way, then the upstream does as told.
  scripted_server::script opens(const std::function<void(SSL*, SSL*)>& talk) {
    return [this, talk](peer& p) {
      proxy.serve(p, [&](SSL* outer) {
        if (tls_server_side::read_request(outer).empty())
          return;
        tls_server_side::write(outer, way_is_open);
        upstream.serve(outer, [&](SSL* inner) { talk(outer, inner); });
      });
    };
  }

  scripted_server::script answers(const std::string& answer) {
    return opens([answer](SSL*, SSL* inner) {
      while (!tls_server_side::read_request(inner).empty())
        tls_server_side::write(inner, answer);
    });
  }
};

std::string https_url(const scripted_server& s) {
  return proxy_url(s, "https", {}, "localhost");
}

TEST(client_proxy_tls, the_upstreams_certificate_is_verified_behind_connect) {
  authority ca;
  tls_server_side side{ca, "DNS:upstream.test"};
  scripted_server s{[&](peer& p) {
    p.read_request();
    p.write(way_is_open);
    side.always(with_length("ok"))(p);
  }};
  bench b{trusting(ca)};
  for (int i = 0; i < 2; ++i) {
    const auto g = call_through(b, behind("upstream.test", true), proxy_url(s, "http"));
    ASSERT_FALSE(g.error) << g.error->text;
    EXPECT_EQ(g.body, "ok");
  }
  EXPECT_EQ(s.accepted(), 1);
  {
    const std::lock_guard lock{side.mutex};
    EXPECT_EQ(side.server_name, "upstream.test");
  }
  const auto other = call_through(b, behind("other.test", true), proxy_url(s, "http"));
  EXPECT_EQ(other.code(), errc::tls_failed);
  expect_in(other.error->text, "other.test:8080");
  expect_in(other.error->text, "mismatch");
}

TEST(client_proxy_tls, the_upstreams_certificate_is_verified_behind_socks) {
  authority ca;
  tls_server_side side{ca, "DNS:upstream.test"};
  scripted_server s{[&](peer& p) {
    socks_opens(p);
    side.always(with_length("ok"))(p);
  }};
  bench b{trusting(ca)};
  const auto g = call_through(b, behind("upstream.test", true), proxy_url(s, "socks5h"));
  ASSERT_FALSE(g.error) << g.error->text;
  EXPECT_EQ(g.body, "ok");
  bench distrusting{client_options{}};
  const auto refused =
      call_through(distrusting, behind("upstream.test", true), proxy_url(s, "socks5h"));
  EXPECT_EQ(refused.code(), errc::tls_failed);
}

TEST(client_proxy_tls, an_upstream_that_ends_the_handshake_fails_as_without_a_proxy) {
  scripted_server s{[](peer& p) {
    p.read_request();
    p.write(way_is_open);
  }};
  bench b;
  const auto g = call_through(b, behind("upstream.test", true), proxy_url(s, "http"));
  EXPECT_EQ(g.code(), errc::tls_failed);
}

TEST(client_proxy_tls, an_https_proxy_leads_to_a_plain_upstream) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost"};
  notes seen;
  scripted_server s{[&](peer& p) {
    side.serve(p, [&](SSL* ssl) {
      seen.add(tls_server_side::read_request(ssl));
      tls_server_side::write(ssl, way_is_open);
      while (true) {
        auto request = tls_server_side::read_request(ssl);
        if (request.empty())
          return;
        seen.add(std::move(request));
        tls_server_side::write(ssl, with_length("ok"));
      }
    });
  }};
  bench b{trusting(ca)};
  for (int i = 0; i < 2; ++i) {
    const auto g = call_through(b, behind(), https_url(s));
    ASSERT_FALSE(g.error) << g.error->text;
    EXPECT_EQ(g.body, "ok");
  }
  const auto all = seen.all();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_TRUE(all[0].starts_with("CONNECT upstream.test:8080 HTTP/1.1\r\n"));
  EXPECT_TRUE(all[1].starts_with("POST / HTTP/1.1\r\nhost: upstream.test:8080\r\n"));
}

TEST(client_proxy_tls, an_https_proxy_leads_to_a_tls_upstream) {
  tls_in_tls two;
  scripted_server s{two.answers(with_length("ok"))};
  bench b{trusting(two.ca)};
  for (int i = 0; i < 3; ++i) {
    const auto g = call_through(b, behind("upstream.test", true), https_url(s));
    ASSERT_FALSE(g.error) << g.error->text;
    EXPECT_EQ(g.body, "ok");
  }
  EXPECT_EQ(s.accepted(), 1);
  const std::scoped_lock lock{two.proxy.mutex, two.upstream.mutex};
  EXPECT_EQ(two.proxy.server_name, "localhost");
  EXPECT_EQ(two.upstream.server_name, "upstream.test");
}

TEST(client_proxy_tls, large_bodies_pass_tls_in_tls_unchanged) {
  const auto large = large_text();
  tls_in_tls two;
  scripted_server s{two.opens([&](SSL*, SSL* inner) {
    while (true) {
      const auto request = tls_server_side::read_request(inner);
      if (request.empty())
        return;
      EXPECT_TRUE(request.ends_with(large));
      tls_server_side::write(inner, with_length(large));
    }
  })};
  bench b{trusting(two.ca)};
  client_request r;
  r.body = large;
  for (int i = 0; i < 2; ++i) {
    const auto g = call_through(b, behind("upstream.test", true), https_url(s), r);
    ASSERT_FALSE(g.error) << g.error->text;
    EXPECT_TRUE(g.body == large);
  }
  EXPECT_EQ(s.accepted(), 1);
}

TEST(client_proxy_tls, the_end_of_either_layer_is_no_clean_end_of_a_body) {
  tls_in_tls two;
  bench b{trusting(two.ca)};
  const auto to = behind("upstream.test", true);
  {
    scripted_server s{two.opens([](SSL* outer, SSL* inner) {
      tls_server_side::read_request(inner);
      tls_server_side::write(inner, "HTTP/1.1 200 OK\r\n\r\nhello");
      SSL_shutdown(outer);
      tls_server_side::read_request(outer);
    })};
    const auto g = call_through(b, to, https_url(s));
    EXPECT_EQ(g.body, "hello");
    EXPECT_EQ(g.code(), errc::upstream_broken);
  }
  {
    scripted_server s{two.opens([](SSL*, SSL* inner) {
      tls_server_side::read_request(inner);
      tls_server_side::write(inner, "HTTP/1.1 200 OK\r\n\r\nhello");
      SSL_shutdown(inner);
    })};
    const auto g = call_through(b, to, https_url(s));
    EXPECT_EQ(g.body, "hello");
    EXPECT_FALSE(g.error);
  }
}

TEST(client_proxy_tls, the_end_of_the_outer_layer_ends_the_inner_handshake) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost"};
  scripted_server s{[&](peer& p) {
    side.serve(p, [](SSL* ssl) {
      tls_server_side::read_request(ssl);
      tls_server_side::write(ssl, way_is_open);
      char hello[16];
      SSL_read(ssl, hello, sizeof hello);
      SSL_shutdown(ssl);
    });
    p.closed_by_client();
  }};
  bench b{trusting(ca)};
  EXPECT_EQ(call_through(b, behind("upstream.test", true), https_url(s)).code(), errc::tls_failed);
}

TEST(client_proxy_tls, a_proxy_with_the_wrong_certificate_is_told_nothing) {
  authority ca;
  tls_server_side side{ca, "DNS:other.test"};
  scripted_server s{side.always(way_is_open)};
  bench b{trusting(ca)};
  const auto g = call_through(b, behind(), proxy_url(s, "https", "me:hush@", "localhost"));
  EXPECT_EQ(g.code(), errc::proxy_failed);
  expect_in(g.error->text, "mismatch");
  expect_not_in(g.error->text, "hush");
  EXPECT_EQ(b.c->counters().connections_open, 0U);
}

TEST(client_proxy_tls, a_proxy_that_speaks_no_tls_fails) {
  for (const std::string& bytes :
       {std::string{"HTTP/1.1 400 Bad Request\r\n\r\n"}, std::string{}}) {
    scripted_server s{[&](peer& p) { p.write(bytes); }};
    bench b;
    EXPECT_EQ(call_through(b, behind(), https_url(s)).code(), errc::proxy_failed);
  }
}

TEST(client_proxy_tls, an_authority_file_that_is_missing_is_no_fault_of_the_proxy) {
  client_options options;
  options.ca_file = "/nonexistent/ca.pem";
  bench b{options};
  scripted_server s{[](peer& p) { p.closed_by_client(); }};
  EXPECT_EQ(call_through(b, behind(), https_url(s)).code(), errc::tls_failed);
}

TEST(client_proxy_tls, an_https_proxy_may_refuse) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost"};
  scripted_server s{side.once("HTTP/1.1 407 Who\r\n\r\n")};
  bench b{trusting(ca)};
  const auto g = call_through(b, behind("upstream.test", true), https_url(s));
  EXPECT_EQ(g.code(), errc::proxy_failed);
  expect_in(g.error->text, "asks for a user");
}

TEST(client_proxy_tls, bytes_after_the_answer_fail_within_tls_too) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost"};
  scripted_server s{side.once(way_is_open + with_length("forged"))};
  bench b{trusting(ca)};
  EXPECT_EQ(call_through(b, behind(), https_url(s)).code(), errc::proxy_failed);
}

TEST(client_proxy_tls, both_layers_resume_their_sessions) {
  tls_in_tls two;
  scripted_server s{two.opens([](SSL*, SSL* inner) {
    tls_server_side::read_request(inner);
    tls_server_side::write(inner, with_length("ok", "connection: close\r\n"));
  })};
  bench b{trusting(two.ca)};
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(call_through(b, behind("upstream.test", true), https_url(s)).body, "ok");
  EXPECT_EQ(two.proxy.resumed.load(), 2);
  EXPECT_EQ(two.upstream.resumed.load(), 2);
}

} // namespace
} // namespace troupe::http::testing
