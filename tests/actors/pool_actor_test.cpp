#include "tests/actors/pool_stage.hpp"

#include <map>
#include <set>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using gemini::answer_class;

class pool_actor_test : public pool_stage {
protected:
  void SetUp() override { begin(3); }
};

TEST_F(pool_actor_test, spreads_leases_evenly) {
  std::map<std::uint64_t, int> used;
  for (int i = 0; i < 9; ++i) {
    const auto lease = acquire();
    ASSERT_EQ(lease.grant, grant_kind::granted);
    EXPECT_EQ(lease.secret_text.reveal(), "secret-" + std::to_string(lease.key));
    ++used[lease.key];
    settle(lease, answer_class::ok);
  }
  EXPECT_EQ(used, (std::map<std::uint64_t, int>{{1, 3}, {2, 3}, {3, 3}}));
}

TEST_F(pool_actor_test, gives_other_keys_to_a_request_that_tried_some) {
  const auto first = acquire();
  const auto second = acquire({first.key});
  const auto third = acquire({first.key, second.key});
  EXPECT_EQ((std::set<std::uint64_t>{first.key, second.key, third.key}).size(), 3U);
  EXPECT_EQ(acquire({1, 2, 3}).grant, grant_kind::none_usable);
}

TEST_F(pool_actor_test, a_throttled_key_is_not_given_out_before_its_time) {
  const auto throttled = acquire();
  settle(throttled, answer_class::quota_minute, 30'000);
  for (int i = 0; i < 6; ++i)
    EXPECT_NE(acquire().key, throttled.key);
  EXPECT_EQ(acquire({}, throttled.key, "pro").key, throttled.key); // another model
  still_.pass(30s);
  std::set<std::uint64_t> used;
  for (int i = 0; i < 3; ++i)
    used.insert(acquire().key);
  EXPECT_TRUE(used.contains(throttled.key));
}

TEST_F(pool_actor_test, tells_how_long_until_the_soonest_key_is_free) {
  for (const auto wait : {50'000, 20'500, 40'000})
    settle(acquire(), answer_class::quota_minute, wait);
  still_.pass(500ms);
  const auto reply = acquire();
  EXPECT_EQ(reply.grant, grant_kind::resting);
  EXPECT_EQ(reply.wait_ms, 20'000);
  EXPECT_FALSE(reply.per_day);
  EXPECT_EQ(reply.keys, 3U);
  still_.pass(20s);
  EXPECT_EQ(acquire().grant, grant_kind::granted);
}

TEST_F(pool_actor_test, says_when_every_key_has_used_up_its_day) {
  for (int i = 0; i < 3; ++i)
    settle(acquire(), answer_class::quota_day);
  const auto reply = acquire();
  EXPECT_EQ(reply.grant, grant_kind::resting);
  EXPECT_TRUE(reply.per_day);
  EXPECT_EQ(reply.wait_ms, std::chrono::milliseconds(7h).count());
}

TEST_F(pool_actor_test, has_none_to_give_when_all_are_disabled) {
  for (int i = 0; i < 3; ++i)
    settle(acquire(), answer_class::key_invalid);
  const auto reply = acquire();
  EXPECT_EQ(reply.grant, grant_kind::none_usable);
  EXPECT_EQ(reply.keys, 3U);
  EXPECT_EQ(reply.disabled, 3U);
}

TEST_F(pool_actor_test, a_pinned_request_waits_for_its_key) {
  EXPECT_EQ(acquire({}, 2).key, 2U);
  settle(acquire({}, 2), answer_class::quota_minute, 30'000);
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::resting);
  EXPECT_EQ(acquire({}, 2).wait_ms, 30'000);
  EXPECT_EQ(acquire({}, 77).grant, grant_kind::none_usable);
}

TEST_F(pool_actor_test, lists_all_keys_in_order_a_few_at_a_time) {
  begin(25);
  settle(acquire({}, 7), answer_class::quota_minute, 30'000);
  const auto all = list();
  ASSERT_EQ(all.size(), 25U);
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(all[i].key, i + 1);
  EXPECT_EQ(all[6].state, key_state::cooling);
  EXPECT_EQ(all[6].models.at(0).reason, key_reason::quota_minute);
  begin(0);
  EXPECT_TRUE(list().empty());
}

TEST_F(pool_actor_test, passes_an_operators_word_on) {
  const auto command = [](key_order order, std::uint64_t key) {
    return key_command{.order = order, .key = key, .pause_ms = 0, .note = {}};
  };
  EXPECT_EQ(still_.ask<key_status>(pool_, command(key_order::disable, 2))->state,
            key_state::disabled);
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::none_usable);
  EXPECT_EQ(still_.ask<key_status>(pool_, command(key_order::enable, 2))->state, key_state::ready);
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::granted);
  EXPECT_EQ(to_errc(still_.error_of(pool_, command(key_order::enable, 77))), errc::not_found);
}

TEST_F(pool_actor_test, a_request_for_groups_gets_a_key_of_them_or_none) {
  add_keys grouped;
  grouped.keys.push_back({.key = 8, .name = "", .secret_text = secret{"s8"}, .groups = {"eu"}});
  grouped.keys.push_back(
      {.key = 9, .name = "", .secret_text = secret{"s9"}, .groups = {"eu", "us"}});
  EXPECT_EQ(still_.error_of(pool_, grouped), caf::none);
  const auto ask = [&](std::vector<std::string> groups) {
    acquire_request request;
    request.model = "flash";
    request.groups = std::move(groups);
    return *still_.ask<acquire_reply>(pool_, request);
  };
  std::map<std::uint64_t, int> used;
  for (int i = 0; i < 6; ++i)
    ++used[ask({"eu"}).key];
  EXPECT_EQ(used, (std::map<std::uint64_t, int>{{8, 3}, {9, 3}}));
  EXPECT_EQ(ask({"us"}).key, 9U);
  EXPECT_EQ(ask({"nobody"}).grant, grant_kind::none_usable);
  settle(ask({"us"}), answer_class::quota_minute, 30'000);
  const auto resting = ask({"us"});
  EXPECT_EQ(resting.grant, grant_kind::resting);
  EXPECT_EQ(resting.wait_ms, 30'000);
  EXPECT_EQ(ask({"us", "eu"}).key, 8U);
  EXPECT_EQ(acquire({}, 8).grant, grant_kind::granted);

  grouped.keys.erase(grouped.keys.begin() + 1);
  grouped.keys[0].groups = {"us"};
  EXPECT_EQ(still_.error_of(pool_, grouped), caf::none);
  EXPECT_EQ(ask({"us"}).key, 8U) << "its groups were changed";
  EXPECT_EQ(still_.error_of(pool_, remove_keys{{8, 9}}), caf::none);
  EXPECT_EQ(ask({"us", "eu"}).grant, grant_kind::none_usable);
}

TEST_F(pool_actor_test, tells_the_state_of_every_key_without_asking_one) {
  settle(acquire({}, 1), answer_class::quota_minute, 30'000);
  settle(acquire({}, 2), answer_class::key_invalid);
  still_.settle_down();
  const auto briefs = *still_.ask<std::vector<key_brief>>(pool_, list_briefs_atom::value);
  ASSERT_EQ(briefs.size(), 3U);
  EXPECT_EQ(briefs[0].state, key_state::cooling);
  EXPECT_EQ(briefs[0].reason, key_reason::quota_minute);
  EXPECT_EQ(briefs[0].last_used_ms_ago, 0);
  EXPECT_EQ(briefs[1].state, key_state::disabled);
  EXPECT_EQ(briefs[1].reason, key_reason::invalid);
  EXPECT_EQ(briefs[2].state, key_state::ready);
  EXPECT_EQ(briefs[2].last_used_ms_ago, -1);
  still_.pass(31s);
  const auto later = *still_.ask<std::vector<key_brief>>(pool_, list_briefs_atom::value);
  EXPECT_EQ(later[0].state, key_state::ready);
  EXPECT_EQ(later[0].reason, key_reason::none);
}

TEST_F(pool_actor_test, a_check_opens_a_key_that_the_upstream_refused) {
  settle(acquire({}, 1), answer_class::key_invalid);
  check_outcome good{1, {}};
  EXPECT_EQ(still_.ask<key_status>(pool_, good)->state, key_state::ready);
  EXPECT_EQ(acquire({}, 1).grant, grant_kind::granted);
}

TEST_F(pool_actor_test, a_check_does_not_undo_an_operators_word) {
  const key_command shut{.order = key_order::disable, .key = 1, .pause_ms = 0, .note = {}};
  settle(acquire({}, 1), answer_class::key_invalid);
  EXPECT_EQ(still_.ask<key_status>(pool_, shut)->reason, key_reason::by_operator);
  check_outcome good{1, {}};
  EXPECT_EQ(still_.ask<key_status>(pool_, good)->state, key_state::disabled);
}

TEST_F(pool_actor_test, a_new_policy_judges_what_ends_from_now_on) {
  pool_policy harsh;
  harsh.health.cooldown = 5s;
  harsh.health.cooldown_max = 5s;
  use(harsh);
  settle(acquire({}, 1), answer_class::quota_minute, -1);
  still_.settle_down();
  EXPECT_NE(acquire({}, 1).grant, grant_kind::granted);
  still_.pass(5100ms);
  EXPECT_EQ(acquire({}, 1).grant, grant_kind::granted);
}

TEST_F(pool_actor_test, once_draining_grants_nothing_and_has_every_key_save) {
  settle(acquire({}, 1), answer_class::ok);
  settle(acquire({}, 2), answer_class::ok);
  EXPECT_TRUE(disk_.keys.empty());
  EXPECT_EQ(still_.error_of(pool_, drain_atom::value), caf::none);
  EXPECT_EQ(disk_.keys.size(), 2U);
  EXPECT_EQ(acquire().grant, grant_kind::shutting_down);
}
} // namespace
} // namespace troupe
