#include "actors/core/login_guard.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

using namespace std::chrono_literals;
constexpr time_point t0{};

void fail(login_guard& g, std::string_view address, int times, time_point now) {
  for (int i = 0; i < times; ++i)
    g.failed(address, now);
}

TEST(login_guard, five_failures_cost_nothing) {
  login_guard g;
  fail(g, "10.0.0.1", 5, t0);
  EXPECT_EQ(g.wait("10.0.0.1", t0), 0s);
}

TEST(login_guard, each_further_failure_doubles_the_wait_up_to_a_minute) {
  login_guard g;
  fail(g, "10.0.0.1", 5, t0);
  auto now = t0;
  for (const auto expected : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s}) {
    g.failed("10.0.0.1", now);
    EXPECT_EQ(g.wait("10.0.0.1", now), expected);
    EXPECT_EQ(g.wait("10.0.0.1", now + expected - 1ms), 1ms);
    now += expected;
    EXPECT_EQ(g.wait("10.0.0.1", now), 0s);
  }
}

TEST(login_guard, a_window_without_too_many_failures_begins_anew) {
  login_guard g;
  fail(g, "10.0.0.1", 5, t0);
  g.failed("10.0.0.1", t0 + 60s);
  EXPECT_EQ(g.wait("10.0.0.1", t0 + 60s), 0s);
  fail(g, "10.0.0.1", 4, t0 + 61s);
  EXPECT_EQ(g.wait("10.0.0.1", t0 + 61s), 0s);
  g.failed("10.0.0.1", t0 + 62s);
  EXPECT_EQ(g.wait("10.0.0.1", t0 + 62s), 1s);
}

TEST(login_guard, who_was_shut_out_must_be_quiet_for_a_window_after_it) {
  login_guard g;
  fail(g, "10.0.0.1", 7, t0); // out until t0 + 2s
  g.failed("10.0.0.1", t0 + 61s);
  EXPECT_EQ(g.wait("10.0.0.1", t0 + 61s), 4s);
  g.failed("10.0.0.1", t0 + 65s + 60s);
  EXPECT_EQ(g.wait("10.0.0.1", t0 + 65s + 60s), 0s);
}

TEST(login_guard, a_success_clears_the_address) {
  login_guard g;
  fail(g, "10.0.0.1", 6, t0);
  g.succeeded("10.0.0.1");
  EXPECT_EQ(g.wait("10.0.0.1", t0), 0s);
  EXPECT_EQ(g.size(), 0U);
  fail(g, "10.0.0.1", 5, t0);
  EXPECT_EQ(g.wait("10.0.0.1", t0), 0s);
}

TEST(login_guard, addresses_are_counted_apart) {
  login_guard g;
  fail(g, "10.0.0.1", 6, t0);
  EXPECT_EQ(g.wait("10.0.0.2", t0), 0s);
}

TEST(login_guard, remembers_a_bounded_number_and_forgets_the_oldest) {
  login_guard g;
  fail(g, "first", 6, t0);
  fail(g, "second", 6, t0);
  for (std::size_t i = 0; i < login_guard::addresses_max - 2; ++i)
    g.failed("x" + std::to_string(i), t0);
  g.failed("first", t0); // now the newest
  g.failed("one more", t0);
  EXPECT_EQ(g.size(), login_guard::addresses_max);
  EXPECT_EQ(g.wait("first", t0), 2s);
  EXPECT_EQ(g.wait("second", t0), 0s);
}

TEST(login_guard, an_ipv6_network_is_one_address) {
  login_guard g;
  fail(g, "2001:db8:1:2:aaaa::1", 3, t0);
  fail(g, "2001:db8:1:2:bbbb:0:0:2", 3, t0);
  EXPECT_EQ(g.wait("2001:db8:1:2::3", t0), 1s);
  EXPECT_EQ(g.wait("2001:db8:1:3::3", t0), 0s);
}

TEST(guarded_address, keeps_ipv4_and_the_network_of_ipv6) {
  EXPECT_EQ(guarded_address("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(guarded_address("::ffff:10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(guarded_address("2001:db8::1"), "2001:db8:0:0::/64");
  EXPECT_EQ(guarded_address("::1"), "0:0:0:0::/64");
  EXPECT_EQ(guarded_address("fe80::1%eth0"), "fe80:0:0:0::/64");
  EXPECT_EQ(guarded_address("local uid 0"), "local uid 0");
}

} // namespace
} // namespace troupe
