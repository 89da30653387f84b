#include "client_support.hpp"

namespace troupe::http::testing {
namespace {

client_timeouts short_ones() {
  client_timeouts t;
  t.connect = 20s;
  t.first_byte = 20s;
  t.silence = 20s;
  t.total = 20s;
  return t;
}

/// Calls a server that behaves so, and says what came of it and whether the server saw the
/// connection closed.
struct ended {
  got g;
  bool closed = false;
};

ended call(const client_timeouts& timeouts, const std::function<void(peer&)>& before_hang,
           std::string_view body = {}) {
  ended e;
  {
    scripted_server s{[&](peer& p) {
      before_hang(p);
      e.closed = p.closed_by_client();
    }};
    bench b;
    client_request r;
    r.target = "/";
    r.body = body;
    r.timeouts = timeouts;
    e.g = b.call(s.at(), r);
    EXPECT_EQ(b.c->counters().connections_open, 0U);
  }
  return e;
}

TEST(client_timeout, an_upstream_that_never_answers_ends_by_first_byte) {
  auto t = short_ones();
  t.first_byte = 30ms;
  const auto e = call(t, [](peer& p) { p.read_request(); });
  EXPECT_EQ(e.g.code(), errc::upstream_timeout);
  EXPECT_FALSE(e.g.head);
  EXPECT_NE(e.g.error->text.find("no answer"), std::string::npos) << e.g.error->text;
  EXPECT_TRUE(e.closed);
}

TEST(client_timeout, interim_answers_are_no_first_byte_forever) {
  auto t = short_ones();
  t.silence = 30ms;
  const auto e = call(t, [](peer& p) {
    p.read_request();
    p.write("HTTP/1.1 100 Continue\r\n\r\n");
  });
  EXPECT_EQ(e.g.code(), errc::upstream_timeout);
}

TEST(client_timeout, silence_within_the_head_ends_the_call) {
  auto t = short_ones();
  t.silence = 30ms;
  const auto e = call(t, [](peer& p) {
    p.read_request();
    p.write("HTTP/1.1 200 OK\r\ncontent");
  });
  EXPECT_EQ(e.g.code(), errc::upstream_timeout);
  EXPECT_FALSE(e.g.head);
  EXPECT_TRUE(e.closed);
}

TEST(client_timeout, silence_within_the_body_ends_the_call) {
  auto t = short_ones();
  t.silence = 30ms;
  const auto e = call(t, [](peer& p) {
    p.read_request();
    p.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
  });
  EXPECT_TRUE(e.g.head);
  EXPECT_EQ(e.g.body, "hello");
  EXPECT_EQ(e.g.code(), errc::upstream_timeout);
  EXPECT_NE(e.g.error->text.find("silent"), std::string::npos) << e.g.error->text;
  EXPECT_TRUE(e.closed);
}

TEST(client_timeout, an_upstream_that_takes_no_bytes_ends_by_silence) {
  auto t = short_ones();
  t.silence = 30ms;
  const std::string large(32'000'000, 'x');
  const auto e = call(
      t,
      [](peer& p) {
        // Reads nothing until the client has given up.
        pollfd closed{p.fd(), POLLRDHUP | POLLHUP, 0};
        ::poll(&closed, 1, 20'000);
      },
      large);
  EXPECT_EQ(e.g.code(), errc::upstream_timeout);
  EXPECT_TRUE(e.closed);
}

TEST(client_timeout, a_body_that_drips_forever_ends_by_total) {
  auto t = short_ones();
  t.total = 100ms;
  const auto e = call(t, [](peer& p) {
    p.read_request();
    p.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    pollfd closed{p.fd(), POLLRDHUP | POLLHUP, 0};
    while (::poll(&closed, 1, 5) == 0)
      p.write("1\r\nx\r\n");
  });
  EXPECT_TRUE(e.g.head);
  EXPECT_EQ(e.g.code(), errc::upstream_timeout);
  EXPECT_NE(e.g.error->text.find("too long"), std::string::npos) << e.g.error->text;
  EXPECT_TRUE(e.closed);
}

TEST(client_timeout, total_ends_a_call_whose_caller_takes_its_time) {
  bool closed = false;
  {
    scripted_server s{[&](peer& p) {
      p.read_request();
      p.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
      closed = p.closed_by_client();
    }};
    bench b;
    struct script {
      static task<void> run(bench& me, origin to) {
        cancel_source none;
        client_request r;
        r.target = "/";
        r.timeouts.total = 50ms;
        auto answer = co_await me.c->send(to, r, none);
        EXPECT_TRUE(answer);
        auto bytes = co_await (*answer)->read();
        EXPECT_EQ(*bytes, "hello");
        while (me.c->counters().connections_open > 0)
          co_await me.loop.sleep(1ms);
        bytes = co_await (*answer)->read();
        EXPECT_FALSE(bytes);
        EXPECT_EQ(bytes.error().code, errc::upstream_timeout);
      }
    };
    b.run(script::run(b, s.at()));
  }
  EXPECT_TRUE(closed);
}

TEST(client_timeout, a_handshake_that_hangs_ends_by_connect) {
  std::optional<got> g;
  bool closed = false;
  {
    scripted_server s{[&](peer& p) { closed = p.closed_by_client(); }};
    bench b;
    client_request r;
    r.timeouts = short_ones();
    r.timeouts.connect = 30ms;
    g = b.call(s.at("127.0.0.1", true), r);
  }
  EXPECT_EQ(g->code(), errc::upstream_timeout);
  EXPECT_NE(g->error->text.find("no connection"), std::string::npos) << g->error->text;
  EXPECT_TRUE(closed);
}

TEST(client_timeout, a_connection_that_nobody_accepts_ends_by_connect) {
  full_listener nobody;
  bench b;
  origin to;
  to.tls = false;
  to.host = "127.0.0.1";
  to.port = nobody.port;
  client_request r;
  r.timeouts = short_ones();
  r.timeouts.connect = 30ms;
  const auto g = b.call(to, r);
  EXPECT_EQ(g.code(), errc::upstream_timeout);
}

// --- cancelling

/// Calls, and is cancelled by the server's script through `cancel_now`.
class cancelled_call {
public:
  using script = std::function<void(peer&, const std::function<void()>& cancel_now)>;

  explicit cancelled_call(const script& behave, std::string_view body = {}, bool tls = false) {
    cancel_source cancel;
    bench b;
    const auto cancel_now = [&] { b.loop.post([&cancel] { cancel.cancel(); }); };
    {
      scripted_server s{[&](peer& p) {
        behave(p, cancel_now);
        closed = p.closed_by_client();
      }};
      client_request r;
      r.target = "/";
      r.body = body;
      const auto to = s.at("127.0.0.1", tls);
      b.run(bench::fetch(*b.c, to, r, cancel, g));
      open = b.c->counters().connections_open;
    }
  }

  got g;
  bool closed = false;
  std::size_t open = 1;
};

TEST(client_cancel, while_waiting_for_the_head_closes_at_once) {
  const cancelled_call c{[](peer& p, const auto& cancel_now) {
    p.read_request();
    cancel_now();
  }};
  EXPECT_EQ(c.g.code(), errc::cancelled);
  EXPECT_TRUE(c.closed);
  EXPECT_EQ(c.open, 0U);
}

TEST(client_cancel, while_sending_closes_at_once) {
  const std::string large(32'000'000, 'x');
  const cancelled_call c{[](peer& p, const auto& cancel_now) {
                           char some[100];
                           ::recv(p.fd(), some, sizeof some, 0);
                           cancel_now();
                           pollfd closed{p.fd(), POLLRDHUP | POLLHUP, 0};
                           ::poll(&closed, 1, 20'000);
                         },
                         large};
  EXPECT_EQ(c.g.code(), errc::cancelled);
  EXPECT_TRUE(c.closed);
}

TEST(client_cancel, while_reading_the_body_closes_at_once) {
  const cancelled_call c{[](peer& p, const auto& cancel_now) {
    p.read_request();
    p.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
    cancel_now();
  }};
  EXPECT_EQ(c.g.code(), errc::cancelled);
  EXPECT_TRUE(c.closed);
}

TEST(client_cancel, while_shaking_hands_closes_at_once) {
  const cancelled_call c{[](peer& p, const auto& cancel_now) {
                           char some[5];
                           ::recv(p.fd(), some, sizeof some, 0);
                           cancel_now();
                         },
                         {},
                         true};
  EXPECT_EQ(c.g.code(), errc::cancelled);
  EXPECT_TRUE(c.closed);
}

/// Cancels in the same turn in which `send` began to wait.
task<void> send_and_cancel(bench& b, origin to, got& g) {
  struct script {
    static task<void> call(bench& me, const origin& where, cancel_source& cancel, got& out,
                           bool& done) {
      client_request r;
      r.target = "/";
      co_await bench::fetch(*me.c, where, r, cancel, out);
      done = true;
    }
  };
  cancel_source cancel;
  bool done = false;
  spawn(script::call(b, to, cancel, g, done));
  EXPECT_FALSE(done);
  cancel.cancel();
  EXPECT_FALSE(done) << "who cancels is not called back from within";
  while (!done)
    co_await b.loop.sleep(1ms);
}

TEST(client_cancel, while_connecting_ends_the_call) {
  full_listener nobody;
  bench b;
  origin to;
  to.tls = false;
  to.host = "127.0.0.1";
  to.port = nobody.port;
  got g;
  b.run(send_and_cancel(b, to, g));
  EXPECT_EQ(g.code(), errc::cancelled);
}

TEST(client_cancel, while_the_name_is_looked_up_ends_the_call) {
  scripted_server s{always(with_length("ok"))};
  bench b;
  got g;
  b.run(send_and_cancel(b, s.at("localhost"), g));
  EXPECT_EQ(g.code(), errc::cancelled);
  EXPECT_EQ(b.call(s.at("localhost")).body, "ok") << "the question goes on for others";
}

TEST(client_cancel, before_the_call_sends_nothing) {
  scripted_server s{always(with_length("ok"))};
  bench b;
  cancel_source cancel;
  cancel.cancel();
  got g;
  client_request r;
  r.target = "/";
  const auto to = s.at();
  b.run(bench::fetch(*b.c, to, r, cancel, g));
  EXPECT_EQ(g.code(), errc::cancelled);
  EXPECT_EQ(s.accepted(), 0);
}

TEST(client_cancel, on_a_pooled_connection_closes_it) {
  std::atomic<bool> closed{false};
  cancel_source cancel;
  {
    bench b;
    scripted_server s{[&](peer& p) {
      p.read_request();
      p.write(with_length("ok"));
      p.read_request();
      b.loop.post([&cancel] { cancel.cancel(); });
      closed = p.closed_by_client();
    }};
    EXPECT_EQ(b.call(s.at()).body, "ok");
    got g;
    client_request r;
    r.target = "/";
    const auto to = s.at();
    b.run(bench::fetch(*b.c, to, r, cancel, g));
    EXPECT_EQ(g.code(), errc::cancelled);
    EXPECT_EQ(b.c->counters().stale_retries, 0U) << "a cancel is no reason to try again";
    EXPECT_EQ(s.accepted(), 1);
  }
  EXPECT_TRUE(closed);
}

TEST(client_cancel, after_the_end_of_the_answer_means_nothing) {
  scripted_server s{always(with_length("ok"))};
  bench b;
  cancel_source cancel;
  got g;
  client_request r;
  r.target = "/";
  const auto to = s.at();
  b.run(bench::fetch(*b.c, to, r, cancel, g));
  cancel.cancel();
  EXPECT_EQ(b.call(s.at()).body, "ok");
  EXPECT_EQ(s.accepted(), 1);
}

} // namespace
} // namespace troupe::http::testing
