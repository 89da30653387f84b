#include "actors/key/pool_actor.hpp"

#include "actors/error.hpp"
#include "tests/support/still_system.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using gemini::answer_class;
using gemini::answer_scope;

class pool_actor_test : public testing::Test {
protected:
  void SetUp() override { begin(3); }
  void TearDown() override { end(); }

  std::vector<key_seed> seeds(std::uint64_t count) {
    std::vector<key_seed> all;
    for (std::uint64_t key = 1; key <= count; ++key) {
      auto& seed = all.emplace_back();
      seed.key = key;
      seed.secret_text = secret{"secret-" + std::to_string(key)};
    }
    return all;
  }

  void begin(std::uint64_t count) { begin(seeds(count)); }

  void begin(std::vector<key_seed> keys) {
    end();
    // Stands for storage: keeps the last record of each key.
    storage_ = still_.system().spawn([this]() -> caf::behavior {
      return {[this](const save_key_state& s) { records_[s.key] = s.record; },
              [this](const load_key_state& l) { return records_[l.key]; },
              [this](const erase_key_state& e) { records_.erase(e.key); }};
    });
    pool_options options;
    options.keys.wall = [this] { return still_.wall(); };
    options.keys.log = &log_;
    options.keys.storage = with_storage_ ? storage_ : caf::actor{};
    options.asked_at_once = 2;
    pool_ = still_.system().spawn(pool_actor, options, std::move(keys));
    still_.settle_down();
  }

  void end() {
    for (auto* a : {&pool_, &storage_}) {
      if (*a)
        caf::anon_send_exit(*a, caf::exit_reason::user_shutdown);
      *a = nullptr;
      still_.settle_down();
    }
  }

  acquire_reply acquire(std::vector<std::uint64_t> tried = {}, std::uint64_t pinned = 0,
                        std::string model = "flash") {
    acquire_request request;
    request.model = std::move(model);
    request.tried = std::move(tried);
    request.pinned = pinned;
    return *still_.ask<acquire_reply>(pool_, request);
  }

  void settle(const acquire_reply& lease, answer_class what, std::int64_t retry_after_ms = -1) {
    settlement s;
    s.lease = lease.lease;
    s.model = "flash";
    s.what = what;
    s.scope = answer_scope::key_and_model;
    s.concerned_model = "flash";
    s.retry_after_ms = retry_after_ms;
    caf::anon_send(lease.key_actor, std::move(s));
    still_.settle_down();
  }

  void crash(const caf::actor& who) {
    caf::anon_send_exit(who, caf::exit_reason::kill);
    still_.settle_down();
  }

  std::vector<key_status> list() {
    return *still_.ask<std::vector<key_status>>(pool_, list_keys_atom::value);
  }

  bool with_storage_ = true;
  still_system still_;
  kept_log log_;
  std::map<std::uint64_t, std::string> records_;
  caf::actor storage_;
  caf::actor pool_;
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

TEST_F(pool_actor_test, a_crashed_key_actor_is_born_again_with_its_rests) {
  const auto lease = acquire({}, 2);
  settle(lease, answer_class::quota_minute, 30'000);
  crash(lease.key_actor);
  EXPECT_TRUE(log_.has("its actor crashed"));
  EXPECT_EQ(acquire({}, 2).wait_ms, 30'000);
  const auto other = acquire({}, 2, "pro");
  EXPECT_EQ(other.grant, grant_kind::granted);
  EXPECT_NE(other.key_actor, lease.key_actor);
  EXPECT_GT(other.lease, lease.lease);
  EXPECT_EQ(list().at(1).restarts, 1U);
}

TEST_F(pool_actor_test, a_disabled_key_stays_disabled_over_a_crash) {
  const auto lease = acquire({}, 2);
  settle(lease, answer_class::key_suspended);
  crash(lease.key_actor);
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::none_usable);
  EXPECT_EQ(list().at(1).reason, key_reason::suspended);
}

TEST_F(pool_actor_test, rests_and_disablement_survive_a_crash_even_without_storage) {
  with_storage_ = false;
  begin(3);
  const auto resting = acquire({}, 1);
  const auto disabled = acquire({}, 2);
  settle(resting, answer_class::quota_minute, 30'000);
  settle(disabled, answer_class::key_invalid);
  crash(resting.key_actor);
  crash(disabled.key_actor);
  EXPECT_EQ(acquire({}, 1).wait_ms, 30'000);
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::none_usable);
}

TEST_F(pool_actor_test, a_key_that_keeps_crashing_is_started_less_and_less_often) {
  crash(acquire({}, 2).key_actor); // the first time at once
  for (const auto wait : {1s, 2s, 4s, 8s}) {
    const auto again = acquire({}, 2);
    ASSERT_EQ(again.grant, grant_kind::granted);
    crash(again.key_actor);
    still_.pass(wait - 1ms);
    EXPECT_EQ(acquire({}, 2).grant, grant_kind::none_usable);
    still_.pass(1ms);
  }
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::granted);
  still_.pass(2min); // a long life begins the series anew
  crash(acquire({}, 2).key_actor);
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::granted);
}

TEST_F(pool_actor_test, other_keys_serve_while_one_is_down) {
  crash(acquire({}, 2).key_actor);
  crash(acquire({}, 2).key_actor);
  for (int i = 0; i < 6; ++i) {
    const auto lease = acquire();
    ASSERT_EQ(lease.grant, grant_kind::granted);
    EXPECT_NE(lease.key, 2U);
  }
  EXPECT_EQ(list().size(), 3U);
  EXPECT_EQ(list().at(1).state, key_state::disabled);
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

TEST_F(pool_actor_test, keys_come_and_go) {
  add_keys added;
  added.keys.push_back({.key = 9, .name = "ninth", .secret_text = secret{"s9"}, .upstream = 4});
  EXPECT_EQ(still_.error_of(pool_, added), caf::none);
  const auto lease = acquire({}, 9);
  EXPECT_EQ(lease.grant, grant_kind::granted);
  EXPECT_EQ(lease.upstream, 4U);
  settle(lease, answer_class::quota_minute, 30'000);
  EXPECT_FALSE(records_[9].empty());

  EXPECT_EQ(still_.error_of(pool_, remove_keys{{9, 77}}), caf::none);
  still_.settle_down();
  EXPECT_FALSE(records_.contains(9)) << "its state goes with it";
  EXPECT_EQ(acquire({}, 9).grant, grant_kind::none_usable);
  EXPECT_EQ(list().size(), 3U);
  EXPECT_EQ(still_.error_of(pool_, remove_keys{{9}}), caf::none);
  EXPECT_EQ(still_.error_of(pool_, added), caf::none);
  EXPECT_EQ(acquire({}, 9).grant, grant_kind::granted);
}

TEST_F(pool_actor_test, a_request_that_was_passed_to_a_leaving_key_is_answered) {
  acquire_request request;
  request.model = "flash";
  request.pinned = 2;
  std::optional<acquire_reply> reply;
  still_.self()->send(pool_, remove_keys{{}}); // something before it in the mailbox
  auto waiting = still_.self()->request(pool_, caf::infinite, request);
  still_.self()->send(pool_, remove_keys{{2}});
  still_.settle_down();
  waiting.receive([&](acquire_reply& r) { reply = std::move(r); },
                  [](const caf::error&) { ADD_FAILURE() << "it was lost"; });
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->grant, grant_kind::granted);
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::none_usable);
}

TEST_F(pool_actor_test, a_key_that_stands_there_takes_what_is_new) {
  add_keys changed;
  changed.keys.push_back(
      {.key = 2, .name = "second", .secret_text = secret{"new"}, .upstream = 7, .enabled = false});
  EXPECT_EQ(still_.error_of(pool_, changed), caf::none);
  still_.settle_down();
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::none_usable);
  const auto shut = still_.ask<std::vector<key_status>>(pool_, statuses_of{{2}});
  ASSERT_EQ(shut->size(), 1U);
  EXPECT_EQ(shut->front().name, "second");
  EXPECT_EQ(shut->front().reason, key_reason::by_operator);
  changed.keys[0].enabled = true;
  EXPECT_EQ(still_.error_of(pool_, changed), caf::none);
  still_.settle_down();
  const auto lease = acquire({}, 2);
  EXPECT_EQ(lease.grant, grant_kind::granted);
  EXPECT_EQ(lease.upstream, 7U);
  EXPECT_EQ(lease.secret_text.reveal(), "new");
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

TEST_F(pool_actor_test, a_key_that_comes_back_serves_from_the_answer_on_or_has_its_past) {
  settle(acquire({}, 1), answer_class::key_invalid);
  still_.settle_down();
  EXPECT_EQ(still_.error_of(pool_, remove_keys{{1, 2}, false}), caf::none);
  add_keys back;
  for (const std::uint64_t key : {1, 2})
    back.keys.push_back({.key = key, .name = "", .secret_text = secret{"s"}, .returning = true});
  EXPECT_EQ(still_.error_of(pool_, back), caf::none);
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::granted);
  EXPECT_EQ(acquire({}, 1).grant, grant_kind::none_usable) << "it was refused before it left";
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
  still_.self()->send(pool_, change_policy{1, 5'000, 5'000});
  still_.settle_down();
  settle(acquire({}, 1), answer_class::quota_minute, -1);
  still_.settle_down();
  EXPECT_NE(acquire({}, 1).grant, grant_kind::granted);
  still_.pass(5100ms);
  EXPECT_EQ(acquire({}, 1).grant, grant_kind::granted);
}

TEST_F(pool_actor_test, starts_with_the_stored_state_of_its_keys) {
  auto keys = seeds(3);
  key_health sick;
  sick.disabled = key_reason::invalid;
  const instants t{still_.now(), still_.wall()};
  keys[0].past = to_record(sick, {}, t);
  key_health tired;
  tired.models.push_back({.model = "flash",
                          .pause = {t.now + 10min, key_reason::quota_day},
                          .throttles = 0,
                          .strikes = 0});
  keys[1].past = to_record(tired, {}, t);
  begin(std::move(keys));
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(acquire().key, 3U);
  EXPECT_EQ(acquire({}, 2).wait_ms, 600'000);
  EXPECT_TRUE(acquire({}, 2).per_day);
  EXPECT_EQ(acquire({}, 1).grant, grant_kind::none_usable);
}

TEST_F(pool_actor_test, once_draining_grants_nothing_and_has_every_key_save) {
  settle(acquire({}, 1), answer_class::ok);
  settle(acquire({}, 2), answer_class::ok);
  EXPECT_TRUE(records_.empty());
  EXPECT_EQ(still_.error_of(pool_, drain_atom::value), caf::none);
  EXPECT_EQ(records_.size(), 2U);
  EXPECT_EQ(acquire().grant, grant_kind::shutting_down);
}

TEST_F(pool_actor_test, key_actors_end_with_the_pool) {
  const auto lease = acquire();
  end();
  EXPECT_NE(still_.error_of(lease.key_actor, status_atom::value), caf::none);
}

} // namespace
} // namespace troupe
