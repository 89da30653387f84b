#include "tests/actors/pool_stage.hpp"

#include <set>

namespace troupe {
namespace {

using namespace std::chrono_literals;

/// Re-checks, the slow start, suspected sharing, and what is told of decisions.
class pool_recovery_test : public pool_stage {
protected:
  /// Asks for keys to check; the answer may come later.
  std::shared_ptr<std::optional<std::vector<std::uint64_t>>> take_rechecks() {
    auto answer = std::make_shared<std::optional<std::vector<std::uint64_t>>>();
    checkers_.push_back(still_.system().spawn([this, answer](caf::event_based_actor* self) {
      self->request(pool_, caf::infinite, take_rechecks_atom::value)
          .then([answer](std::vector<std::uint64_t>& keys) { *answer = std::move(keys); });
    }));
    still_.settle_down();
    return answer;
  }

  void TearDown() override {
    for (auto& c : checkers_)
      caf::anon_send_exit(std::exchange(c, nullptr), caf::exit_reason::kill);
    pool_stage::TearDown();
  }

  key_status check(std::uint64_t number, answer_class how) {
    check_outcome c{number, {}};
    c.end.model = "flash";
    c.end.what = how;
    c.end.scope = gemini::answer_scope::key;
    const auto s = still_.ask<key_status>(pool_, c);
    still_.settle_down();
    return s.value_or(key_status{});
  }

  std::vector<choice_note> explain(std::vector<std::uint64_t> tickets) {
    return still_.ask<std::vector<choice_note>>(pool_, explain_tickets{std::move(tickets)}).value();
  }

  std::vector<caf::actor> checkers_;
};

TEST_F(pool_recovery_test, a_refused_key_is_given_out_to_be_checked_when_its_time_has_come) {
  begin(2);
  const auto due = take_rechecks();
  settle(acquire({}, 1), answer_class::key_invalid);
  EXPECT_NE(status(1).next_recheck_at_ms, 0);
  still_.pass(3min);
  EXPECT_FALSE(*due) << "five minutes, give or take a quarter";
  still_.pass(4min);
  ASSERT_TRUE(*due);
  EXPECT_EQ(**due, (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(gauges_->rechecks.get(), 1U);
  EXPECT_EQ(check(1, answer_class::ok).state, key_state::ready);
  EXPECT_EQ(acquire({}, 1).grant, grant_kind::granted);
  const auto next = take_rechecks();
  still_.pass(48h);
  EXPECT_FALSE(*next);
}

TEST_F(pool_recovery_test, a_check_that_fails_doubles_the_interval) {
  begin(1);
  settle(acquire(), answer_class::key_invalid);
  auto due = take_rechecks();
  still_.pass(7min);
  ASSERT_TRUE(*due);
  EXPECT_EQ(check(1, answer_class::key_invalid).state, key_state::disabled);
  due = take_rechecks();
  still_.pass(7min);
  EXPECT_FALSE(*due);
  still_.pass(6min);
  ASSERT_TRUE(*due);
  EXPECT_EQ(**due, (std::vector<std::uint64_t>{1}));
}

TEST_F(pool_recovery_test, a_suspended_key_and_one_of_the_operator_are_never_checked) {
  begin(2);
  settle(acquire({}, 1), answer_class::key_suspended);
  order(key_order::disable, 2);
  const auto due = take_rechecks();
  still_.pass(48h);
  EXPECT_FALSE(*due);
  EXPECT_EQ(status(1).next_recheck_at_ms, 0);
}

TEST_F(pool_recovery_test, a_key_found_disabled_at_the_start_is_checked_soon) {
  auto seeds = keys(1);
  key_health sick;
  sick.disabled = key_reason::invalid;
  seeds[0].past = to_record(sick, {}, {still_.now(), still_.wall()});
  begin(seeds);
  const auto due = take_rechecks();
  still_.pass(5min);
  ASSERT_TRUE(*due);
  EXPECT_EQ(**due, (std::vector<std::uint64_t>{1}));
}

TEST_F(pool_recovery_test, an_enabled_or_deleted_key_is_not_checked) {
  begin(2);
  settle(acquire({}, 1), answer_class::key_invalid);
  settle(acquire({}, 2), answer_class::key_invalid);
  order(key_order::enable, 1);
  take_out({2});
  const auto due = take_rechecks();
  still_.pass(48h);
  EXPECT_FALSE(*due);
}

TEST_F(pool_recovery_test,
       who_asks_for_checks_is_answered_by_nothing_when_another_asks_or_all_ends) {
  begin(1);
  const auto first = take_rechecks();
  const auto second = take_rechecks();
  ASSERT_TRUE(*first);
  EXPECT_TRUE((*first)->empty());
  EXPECT_EQ(still_.error_of(pool_, drain_atom::value), caf::none);
  ASSERT_TRUE(*second);
  EXPECT_TRUE((*second)->empty());
}

TEST_F(pool_recovery_test, after_two_rests_in_a_row_a_key_begins_with_one_call_at_a_time) {
  begin(1);
  for (int i = 0; i < 2; ++i) {
    settle(acquire(), answer_class::quota_minute, 1'000);
    still_.pass(1s);
  }
  EXPECT_EQ(status(1).slow_start, 1U);
  const auto one = acquire();
  EXPECT_EQ(one.grant, grant_kind::granted);
  const auto refused = acquire();
  EXPECT_EQ(refused.grant, grant_kind::resting);
  EXPECT_EQ(refused.wait_ms, -1);
  const auto waits = ask(60s, 1);
  const auto also = ask(60s, 2);
  const auto and_also = ask(60s, 3);
  EXPECT_FALSE(waits->answered());
  settle(one);
  EXPECT_EQ(status(1).slow_start, 2U);
  EXPECT_TRUE(waits->granted() && also->granted());
  EXPECT_FALSE(and_also->answered());
}

TEST_F(pool_recovery_test, a_call_whose_client_left_frees_its_place_in_the_slow_start) {
  begin(1);
  for (int i = 0; i < 2; ++i) {
    settle(acquire(), answer_class::quota_minute, 1'000);
    still_.pass(1s);
  }
  const auto one = acquire();
  const auto waits = ask(60s);
  auto left = ending(one, answer_class::ok);
  left.abandoned = true;
  settle(one, left);
  EXPECT_TRUE(waits->granted());
}

TEST_F(pool_recovery_test, a_request_that_does_not_fit_leaves_its_place_in_the_slow_start) {
  begin(limited(1, {{{}, limit_kind::tpm, 1'000}}));
  auto wish = wish_of(0s);
  wish.input_tokens = 500;
  settle(acquire(wish));
  for (int i = 0; i < 2; ++i) {
    settle(acquire(), answer_class::quota_minute, 1'000);
    still_.pass(1s);
  }
  EXPECT_EQ(status(1).slow_start, 1U);
  wish.input_tokens = 600;
  EXPECT_EQ(acquire(wish).grant, grant_kind::resting);
  EXPECT_EQ(acquire().grant, grant_kind::granted);
}

TEST_F(pool_recovery_test, requests_go_elsewhere_while_a_key_starts_slowly) {
  begin(2);
  for (int i = 0; i < 2; ++i) {
    settle(acquire({}, 1), answer_class::quota_minute, 1'000);
    still_.pass(1s);
  }
  std::size_t on_one = 0;
  for (int i = 0; i < 10; ++i) {
    const auto lease = acquire();
    ASSERT_EQ(lease.grant, grant_kind::granted);
    on_one += lease.key == 1 ? 1 : 0;
  }
  EXPECT_EQ(on_one, 1U);
}

TEST_F(pool_recovery_test, keys_that_are_throttled_together_are_shown_and_stay_apart) {
  begin(9);
  for (int round = 0; round < 3; ++round) {
    settle(acquire({}, 2), answer_class::quota_minute, 1'000);
    settle(acquire({}, 5), answer_class::quota_minute, 1'000);
    still_.pass(30s);
  }
  const auto v = view();
  ASSERT_EQ(v.sharing.size(), 1U);
  EXPECT_EQ(v.sharing[0].keys, (std::vector<std::uint64_t>{2, 5}));
  EXPECT_FALSE(status(2).shares_domain);
}

TEST_F(pool_recovery_test, keys_of_one_project_are_shown_until_they_are_in_one_domain) {
  begin(3);
  for (const std::uint64_t number : {1, 3}) {
    const auto lease = acquire({}, number);
    auto end = ending(lease, answer_class::upstream_fault);
    end.project = "projects/77";
    settle(lease, end);
  }
  ASSERT_EQ(view().sharing.size(), 1U);
  EXPECT_EQ(view().sharing[0].keys, (std::vector<std::uint64_t>{1, 3}));
  auto one = key(1).key;
  one.domain = "seventy-seven";
  auto three = key(3).key;
  three.domain = "seventy-seven";
  put({one, three});
  EXPECT_TRUE(view().sharing.empty());
}

TEST_F(pool_recovery_test, the_pool_counts_its_keys_by_state) {
  begin(4);
  settle(acquire({}, 1), answer_class::quota_minute, 30'000);
  settle(acquire({}, 2), answer_class::key_invalid);
  const auto v = view();
  EXPECT_EQ(v.keys, 4U);
  EXPECT_EQ(v.ready, 2U);
  EXPECT_EQ(v.cooling, 1U);
  EXPECT_EQ(v.disabled, 1U);
  EXPECT_EQ(v.strategy, pool_strategy::most_headroom);
}

TEST_F(pool_recovery_test, decisions_can_be_explained) {
  begin(3);
  settle(acquire({}, 2), answer_class::quota_minute, 20'000);
  ask(0s, 71);
  const auto sent = explain({71});
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].outcome, "sent");
  EXPECT_NE(sent[0].chosen, 0U);
  EXPECT_EQ(sent[0].members, 3U);
  EXPECT_EQ(sent[0].usable, 2U);
  EXPECT_FALSE(sent[0].looked.empty());
  EXPECT_EQ(sent[0].at_ms, still_.wall().time_since_epoch().count());

  auto pinned = wish_of(60s, 72);
  pinned.pinned = 2;
  send(pinned);
  still_.settle_down();
  still_.pass(20s);
  const auto waited = explain({72});
  ASSERT_EQ(waited.size(), 2U);
  EXPECT_EQ(waited[0].outcome, "waits");
  EXPECT_EQ(waited[1].outcome, "sent");
  EXPECT_EQ(waited[1].chosen, 2U);
  EXPECT_EQ(waited[1].waited_ms, 20'000);
  EXPECT_TRUE(explain({99}).empty());
}

TEST_F(pool_recovery_test, an_explanation_names_the_keys_that_turned_the_request_away) {
  begin(limited(2, {{{}, limit_kind::tpm, 1'000}}));
  auto large = wish_of(0s, 1);
  large.input_tokens = 600;
  acquire(large);
  acquire(large);
  large.ticket = 5;
  acquire(large);
  const auto notes = explain({5});
  ASSERT_FALSE(notes.empty());
  EXPECT_EQ(notes.back().outcome, "resting");
  EXPECT_EQ(notes.back().chosen, 0U);
}

TEST_F(pool_recovery_test, only_so_many_decisions_are_remembered) {
  options_.explained_max = 4;
  begin(1);
  for (std::uint64_t ticket = 1; ticket <= 6; ++ticket)
    ask(0s, ticket);
  EXPECT_TRUE(explain({1, 2}).empty());
  EXPECT_EQ(explain({3, 4, 5, 6}).size(), 4U);
}

TEST_F(pool_recovery_test, affinity_brings_the_same_key_while_it_has_room) {
  begin(limited(5, {at_once(1)}));
  auto wish = wish_of(0s, 9);
  wish.affinity = 4'711;
  const auto first = acquire(wish);
  settle(first);
  const auto again = acquire(wish);
  EXPECT_EQ(again.key, first.key);
  EXPECT_TRUE(explain({9}).back().by_affinity);
  EXPECT_NE(acquire(wish).key, first.key);
}

} // namespace
} // namespace troupe
