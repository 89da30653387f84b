#include "client_support.hpp"
#include "client_tls_support.hpp"

namespace troupe::http::testing {
namespace {

TEST(client_tls, a_name_that_the_certificate_holds_is_served_and_shown) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost"};
  scripted_server s{side.always(with_length("ok"))};
  bench b{trusting(ca)};
  for (int i = 0; i < 3; ++i) {
    const auto g = b.call(s.at("localhost", true));
    ASSERT_FALSE(g.error) << g.error->text;
    EXPECT_EQ(g.body, "ok");
  }
  EXPECT_EQ(s.accepted(), 1);
  const std::lock_guard lock{side.mutex};
  EXPECT_EQ(side.server_name, "localhost");
  EXPECT_EQ(side.protocol, "http/1.1");
}

TEST(client_tls, an_address_is_checked_but_not_shown_as_a_name) {
  authority ca;
  tls_server_side side{ca, "IP:127.0.0.1"};
  scripted_server s{side.always(with_length("ok"))};
  bench b{trusting(ca)};
  const auto g = b.call(s.at("127.0.0.1", true));
  ASSERT_FALSE(g.error) << g.error->text;
  const std::lock_guard lock{side.mutex};
  EXPECT_EQ(side.server_name, "");
}

TEST(client_tls, an_unknown_authority_is_refused) {
  authority ca;
  authority other;
  tls_server_side side{ca, "DNS:localhost"};
  scripted_server s{side.always(with_length("ok"))};
  bench b{trusting(other)};
  const auto g = b.call(s.at("localhost", true));
  EXPECT_EQ(g.code(), errc::tls_failed);
  EXPECT_NE(g.error->text.find("localhost:" + std::to_string(s.port())), std::string::npos);
  EXPECT_NE(g.error->text.find("certificate"), std::string::npos) << g.error->text;
  EXPECT_EQ(b.c->counters().connections_open, 0U);
}

TEST(client_tls, a_certificate_for_another_name_or_address_is_refused) {
  authority ca;
  tls_server_side names{ca, "DNS:example.com,DNS:*.example.com"};
  scripted_server s{names.always(with_length("ok"))};
  bench b{trusting(ca)};
  auto g = b.call(s.at("localhost", true));
  EXPECT_EQ(g.code(), errc::tls_failed);
  EXPECT_NE(g.error->text.find("mismatch"), std::string::npos) << g.error->text;
  tls_server_side only_name{ca, "DNS:localhost"};
  scripted_server t{only_name.always(with_length("ok"))};
  g = b.call(t.at("127.0.0.1", true));
  EXPECT_EQ(g.code(), errc::tls_failed);
}

TEST(client_tls, verification_can_be_turned_off) {
  authority ca;
  tls_server_side side{ca, "DNS:example.com"};
  scripted_server s{side.always(with_length("ok"))};
  client_options options;
  options.verify = false;
  bench b{options};
  EXPECT_EQ(b.call(s.at("127.0.0.1", true)).body, "ok");
}

TEST(client_tls, an_upstream_without_tls_fails_the_handshake) {
  scripted_server s{[](peer& p) {
    p.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    p.closed_by_client();
  }};
  bench b;
  EXPECT_EQ(b.call(s.at("127.0.0.1", true)).code(), errc::tls_failed);
  scripted_server closes{[](peer&) {}};
  EXPECT_EQ(b.call(closes.at("127.0.0.1", true)).code(), errc::tls_failed);
}

TEST(client_tls, an_authority_file_that_is_missing_fails_every_call_with_its_name) {
  client_options options;
  options.ca_file = "/nonexistent/ca.pem";
  bench b{options};
  scripted_server s{[](peer& p) { p.closed_by_client(); }};
  const auto g = b.call(s.at("127.0.0.1", true));
  EXPECT_EQ(g.code(), errc::tls_failed);
  EXPECT_NE(g.error->text.find("/nonexistent/ca.pem"), std::string::npos) << g.error->text;
}

void second_connection_resumes(int version) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost", version};
  scripted_server s{side.once(with_length("ok", "connection: close\r\n"))};
  bench b{trusting(ca)};
  for (int i = 0; i < 4; ++i) {
    const auto g = b.call(s.at("localhost", true));
    ASSERT_FALSE(g.error) << g.error->text;
  }
  EXPECT_EQ(side.handshakes.load(), 4);
  EXPECT_EQ(side.resumed.load(), 3);
}

TEST(client_tls, later_connections_resume_with_tls_1_3) {
  second_connection_resumes(TLS1_3_VERSION);
}

TEST(client_tls, later_connections_resume_with_tls_1_2) {
  second_connection_resumes(TLS1_2_VERSION);
}

TEST(client_tls, a_session_of_one_origin_is_not_shown_to_another) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost,IP:127.0.0.1"};
  scripted_server s{side.once(with_length("ok", "connection: close\r\n"))};
  bench b{trusting(ca)};
  ASSERT_FALSE(b.call(s.at("localhost", true)).error);
  ASSERT_FALSE(b.call(s.at("127.0.0.1", true)).error);
  EXPECT_EQ(side.resumed.load(), 0);
}

TEST(client_tls, large_bodies_pass_both_ways_unchanged) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost"};
  std::string large;
  for (int i = 0; large.size() < 3'000'000; ++i)
    large += std::to_string(i * 7919) + ',';
  scripted_server s{side.always(with_length(large))};
  bench b{trusting(ca)};
  client_request r;
  r.body = large;
  for (int i = 0; i < 2; ++i) {
    const auto g = b.call(s.at("localhost", true), r);
    ASSERT_FALSE(g.error) << g.error->text;
    EXPECT_TRUE(g.body == large);
  }
  EXPECT_EQ(s.accepted(), 1);
}

TEST(client_tls, a_body_that_ends_with_the_connection_needs_the_farewell) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost"};
  bench b{trusting(ca)};
  {
    scripted_server s{side.once("HTTP/1.1 200 OK\r\n\r\nhello")};
    const auto g = b.call(s.at("localhost", true));
    EXPECT_FALSE(g.error);
    EXPECT_EQ(g.body, "hello");
  }
  {
    // Anybody on the way can close a TCP connection: without the farewell it is cut.
    scripted_server s{[&](peer& p) {
      side.serve(p, [](SSL* ssl) {
        tls_server_side::read_request(ssl);
        tls_server_side::write(ssl, "HTTP/1.1 200 OK\r\n\r\nhello");
      });
    }};
    const auto g = b.call(s.at("localhost", true));
    EXPECT_EQ(g.body, "hello");
    EXPECT_EQ(g.code(), errc::upstream_broken);
  }
}

TEST(client_tls, an_idle_connection_survives_tickets_and_ends_with_the_farewell) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost"};
  scripted_server s{[&](peer& p) {
    side.serve(p, [&p](SSL* ssl) {
      tls_server_side::read_request(ssl);
      tls_server_side::write(ssl, with_length("one"));
      p.read_wake();
      SSL_new_session_ticket(ssl); // bytes on an idle connection that are no answer
      SSL_do_handshake(ssl);
      tls_server_side::read_request(ssl);
      tls_server_side::write(ssl, with_length("two"));
      p.read_wake();
      SSL_shutdown(ssl);
      p.closed_by_client();
    });
  }};
  bench b{trusting(ca)};
  EXPECT_EQ(b.call(s.at("localhost", true)).body, "one");
  b.wake();
  EXPECT_EQ(b.call(s.at("localhost", true)).body, "two");
  EXPECT_EQ(s.accepted(), 1);
  EXPECT_EQ(b.c->counters().connections_idle, 1U);
  b.wake();
  b.until([](const client_counters& c) { return c.connections_open == 0; });
  EXPECT_EQ(b.c->counters().connections_idle, 0U);
}

TEST(client_tls, a_stale_connection_is_replaced_once) {
  authority ca;
  tls_server_side side{ca, "DNS:localhost"};
  scripted_server s{{[&](peer& p) {
                       side.serve(p, [](SSL* ssl) {
                         tls_server_side::read_request(ssl);
                         tls_server_side::write(ssl, with_length("ok"));
                         tls_server_side::read_request(ssl);
                       });
                     },
                     side.always(with_length("ok"))}};
  bench b{trusting(ca)};
  EXPECT_EQ(b.call(s.at("localhost", true)).body, "ok");
  EXPECT_EQ(b.call(s.at("localhost", true)).body, "ok");
  EXPECT_EQ(b.c->counters().stale_retries, 1U);
}

} // namespace
} // namespace troupe::http::testing
