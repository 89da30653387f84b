#include "tests/actors/pool_stage.hpp"

#include <map>
#include <set>

namespace troupe {
namespace {

using namespace std::chrono_literals;

class pool_egress_test : public pool_stage {
protected:
  static secret proxy(int number) {
    return secret{"socks5://user:word@proxy-" + std::to_string(number) + ":1080"};
  }

  void use_proxies(int count) {
    for (int i = 1; i <= count; ++i)
      options_.keys.policy.proxies.proxies.push_back(proxy(i));
  }

  /// By key, which proxy it goes out by.
  std::map<std::uint64_t, std::uint64_t> ways(std::uint64_t count) {
    std::map<std::uint64_t, std::uint64_t> all;
    for (std::uint64_t number = 1; number <= count; ++number) {
      const auto lease = acquire({}, number);
      all[number] = lease.grant == grant_kind::granted ? lease.egress : ~std::uint64_t{0};
      if (lease.grant == grant_kind::granted)
        settle(lease);
    }
    return all;
  }

  void report(std::uint64_t egress, bool worked) { tell(egress_report{egress, worked}); }

  /// Throttled by an answer that says neither why nor for how long.
  void throttle(std::uint64_t number) { settle(acquire({}, number), answer_class::quota_unknown); }
};

TEST_F(pool_egress_test, without_proxies_a_call_goes_out_directly) {
  begin(1);
  EXPECT_TRUE(acquire().proxy.empty());
  EXPECT_EQ(acquire().egress, 0U);
  EXPECT_TRUE(status(1).proxy_shown.empty());
}

TEST_F(pool_egress_test, the_reply_names_the_keys_proxy_and_the_list_shows_it_without_its_login) {
  use_proxies(1);
  begin(1);
  const auto lease = acquire();
  EXPECT_EQ(lease.proxy.reveal(), "socks5://user:word@proxy-1:1080");
  EXPECT_NE(lease.egress, 0U);
  EXPECT_EQ(status(1).proxy_shown.find("word"), std::string::npos);
  EXPECT_NE(status(1).proxy_shown.find("proxy-1:1080"), std::string::npos);
}

TEST_F(pool_egress_test, a_keys_own_proxy_and_that_of_its_group_win) {
  use_proxies(1);
  options_.keys.policy.proxies.groups.push_back({"eu", {"eu"}, {proxy(2)}});
  auto seeds = keys(3);
  seeds[1].key.groups = {"eu"};
  seeds[2].key.groups = {"eu"};
  seeds[2].key.proxy = proxy(3);
  begin(seeds);
  EXPECT_EQ(acquire({}, 1).proxy.reveal(), proxy(1).reveal());
  EXPECT_EQ(acquire({}, 2).proxy.reveal(), proxy(2).reveal());
  EXPECT_EQ(acquire({}, 3).proxy.reveal(), proxy(3).reveal());
}

TEST_F(pool_egress_test, a_dead_proxy_moves_its_own_keys_and_they_come_back) {
  use_proxies(4);
  begin(40);
  const auto before = ways(40);
  const auto dead = before.at(1);
  report(dead, false);
  const auto meanwhile = ways(40);
  for (const auto& [number, way] : before) {
    if (way == dead)
      EXPECT_NE(meanwhile.at(number), dead);
    else
      EXPECT_EQ(meanwhile.at(number), way) << "only the share of the dead one moves";
  }
  still_.pass(30s);
  const auto trial = acquire({}, 1); // its pause is over: one call tries it
  EXPECT_EQ(trial.egress, dead);
  report(dead, true);
  EXPECT_EQ(ways(40), before);
}

TEST_F(pool_egress_test, a_key_whose_own_proxy_is_dead_rests_until_it_is_tried_again) {
  auto seeds = keys(2);
  seeds[0].key.proxy = proxy(1);
  begin(seeds);
  const auto lease = acquire({}, 1);
  report(lease.egress, false);
  const auto refused = acquire({}, 1);
  EXPECT_EQ(refused.grant, grant_kind::resting);
  EXPECT_EQ(refused.wait_ms, 30'000);
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(acquire().key, 2U);
  still_.pass(30s);
  EXPECT_EQ(acquire({}, 1).grant, grant_kind::granted);
}

TEST_F(pool_egress_test, when_all_proxies_are_dead_no_key_goes_out_directly) {
  use_proxies(2);
  begin(4);
  std::set<std::uint64_t> all;
  for (const auto& [number, way] : ways(4))
    all.insert(way);
  for (const auto way : all)
    report(way, false);
  while (true) { // of one proxy that no key used so far
    const auto lease = acquire();
    if (lease.grant != grant_kind::granted)
      break;
    ASSERT_FALSE(lease.proxy.empty());
    report(lease.egress, false);
  }
  EXPECT_EQ(acquire().grant, grant_kind::resting);
  EXPECT_EQ(acquire().wait_ms, 30'000);
}

TEST_F(pool_egress_test, a_trial_that_went_well_opens_the_way_for_all_its_keys_at_once) {
  auto seeds = keys(2);
  seeds[0].key.proxy = proxy(1);
  seeds[1].key.proxy = proxy(1);
  begin(seeds);
  const auto way = acquire().egress;
  report(way, false);
  const auto first = ask(60s, 1);
  const auto second = ask(60s, 2);
  still_.pass(30s);
  EXPECT_TRUE(first->granted()) << "the trial";
  EXPECT_FALSE(second->answered());
  report(way, true);
  EXPECT_TRUE(second->granted());
}

TEST_F(pool_egress_test, a_new_proxy_serves_keys_whose_old_one_is_dead) {
  use_proxies(1);
  begin(1);
  report(acquire().egress, false);
  const auto q = ask(60s);
  EXPECT_FALSE(q->answered());
  auto policy = options_.keys.policy;
  policy.proxies.proxies = {proxy(2)};
  use(policy);
  ASSERT_TRUE(q->granted());
  EXPECT_EQ(q->reply->proxy.reveal(), proxy(2).reveal());
}

TEST_F(pool_egress_test, a_key_that_is_given_another_proxy_need_not_wait_for_the_old_one) {
  auto seeds = keys(1);
  seeds[0].key.proxy = proxy(1);
  begin(seeds);
  report(acquire().egress, false);
  EXPECT_EQ(acquire().grant, grant_kind::resting);
  auto changed = key(1).key;
  changed.proxy = proxy(2);
  put({changed});
  EXPECT_EQ(acquire().proxy.reveal(), proxy(2).reveal());
}

TEST_F(pool_egress_test, several_keys_throttled_without_words_rest_their_way_out) {
  begin(6);
  throttle(1);
  throttle(2);
  EXPECT_EQ(acquire({}, 4).grant, grant_kind::granted);
  throttle(3);
  const auto refused = acquire({}, 4);
  EXPECT_EQ(refused.grant, grant_kind::resting);
  EXPECT_EQ(refused.wait_ms, 60'000) << "a guessed rest";
  EXPECT_EQ(acquire({}, 4, "pro").grant, grant_kind::resting) << "for every model";
  EXPECT_TRUE(log_.has("several keys were throttled at once by one way out (without a proxy)"));
  still_.pass(60s);
  EXPECT_EQ(acquire({}, 4).grant, grant_kind::granted);
}

TEST_F(pool_egress_test, throttles_of_keys_on_other_ways_out_rest_none) {
  auto seeds = keys(4);
  for (auto& seed : seeds)
    seed.key.proxy = proxy(static_cast<int>(seed.key.key));
  begin(seeds);
  for (const std::uint64_t number : {1, 2, 3})
    throttle(number);
  EXPECT_EQ(acquire({}, 4).grant, grant_kind::granted);
}

TEST_F(pool_egress_test, throttles_that_say_why_rest_their_keys_alone) {
  begin(6);
  for (const std::uint64_t number : {1, 2, 3})
    settle(acquire({}, number), answer_class::quota_minute, 30'000);
  EXPECT_EQ(acquire({}, 4).grant, grant_kind::granted);
}

TEST_F(pool_egress_test, throttles_that_say_for_how_long_rest_their_keys_alone) {
  begin(6);
  for (const std::uint64_t number : {1, 2, 3})
    settle(acquire({}, number), answer_class::quota_unknown, 30'000);
  EXPECT_EQ(acquire({}, 4).grant, grant_kind::granted);
}

} // namespace
} // namespace troupe
