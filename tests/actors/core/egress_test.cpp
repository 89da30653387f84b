#include "actors/core/egress.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <vector>

namespace troupe {
namespace {

using namespace std::chrono_literals;
constexpr time_point t0{1h};
constexpr std::uint64_t keys = 10'000;

using ids = std::vector<std::uint64_t>;

ids up_to(std::uint64_t proxies) {
  ids all(proxies);
  std::iota(all.begin(), all.end(), 1U);
  return all;
}

egress with_proxies(ids proxies, const egress_policy& policy = {}) {
  egress e{policy};
  e.change_plan({.groups = {}, .proxies = std::move(proxies)});
  return e;
}

std::uint64_t egress_of(const egress& e, std::uint64_t key, time_point now = t0) {
  return e.assigned({.key = key}, now).egress;
}

/// A key that `proxy` serves while all are alive.
std::uint64_t key_on(const egress& e, std::uint64_t proxy) {
  std::uint64_t key = 1;
  while (egress_of(e, key) != proxy)
    ++key;
  return key;
}

TEST(egress, is_direct_without_proxies) {
  egress e;
  const auto c = e.assign({.key = 5}, t0);
  EXPECT_EQ(c.egress, direct_egress);
  EXPECT_TRUE(c.usable);
}

TEST(egress, spreads_keys_evenly_over_proxies) {
  const auto e = with_proxies(up_to(10));
  std::map<std::uint64_t, int> used;
  for (std::uint64_t key = 1; key <= keys; ++key)
    ++used[egress_of(e, key)];
  ASSERT_EQ(used.size(), 10U);
  for (const auto& [proxy, n] : used)
    EXPECT_NEAR(n, 1'000, 120) << proxy;
}

TEST(egress, a_key_has_the_same_proxy_in_whatever_order_they_are_listed) {
  auto turned = up_to(10);
  std::ranges::reverse(turned);
  const auto one = with_proxies(up_to(10));
  const auto other = with_proxies(turned);
  for (std::uint64_t key = 1; key <= keys; ++key)
    ASSERT_EQ(egress_of(one, key), egress_of(other, key));
}

TEST(egress, is_the_same_on_every_machine_and_after_every_restart) {
  const auto e = with_proxies({11, 22, 33});
  ids chosen;
  for (std::uint64_t key = 1; key <= 8; ++key)
    chosen.push_back(egress_of(e, key));
  EXPECT_EQ(chosen, (ids{33, 22, 22, 11, 22, 22, 22, 22}));
}

TEST(egress, a_new_proxy_takes_its_share_and_moves_no_other_key) {
  const auto before = with_proxies(up_to(10));
  const auto after = with_proxies(up_to(11));
  int moved = 0;
  for (std::uint64_t key = 1; key <= keys; ++key)
    if (egress_of(before, key) != egress_of(after, key)) {
      ++moved;
      ASSERT_EQ(egress_of(after, key), 11U);
    }
  EXPECT_NEAR(moved, 909, 120);
}

TEST(egress, a_lost_proxy_moves_its_own_keys_alone) {
  const auto before = with_proxies(up_to(10));
  const auto after = with_proxies(up_to(9));
  for (std::uint64_t key = 1; key <= keys; ++key)
    if (egress_of(before, key) != 10U) {
      ASSERT_EQ(egress_of(before, key), egress_of(after, key));
    }
}

TEST(egress, the_first_group_that_names_one_of_the_keys_groups_serves_it) {
  egress e;
  e.change_plan({.groups = {{"eu", {"berlin", "paris"}, {1}}, {"us", {"paris", "boston"}, {2}}},
                 .proxies = {9}});
  const auto chosen = [&](std::vector<std::string> groups) {
    return e.assigned({.key = 5, .groups = groups}, t0).egress;
  };
  EXPECT_EQ(chosen({"boston"}), 2U);
  EXPECT_EQ(chosen({"paris"}), 1U);
  EXPECT_EQ(chosen({"boston", "berlin"}), 1U);
  EXPECT_EQ(chosen({"tokyo"}), 9U);
  EXPECT_EQ(chosen({}), 9U);
}

TEST(egress, a_group_that_names_no_groups_serves_whoever_is_left) {
  egress e;
  e.change_plan({.groups = {{"rest", {}, {3}}, {"eu", {"berlin"}, {1}}}, .proxies = {9}});
  const std::vector<std::string> berlin{"berlin"};
  EXPECT_EQ(e.assigned({.key = 5, .groups = berlin}, t0).egress, 1U);
  EXPECT_EQ(e.assigned({.key = 5}, t0).egress, 3U);
}

TEST(egress, a_group_without_proxies_goes_out_directly) {
  egress e;
  e.change_plan({.groups = {{"home", {"local"}, {}}}, .proxies = {9}});
  const std::vector<std::string> local{"local"};
  EXPECT_EQ(e.assigned({.key = 5, .groups = local}, t0).egress, direct_egress);
}

TEST(egress, a_keys_own_proxy_wins) {
  egress e;
  e.change_plan({.groups = {{"eu", {"berlin"}, {1}}}, .proxies = {9}});
  const std::vector<std::string> berlin{"berlin"};
  EXPECT_EQ(e.assigned({.key = 5, .groups = berlin, .own = 77}, t0).egress, 77U);
}

TEST(egress, a_dead_proxys_keys_move_and_come_back_and_no_others_do) {
  auto e = with_proxies(up_to(10));
  std::map<std::uint64_t, std::uint64_t> home;
  for (std::uint64_t key = 1; key <= keys; ++key)
    home[key] = egress_of(e, key);
  e.failed(4, t0);
  for (const auto& [key, proxy] : home) {
    const auto c = e.assigned({.key = key}, t0 + 1s);
    ASSERT_TRUE(c.usable);
    ASSERT_EQ(c.egress == proxy, proxy != 4U);
  }
  const auto key = key_on(with_proxies(up_to(10)), 4);
  ASSERT_EQ(e.assign({.key = key}, t0 + 30s).egress, 4U);
  e.worked(4, t0 + 31s);
  for (const auto& [k, proxy] : home)
    ASSERT_EQ(egress_of(e, k, t0 + 31s), proxy);
}

TEST(egress, one_call_alone_tries_a_dead_proxy_whose_pause_is_over) {
  auto e = with_proxies({1, 2});
  const auto key = key_on(e, 1);
  e.failed(1, t0);
  EXPECT_EQ(e.assign({.key = key}, t0 + 30s - 1ns).egress, 2U);
  EXPECT_EQ(e.assign({.key = key}, t0 + 30s).egress, 1U);
  EXPECT_EQ(e.assign({.key = key}, t0 + 30s).egress, 2U);
}

TEST(egress, showing_a_keys_egress_begins_no_trial) {
  auto e = with_proxies({1, 2});
  const auto key = key_on(e, 1);
  e.failed(1, t0);
  EXPECT_EQ(egress_of(e, key, t0 + 30s), 1U);
  EXPECT_EQ(e.assign({.key = key}, t0 + 30s).egress, 1U);
}

TEST(egress, a_trial_that_did_not_reach_the_proxy_gives_its_place_back) {
  auto e = with_proxies({1, 2});
  const auto key = key_on(e, 1);
  e.put_back(1); // nothing is wrong with it
  e.failed(1, t0);
  ASSERT_EQ(e.assign({.key = key}, t0 + 30s).egress, 1U);
  e.put_back(1);
  EXPECT_EQ(e.assign({.key = key}, t0 + 30s).egress, 1U);
}

TEST(egress, a_trial_whose_end_is_never_told_is_repeated) {
  auto e = with_proxies({1, 2});
  const auto key = key_on(e, 1);
  e.failed(1, t0);
  ASSERT_EQ(e.assign({.key = key}, t0 + 30s).egress, 1U);
  EXPECT_EQ(e.assign({.key = key}, t0 + 60s - 1ns).egress, 2U);
  EXPECT_EQ(e.assign({.key = key}, t0 + 60s).egress, 1U);
}

TEST(egress, pauses_double_with_each_failed_trial_up_to_ten_minutes) {
  auto e = with_proxies({1});
  e.failed(1, t0);
  auto now = t0;
  for (const auto pause : {30s, 60s, 120s, 240s, 480s, 600s, 600s}) {
    EXPECT_EQ(e.health_of(1).trial_at, now + pause);
    now += pause;
    ASSERT_TRUE(e.assign({.key = 5}, now).usable);
    e.failed(1, now);
  }
}

TEST(egress, a_proxy_that_worked_begins_with_a_short_pause_again) {
  auto e = with_proxies({1});
  e.failed(1, t0);
  e.assign({.key = 5}, t0 + 30s);
  e.failed(1, t0 + 30s);
  e.assign({.key = 5}, t0 + 90s);
  e.worked(1, t0 + 90s);
  EXPECT_FALSE(e.health_of(1).dead);
  e.failed(1, t0 + 100s);
  EXPECT_EQ(e.health_of(1).trial_at, t0 + 130s);
}

TEST(egress, late_results_of_older_calls_neither_lengthen_the_pause_nor_end_it) {
  auto e = with_proxies({1});
  for (int i = 0; i < 20; ++i)
    e.failed(1, t0 + i * 1s);
  e.worked(1, t0 + 20s);
  EXPECT_TRUE(e.health_of(1).dead);
  EXPECT_EQ(e.health_of(1).trial_at, t0 + 30s);
}

TEST(egress, a_success_of_a_living_proxy_changes_nothing) {
  auto e = with_proxies({1});
  e.worked(1, t0);
  EXPECT_EQ(e.remembered(), 0U);
}

TEST(egress, a_key_whose_own_proxy_is_dead_rests_until_the_trial) {
  auto e = with_proxies({1, 2});
  e.failed(77, t0);
  const egress_key k{.key = 5, .groups = {}, .own = 77};
  const auto c = e.assign(k, t0 + 1s);
  EXPECT_FALSE(c.usable);
  EXPECT_FALSE(c.throttled);
  EXPECT_EQ(c.egress, 77U);
  EXPECT_EQ(c.free_at, t0 + 30s);
  EXPECT_TRUE(e.assign(k, t0 + 30s).usable);
}

TEST(egress, never_goes_out_directly_because_all_proxies_are_dead) {
  auto e = with_proxies({1, 2});
  e.failed(1, t0);
  e.failed(2, t0 + 5s);
  const auto c = e.assign({.key = 5}, t0 + 6s);
  EXPECT_FALSE(c.usable);
  EXPECT_NE(c.egress, direct_egress);
  EXPECT_EQ(c.free_at, t0 + 30s);
  EXPECT_EQ(e.assign({.key = 5}, t0 + 30s).egress, 1U); // any key may try the first that is due
}

TEST(egress, several_keys_throttled_together_rest_their_egress) {
  egress e;
  EXPECT_FALSE(e.throttled(direct_egress, 1, 60s, t0));
  EXPECT_FALSE(e.throttled(direct_egress, 2, 60s, t0 + 1s));
  const auto rest = e.throttled(direct_egress, 3, 60s, t0 + 2s);
  EXPECT_EQ(rest, (egress_rest{direct_egress, t0 + 62s}));
  const auto c = e.assign({.key = 9}, t0 + 3s);
  EXPECT_FALSE(c.usable);
  EXPECT_TRUE(c.throttled);
  EXPECT_EQ(c.free_at, t0 + 62s);
  EXPECT_TRUE(e.assign({.key = 9}, t0 + 62s).usable);
}

TEST(egress, a_resting_egress_keeps_its_keys_and_leaves_others_alone) {
  auto e = with_proxies({1, 2});
  const auto one = key_on(e, 1);
  const auto two = key_on(e, 2);
  for (std::uint64_t key = 1; key <= 3; ++key)
    e.throttled(1, key, 60s, t0);
  EXPECT_EQ(e.assign({.key = one}, t0).egress, 1U);
  EXPECT_FALSE(e.assign({.key = one}, t0).usable);
  EXPECT_TRUE(e.assign({.key = two}, t0).usable);
}

TEST(egress, one_key_throttled_again_and_again_says_nothing_of_its_egress) {
  egress e;
  for (int i = 0; i < 100; ++i)
    EXPECT_FALSE(e.throttled(direct_egress, 1, 60s, t0 + i * 10ms));
}

TEST(egress, keys_throttled_far_apart_say_nothing_of_their_egress) {
  egress e;
  for (std::uint64_t key = 1; key <= 100; ++key)
    EXPECT_FALSE(e.throttled(direct_egress, key, 60s, t0 + key * 3s));
}

TEST(egress, throttles_on_different_egresses_are_not_added_up) {
  egress e;
  for (std::uint64_t key = 1; key <= 100; ++key)
    EXPECT_FALSE(e.throttled(key, key, 60s, t0));
}

TEST(egress, calls_in_flight_when_the_rest_began_neither_lengthen_nor_repeat_it) {
  egress e;
  for (std::uint64_t key = 1; key <= 3; ++key)
    e.throttled(direct_egress, key, 60s, t0);
  for (std::uint64_t key = 4; key <= 30; ++key)
    EXPECT_FALSE(e.throttled(direct_egress, key, 60s, t0 + 1s));
  EXPECT_EQ(e.health_of(direct_egress).rests_until, t0 + 60s);
  for (std::uint64_t key = 1; key <= 2; ++key)
    EXPECT_FALSE(e.throttled(direct_egress, key, 60s, t0 + 60s));
  EXPECT_TRUE(e.throttled(direct_egress, 3, 60s, t0 + 60s));
}

TEST(egress, a_number_of_zero_keys_rests_no_egress) {
  egress e{{.throttled_keys = 0}};
  for (std::uint64_t key = 1; key <= 100; ++key)
    EXPECT_FALSE(e.throttled(direct_egress, key, 60s, t0));
  EXPECT_EQ(e.remembered(), 0U);
}

TEST(egress, remembers_a_bounded_number_of_addresses_the_latest_ones) {
  egress e;
  for (std::uint64_t proxy = 1; proxy <= egress::remembered_max + 100; ++proxy)
    e.failed(proxy, t0 + proxy * 1ms);
  EXPECT_EQ(e.remembered(), egress::remembered_max);
  EXPECT_FALSE(e.health_of(100).dead);
  EXPECT_TRUE(e.health_of(101).dead);
}

} // namespace
} // namespace troupe
