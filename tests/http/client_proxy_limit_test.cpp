#include "client_proxy_support.hpp"

/// Limits and cancelling at each step of the way through a proxy.

namespace troupe::http::testing {
namespace {

using namespace std::string_literals;

/// What the proxy does before it hangs.
using steps = std::function<void(peer&)>;

struct stage {
  const char* name;
  const char* scheme;
  bool tls; ///< the upstream's
  steps before;
};

const std::vector<stage>& stages() {
  static const std::vector<stage> all{
      {"CONNECT", "http", false, [](peer& p) { p.read_request(); }},
      {"half an answer", "http", false,
       [](peer& p) {
         p.read_request();
         p.write("HTTP/1.1 200");
       }},
      {"TLS with the proxy", "https", false, [](peer& p) { read_bytes(p, 5); }},
      {"greeting", "socks5h", false, [](peer& p) { read_bytes(p, 4); }},
      {"login", "socks5h", false,
       [](peer& p) {
         read_bytes(p, 4);
         p.write("\x05\x02"s);
         read_bytes(p, 9);
       }},
      {"reply", "socks5h", false,
       [](peer& p) {
         read_bytes(p, 4);
         p.write("\x05\x00"s);
         read_bytes(p, 20);
         p.write("\x05\x00\x00"s);
       }},
      {"TLS with the upstream", "http", true,
       [](peer& p) {
         p.read_request();
         p.write(way_is_open);
         read_bytes(p, 5);
       }},
  };
  return all;
}

struct ended {
  got g;
  bool closed = false;
};

ended hang(const stage& at, const client_timeouts& timeouts, bool cancels) {
  ended e;
  cancel_source cancel;
  bench b;
  {
    scripted_server s{[&](peer& p) {
      at.before(p);
      if (cancels)
        b.loop.post([&cancel] { cancel.cancel(); });
      e.closed = p.closed_by_client();
    }};
    const auto proxy = proxy_url(s, at.scheme, "me:hush@");
    const auto to = behind("upstream.test", at.tls);
    client_request r;
    r.target = "/";
    r.timeouts = timeouts;
    r.proxy = proxy;
    b.run(bench::fetch(*b.c, to, r, cancel, e.g));
  }
  EXPECT_EQ(b.c->counters().connections_open, 0U);
  EXPECT_TRUE(e.g.error);
  return e;
}

TEST(client_proxy_limit, a_proxy_that_hangs_ends_by_connect_at_each_step) {
  client_timeouts t;
  t.connect = 30ms;
  for (const auto& at : stages()) {
    const auto e = hang(at, t, false);
    EXPECT_EQ(e.g.code(), at.tls ? errc::upstream_timeout : errc::proxy_failed) << at.name;
    expect_in(e.g.error->text, "in time");
    expect_not_in(e.g.error->text, "hush");
    EXPECT_TRUE(e.closed) << at.name;
  }
}

TEST(client_proxy_limit, total_ends_the_call_at_each_step) {
  client_timeouts t;
  t.total = 30ms;
  for (const auto& at : stages()) {
    const auto e = hang(at, t, false);
    EXPECT_EQ(e.g.code(), errc::upstream_timeout) << at.name;
    expect_in(e.g.error->text, "took too long");
    EXPECT_TRUE(e.closed) << at.name;
  }
}

TEST(client_proxy_limit, a_proxy_that_takes_no_connection_ends_by_connect) {
  full_listener nobody;
  bench b;
  client_request r;
  r.timeouts.connect = 30ms;
  const auto g = call_through(b, behind(), "http://127.0.0.1:" + std::to_string(nobody.port), r);
  EXPECT_EQ(g.code(), errc::proxy_failed);
}

TEST(client_proxy_limit, an_answer_that_drips_ends_by_connect) {
  scripted_server s{[](peer& p) {
    p.read_request();
    p.write("HTTP/1.1 200 OK\r\nfield: ");
    pollfd closed{p.fd(), POLLRDHUP | POLLHUP, 0};
    while (::poll(&closed, 1, 5) == 0)
      p.write("x");
  }};
  bench b;
  client_request r;
  r.timeouts.connect = 50ms;
  const auto g = call_through(b, behind(), proxy_url(s, "http"), r);
  EXPECT_EQ(g.code(), errc::proxy_failed);
}

TEST(client_proxy_cancel, closes_at_once_at_each_step) {
  for (const auto& at : stages()) {
    const auto e = hang(at, {}, true);
    EXPECT_EQ(e.g.code(), errc::cancelled) << at.name;
    EXPECT_TRUE(e.closed) << at.name;
  }
}

/// Cancels in the same turn in which `send` began to wait.
task<void> send_and_cancel(bench& b, const std::string& proxy, origin to, got& g) {
  struct script {
    static task<void> call(bench& me, const origin& where, std::string_view through,
                           cancel_source& cancel, got& out, bool& done) {
      client_request r;
      r.target = "/";
      r.proxy = through;
      co_await bench::fetch(*me.c, where, r, cancel, out);
      done = true;
    }
  };
  cancel_source cancel;
  bool done = false;
  spawn(script::call(b, to, proxy, cancel, g, done));
  EXPECT_FALSE(done);
  cancel.cancel();
  EXPECT_FALSE(done) << "who cancels is not called back from within";
  while (!done)
    co_await b.loop.sleep(1ms);
}

TEST(client_proxy_cancel, while_a_name_is_looked_up_or_the_proxy_does_not_accept) {
  full_listener nobody;
  const auto port = std::to_string(nobody.port);
  bench b;
  const std::vector<std::pair<std::string, origin>> ways{
      {"http://127.0.0.1:" + port, behind()},
      {"http://localhost:" + port, behind()},
      {"socks5://127.0.0.1:" + port, behind("localhost")}};
  for (const auto& [proxy, to] : ways) {
    got g;
    b.run(send_and_cancel(b, proxy, to, g));
    EXPECT_EQ(g.code(), errc::cancelled) << proxy;
  }
  EXPECT_EQ(b.c->counters().connections_open, 0U);
}

TEST(client_proxy_cancel, a_loop_that_stops_at_any_step_drops_the_call) {
  for (const auto& at : stages()) {
    bool closed = false;
    {
      bench* stopped = nullptr;
      std::binary_semaphore there{0};
      scripted_server s{[&](peer& p) {
        at.before(p);
        there.acquire();
        stopped->loop.stop();
        closed = p.closed_by_client();
      }};
      const auto proxy = proxy_url(s, at.scheme, "me:hush@");
      const auto to = behind("upstream.test", at.tls);
      client_request r;
      r.target = "/";
      r.proxy = proxy;
      cancel_source none;
      got g;
      bench b;
      stopped = &b;
      there.release();
      b.loop.post([&] { spawn(bench::fetch(*b.c, to, r, none, g)); });
      b.loop.run();
      EXPECT_FALSE(g.head);
      EXPECT_FALSE(g.error);
    }
    EXPECT_TRUE(closed) << at.name;
  }
}

} // namespace
} // namespace troupe::http::testing
