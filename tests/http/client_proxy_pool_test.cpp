#include "client_proxy_support.hpp"

#include <atomic>

namespace troupe::http::testing {
namespace {

/// Opens the way to whoever asks, and counts the ways.
class counting_proxy {
public:
  scripted_server::script script() {
    return [this](peer& p) {
      if (p.read_request().empty())
        return;
      opened.fetch_add(1);
      p.write(way_is_open);
      always(with_length("ok"))(p);
    };
  }
  std::atomic<int> opened{0};
};

// --- pooling

TEST(client_proxy_pool, one_way_serves_calls_to_one_upstream_one_after_another) {
  counting_proxy counts;
  scripted_server s{counts.script()};
  bench b;
  for (int i = 0; i < 50; ++i)
    ASSERT_EQ(call_through(b, behind(), proxy_url(s, "http")).body, "ok");
  EXPECT_EQ(counts.opened.load(), 1);
  EXPECT_EQ(call_through(b, behind("other.test"), proxy_url(s, "http")).body, "ok");
  EXPECT_EQ(counts.opened.load(), 2);
  EXPECT_EQ(b.c->counters().connections_idle, 2U);
}

TEST(client_proxy_pool, no_connection_is_shared_between_proxies_logins_and_the_direct_way) {
  counting_proxy counts;
  scripted_server s{counts.script()};
  scripted_server t{counts.script()};
  scripted_server upstream{always(with_length("direct"))};
  bench b;
  const auto to = upstream.at();
  const std::vector<std::string> ways{proxy_url(s, "http"), proxy_url(t, "http"),
                                      proxy_url(s, "http", "me:one@"),
                                      proxy_url(s, "http", "me:two@")};
  for (int round = 0; round < 2; ++round) {
    for (const auto& way : ways)
      EXPECT_EQ(call_through(b, to, way).body, "ok");
    EXPECT_EQ(b.call(to).body, "direct");
  }
  EXPECT_EQ(counts.opened.load(), 4);
  EXPECT_EQ(s.accepted(), 3);
  EXPECT_EQ(t.accepted(), 1);
  EXPECT_EQ(upstream.accepted(), 1);
  EXPECT_EQ(b.c->counters().connections_idle, 5U);
}

TEST(client_proxy_pool, stopping_closes_what_rests) {
  counting_proxy counts;
  scripted_server s{counts.script()};
  bench b;
  EXPECT_EQ(call_through(b, behind(), proxy_url(s, "http")).body, "ok");
  b.c->stop();
  EXPECT_EQ(b.c->counters().connections_open, 0U);
  EXPECT_EQ(call_through(b, behind(), proxy_url(s, "http")).code(), errc::shutting_down);
}

TEST(client_proxy_pool, a_proxy_that_closes_a_resting_way_is_asked_for_another) {
  scripted_server s{[](peer& p) {
    p.read_request();
    p.write(way_is_open);
    p.read_request();
    p.write(with_length("ok"));
    p.read_wake();
  }};
  bench b;
  EXPECT_EQ(call_through(b, behind(), proxy_url(s, "http")).body, "ok");
  b.wake();
  b.until([](const client_counters& c) { return c.connections_open == 0; });
  EXPECT_EQ(call_through(b, behind(), proxy_url(s, "http")).body, "ok");
  b.wake();
  EXPECT_EQ(s.accepted(), 2);
}

TEST(client_proxy_pool, many_proxies_that_came_and_went_are_forgotten) {
  counting_proxy counts;
  scripted_server s{counts.script()};
  client_options options;
  options.connections_idle_max = 0;
  bench b{options};
  for (int i = 0; i < 1'100; ++i)
    ASSERT_EQ(call_through(b, behind(), proxy_url(s, "http", "u" + std::to_string(i) + "@")).body,
              "ok");
  EXPECT_EQ(counts.opened.load(), 1'100);
}

// --- the hook before the first byte

struct hook_count {
  static client_hook of(int& n) {
    return {[](void* count) { ++*static_cast<int*>(count); }, &n};
  }
};

TEST(client_hook, is_called_once_for_a_call_on_any_connection) {
  scripted_server s{always(with_length("ok"))};
  bench b;
  int called = 0;
  client_request r;
  r.before_bytes = hook_count::of(called);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(b.call(s.at(), r).body, "ok");
    EXPECT_EQ(called, i);
  }
  EXPECT_EQ(s.accepted(), 1);
}

TEST(client_hook, is_called_again_when_a_stale_connection_is_replaced) {
  scripted_server s{{[](peer& p) {
                       p.read_request();
                       p.write(with_length("ok"));
                       p.read_request();
                     },
                     always(with_length("ok"))}};
  bench b;
  int called = 0;
  client_request r;
  r.before_bytes = hook_count::of(called);
  EXPECT_EQ(b.call(s.at(), r).body, "ok");
  EXPECT_EQ(b.call(s.at(), r).body, "ok");
  EXPECT_EQ(b.c->counters().stale_retries, 1U);
  EXPECT_EQ(called, 3);
}

TEST(client_hook, is_not_called_when_no_connection_came_to_stand) {
  scripted_server s{[](peer& p) {
    p.read_request();
    p.write("HTTP/1.1 502 No\r\n\r\n");
  }};
  bench b;
  int called = 0;
  client_request r;
  r.before_bytes = hook_count::of(called);
  EXPECT_EQ(call_through(b, behind(), proxy_url(s, "http"), r).code(), errc::proxy_failed);
  EXPECT_EQ(called, 0);
}

TEST(client_hook, comes_after_the_way_is_open_and_before_the_request) {
  std::atomic<int> asked{0};
  scripted_server s{[&](peer& p) {
    p.read_request();
    asked = 1;
    p.write(way_is_open);
    p.read_request();
    asked = 2;
    p.write(with_length("ok"));
  }};
  bench b;
  struct look {
    std::atomic<int>& asked;
    int seen = 0;
  } at{asked};
  client_request r;
  r.before_bytes = {[](void* to) {
                      auto& l = *static_cast<look*>(to);
                      l.seen = l.asked.load();
                    },
                    &at};
  EXPECT_EQ(call_through(b, behind(), proxy_url(s, "http"), r).body, "ok");
  EXPECT_EQ(at.seen, 1);
}

} // namespace
} // namespace troupe::http::testing
