#include "client_support.hpp"

namespace troupe::http::testing {
namespace {

const std::string ok = with_length("ok");

std::string close_after(const std::string& body) {
  return with_length(body, "connection: close\r\n");
}

/// `count` calls at the same time, each held open until all have their head.
task<void> hold(client& c, const origin& to, int& running, int count, event_loop& loop,
                int& ended) {
  cancel_source none;
  client_request r;
  r.target = "/";
  {
    auto answer = co_await c.send(to, r, none);
    EXPECT_TRUE(answer);
    ++running;
    while (running < count)
      co_await loop.sleep(1ms);
    while (true) {
      const auto bytes = co_await (*answer)->read();
      EXPECT_TRUE(bytes);
      if (!bytes || bytes->empty())
        break;
    }
  }
  ++ended;
}

task<void> hold_all(bench& b, const origin& to, int count) {
  int running = 0;
  int ended = 0;
  for (int i = 0; i < count; ++i)
    spawn(hold(*b.c, to, running, count, b.loop, ended));
  while (ended < count)
    co_await b.loop.sleep(1ms);
}

TEST(client_pool, one_connection_serves_calls_one_after_another) {
  scripted_server s{always(ok)};
  bench b;
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(b.call(s.at()).body, "ok");
  EXPECT_EQ(s.accepted(), 1);
  const auto counters = b.c->counters();
  EXPECT_EQ(counters.connections_made, 1U);
  EXPECT_EQ(counters.connections_open, 1U);
  EXPECT_EQ(counters.connections_idle, 1U);
  EXPECT_EQ(counters.requests, 100U);
  EXPECT_EQ(counters.stale_retries, 0U);
}

TEST(client_pool, every_clean_framing_leaves_the_connection_usable) {
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok"}) {
    scripted_server s{always(answer)};
    bench b;
    EXPECT_FALSE(b.call(s.at()).error);
    EXPECT_FALSE(b.call(s.at()).error);
    EXPECT_EQ(s.accepted(), 1) << answer;
  }
}

TEST(client_pool, no_second_call_where_the_upstream_said_close_or_sent_too_much) {
  for (const std::string& answer :
       {close_after("ok"), ok + "x", std::string{"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"},
        std::string{"HTTP/1.1 204 No\r\ncontent-length: 2\r\n\r\nok"}}) {
    scripted_server s{always(answer)};
    bench b;
    EXPECT_FALSE(b.call(s.at()).error) << answer;
    EXPECT_EQ(b.c->counters().connections_idle, 0U) << answer;
    EXPECT_EQ(b.c->counters().connections_open, 0U) << answer;
    EXPECT_FALSE(b.call(s.at()).error) << answer;
    EXPECT_EQ(s.accepted(), 2) << answer;
  }
}

TEST(client_pool, a_connection_whose_answer_was_not_read_to_its_end_is_closed) {
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
        auto answer = co_await me.c->send(to, r, none);
        EXPECT_TRUE(answer);
        const auto bytes = co_await (*answer)->read();
        EXPECT_EQ(*bytes, "hello");
      }
    };
    b.run(script::run(b, s.at()));
    EXPECT_EQ(b.c->counters().connections_open, 0U);
  }
  EXPECT_TRUE(closed);
}

TEST(client_pool, who_has_seen_the_whole_body_need_not_ask_for_its_end) {
  scripted_server s{always(ok)};
  bench b;
  struct script {
    static task<void> run(bench& me, origin to) {
      cancel_source none;
      client_request r;
      r.target = "/";
      auto answer = co_await me.c->send(to, r, none);
      const auto bytes = co_await (*answer)->read();
      EXPECT_EQ(*bytes, "ok");
    }
  };
  b.run(script::run(b, s.at()));
  b.run(script::run(b, s.at()));
  EXPECT_EQ(s.accepted(), 1);
}

TEST(client_pool, origins_do_not_share_connections) {
  scripted_server s{always(ok)};
  bench b;
  b.call(s.at("127.0.0.1"));
  b.call(s.at("localhost"));
  EXPECT_EQ(s.accepted(), 2);
  b.call(s.at("127.0.0.1"));
  b.call(s.at("localhost"));
  EXPECT_EQ(s.accepted(), 2);
}

TEST(client_pool, keeps_at_most_its_bound_of_idle_connections) {
  scripted_server s{always(ok)};
  client_options options;
  options.connections_idle_max = 3;
  bench b{options};
  b.run(hold_all(b, s.at(), 8));
  EXPECT_EQ(s.accepted(), 8);
  EXPECT_EQ(b.c->counters().connections_idle, 3U);
  EXPECT_EQ(b.c->counters().connections_open, 3U);
}

TEST(client_pool, the_latest_used_connection_is_used_first) {
  const auto numbered = [&](int number) {
    return [number](peer& p) {
      while (!p.read_request().empty())
        p.write(with_length(std::to_string(number)));
    };
  };
  scripted_server s{{numbered(1), numbered(2), numbered(3)}};
  bench b;
  b.run(hold_all(b, s.at(), 3));
  const auto one = b.call(s.at()).body;
  EXPECT_EQ(b.call(s.at()).body, one);
  EXPECT_EQ(b.call(s.at()).body, one);
}

TEST(client_pool, idle_connections_end_after_their_time) {
  bool closed = false;
  {
    scripted_server s{[&](peer& p) {
      p.read_request();
      p.write(ok);
      closed = p.closed_by_client();
    }};
    client_options options;
    options.idle_timeout = 10ms;
    bench b{options};
    b.call(s.at());
    EXPECT_EQ(b.c->counters().connections_idle, 1U);
    b.until([](const client_counters& c) { return c.connections_open == 0; });
    EXPECT_EQ(b.c->counters().connections_idle, 0U);
  }
  EXPECT_TRUE(closed);
}

TEST(client_pool, an_idle_connection_that_the_upstream_closes_is_dropped_unasked) {
  scripted_server s{once(ok)};
  bench b;
  b.call(s.at());
  b.until([](const client_counters& c) { return c.connections_open == 0; });
  EXPECT_EQ(b.call(s.at()).body, "ok");
  EXPECT_EQ(b.c->counters().stale_retries, 0U);
}

TEST(client_pool, an_idle_connection_that_speaks_unasked_is_dropped) {
  scripted_server s{{[](peer& p) {
                       p.read_request();
                       p.write(ok);
                       p.read_wake();
                       p.write("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n");
                       p.closed_by_client();
                     },
                     always(ok)}};
  bench b;
  b.call(s.at());
  b.wake();
  b.until([](const client_counters& c) { return c.connections_open == 0; });
  const auto g = b.call(s.at());
  EXPECT_EQ(g.status, 200) << "the 408 belongs to nobody";
  EXPECT_EQ(s.accepted(), 2);
}

TEST(client_pool, a_connection_that_dies_before_its_answer_is_replaced_once) {
  // The second request arrives and is not answered: closed, or reset.
  for (const bool reset : {false, true}) {
    scripted_server s{{[reset](peer& p) {
                         p.read_request();
                         p.write(ok);
                         p.read_request();
                         if (reset)
                           p.reset();
                       },
                       always(ok)}};
    bench b;
    b.call(s.at());
    client_request r;
    r.body = "the same again";
    const auto g = b.call(s.at(), r);
    EXPECT_FALSE(g.error);
    EXPECT_EQ(g.body, "ok");
    EXPECT_EQ(b.c->counters().stale_retries, 1U);
    EXPECT_EQ(s.accepted(), 2);
  }
}

TEST(client_pool, the_retry_passes_over_other_idle_connections) {
  // Three rest; all of them die when they are used again. The retry must not try a second.
  const auto dies = [](peer& p) {
    p.read_request();
    p.write(ok);
    p.read_request();
  };
  scripted_server s{{dies, dies, dies, always(ok)}};
  bench b;
  b.run(hold_all(b, s.at(), 3));
  EXPECT_EQ(b.c->counters().connections_idle, 3U);
  EXPECT_EQ(b.call(s.at()).body, "ok");
  EXPECT_EQ(b.c->counters().stale_retries, 1U);
}

TEST(client_pool, a_fresh_connection_that_dies_is_not_replaced) {
  scripted_server s{[](peer& p) { p.read_request(); }};
  bench b;
  EXPECT_EQ(b.call(s.at()).code(), errc::upstream_broken);
  EXPECT_EQ(s.accepted(), 1);
}

TEST(client_pool, nothing_is_repeated_after_the_first_byte_of_an_answer) {
  scripted_server s{[](peer& p) {
    p.read_request();
    p.write(ok);
    p.read_request();
    p.write("H");
  }};
  bench b;
  b.call(s.at());
  EXPECT_EQ(b.call(s.at()).code(), errc::upstream_broken);
  EXPECT_EQ(s.accepted(), 1);
  EXPECT_EQ(b.c->counters().stale_retries, 0U);
}

TEST(client_pool, stop_closes_idle_connections_and_refuses_calls) {
  bool closed = false;
  {
    scripted_server s{[&](peer& p) {
      p.read_request();
      p.write(ok);
      closed = p.closed_by_client();
    }};
    bench b;
    b.call(s.at());
    b.c->stop();
    EXPECT_EQ(b.c->counters().connections_open, 0U);
    EXPECT_EQ(b.call(s.at()).code(), errc::shutting_down);
  }
  EXPECT_TRUE(closed);
}

TEST(client_pool, a_call_that_runs_while_the_client_stops_ends_well_and_is_not_kept) {
  scripted_server s{always(ok)};
  bench b;
  struct script {
    static task<void> run(bench& me, origin to, got& g) {
      cancel_source none;
      client_request r;
      r.target = "/";
      auto answer = co_await me.c->send(to, r, none);
      me.c->stop();
      auto bytes = co_await (*answer)->read();
      g.body = *bytes;
      bytes = co_await (*answer)->read();
      EXPECT_TRUE(bytes);
      EXPECT_TRUE(bytes->empty());
    }
  };
  got g;
  b.run(script::run(b, s.at(), g));
  EXPECT_EQ(g.body, "ok");
  EXPECT_EQ(b.c->counters().connections_open, 0U);
}

TEST(client_pool, everything_may_be_destroyed_at_every_stage) {
  // The loop drops its coroutines while calls rest, wait for the head, read, connect, resolve.
  for (const bool client_first : {false, true}) {
    scripted_server s{{always(ok),
                       [](peer& p) {
                         p.read_request();
                         p.closed_by_client();
                       },
                       [](peer& p) {
                         p.read_request();
                         p.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
                         p.closed_by_client();
                       }}};
    silent_log log;
    auto loop = std::make_unique<event_loop>();
    auto c = client::make(*loop, {}, log);
    struct script {
      static task<void> call(client& from, origin to, int& heads) {
        cancel_source none;
        client_request r;
        r.target = "/";
        got g;
        co_await bench::fetch(from, to, r, none, g);
        ++heads;
      }
      static task<void> run(event_loop& l, client& from, origin to) {
        int done = 0;
        co_await call(from, to, done);
        spawn(call(from, to, done)); // takes the idle one and waits
        co_await l.sleep(1ms);
        auto name = to;
        name.host = "localhost";
        spawn(call(from, name, done));
        spawn(call(from, to, done));
        l.stop();
      }
    };
    loop->post([&] { spawn(script::run(*loop, *c, s.at())); });
    loop->run();
    if (client_first)
      c.reset();
    loop->drop_handlers();
    c.reset();
    loop.reset();
  }
}

} // namespace
} // namespace troupe::http::testing
