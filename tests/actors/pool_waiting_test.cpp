#include "tests/actors/pool_stage.hpp"

#include <algorithm>

namespace troupe {
namespace {

using namespace std::chrono_literals;

class pool_waiting_test : public pool_stage {
protected:
  void SetUp() override { begin(1); }

  /// One key, which rests for the model that everybody wants.
  void rest(std::int64_t for_ms) {
    settle(acquire({}, 1), answer_class::quota_minute, for_ms);
    answered_.clear();
  }

  std::size_t granted() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(questions_, [](const asked& q) { return q->granted(); }));
  }
};

TEST_F(pool_waiting_test, a_request_waits_while_every_key_rests_and_is_served_when_one_is_back) {
  rest(20'000);
  const auto q = ask(60s);
  EXPECT_FALSE(q->answered());
  EXPECT_EQ(view().waiting, 1U);
  still_.pass(19'999ms);
  EXPECT_FALSE(q->answered());
  EXPECT_EQ(view().longest_wait_ms, 19'999);
  still_.pass(1ms);
  ASSERT_TRUE(q->granted());
  EXPECT_EQ(q->reply->secret_text.reveal(), "secret-1");
  EXPECT_EQ(view().waiting, 0U);
  EXPECT_EQ(gauges_->waiting.get(), 0U);
  EXPECT_EQ(gauges_->waited.get(), 1U);
}

TEST_F(pool_waiting_test, nobody_waits_who_does_not_want_to_or_for_whom_it_takes_too_long) {
  rest(20'000);
  const auto impatient = ask(0s);
  ASSERT_TRUE(impatient->answered());
  EXPECT_EQ(impatient->reply->grant, grant_kind::resting);
  const auto in_vain = ask(20s);
  ASSERT_TRUE(in_vain->answered()) << "its deadline is when the key is back";
  EXPECT_EQ(in_vain->reply->grant, grant_kind::resting);
  EXPECT_EQ(in_vain->reply->wait_ms, 20'000);
}

TEST_F(pool_waiting_test, at_the_end_of_a_rest_as_many_are_served_as_have_room) {
  begin(limited(2, {per_minute(3)}));
  for (int i = 0; i < 6; ++i)
    settle(acquire());
  for (std::uint64_t ticket = 1; ticket <= 8; ++ticket)
    ask(100s, ticket);
  still_.pass(60'249ms);
  EXPECT_EQ(granted(), 0U);
  still_.pass(1ms);
  EXPECT_EQ(granted(), 6U);
  EXPECT_EQ(view().waiting, 2U);
  for (std::uint64_t i = 0; i < 6; ++i)
    EXPECT_EQ(answered_.at(i), i + 1) << "who came first is served first";
  still_.pass(39'750ms);
  EXPECT_EQ(granted(), 6U);
  EXPECT_EQ(questions_.back()->reply->grant, grant_kind::resting);
}

TEST_F(pool_waiting_test, credentials_take_turns_and_each_is_served_in_order) {
  begin(limited(1, {at_once(1)}));
  const auto first = acquire();
  std::uint64_t ticket = 0;
  for (int i = 0; i < 4; ++i)
    ask(60s, ++ticket, 1);
  ask(60s, ++ticket, 2);
  ask(60s, ++ticket, 2);
  answered_.clear();
  auto running = first;
  for (int i = 0; i < 6; ++i) {
    settle(running);
    ASSERT_EQ(answered_.size(), static_cast<std::size_t>(i) + 1) << "one place, one request";
    running = *questions_.at(answered_.back() - 1)->reply;
  }
  EXPECT_EQ(answered_, (std::vector<std::uint64_t>{1, 5, 2, 6, 3, 4}));
}

TEST_F(pool_waiting_test, at_its_deadline_a_request_is_told_the_true_wait) {
  begin(limited(1, {at_once(1)}));
  const auto running = acquire(); // nobody knows when it ends
  const auto q = ask(30s);
  const auto r = ask(30s);
  still_.pass(29'999ms);
  EXPECT_FALSE(q->answered());
  still_.pass(1ms);
  ASSERT_TRUE(q->answered());
  EXPECT_EQ(q->reply->grant, grant_kind::resting);
  EXPECT_EQ(q->reply->wait_ms, -1);
  EXPECT_EQ(r->reply->grant, grant_kind::resting);
  EXPECT_EQ(gauges_->waited_in_vain.get(), 2U);
  settle(running);
  EXPECT_EQ(acquire().grant, grant_kind::granted);
}

TEST_F(pool_waiting_test, a_rest_that_grew_meanwhile_is_told_in_full) {
  rest(20'000);
  const auto q = ask(30s);
  order(key_order::pause, 1, 50'000);
  still_.pass(30s);
  ASSERT_TRUE(q->answered());
  EXPECT_EQ(q->reply->grant, grant_kind::resting);
  EXPECT_EQ(q->reply->wait_ms, 20'000);
}

TEST_F(pool_waiting_test, a_full_room_says_so_and_a_flood_gives_way_to_others) {
  options_.keys.policy.waiting_max = 3;
  begin(1);
  rest(20'000);
  const auto a = ask(60s, 1, 1);
  const auto b = ask(60s, 2, 1);
  const auto c = ask(60s, 3, 1);
  const auto d = ask(60s, 4, 1);
  ASSERT_TRUE(d->answered());
  EXPECT_EQ(d->reply->grant, grant_kind::waiting_room_full);
  EXPECT_EQ(d->reply->wait_ms, 20'000);
  const auto other = ask(60s, 5, 2);
  EXPECT_FALSE(other->answered());
  ASSERT_TRUE(c->answered()) << "the last of the one with the most";
  EXPECT_EQ(c->reply->grant, grant_kind::waiting_room_full);
  EXPECT_EQ(gauges_->waiting_refused.get(), 2U);
  still_.pass(20s);
  EXPECT_TRUE(a->granted() && b->granted() && other->granted());
}

TEST_F(pool_waiting_test, who_left_is_not_served) {
  begin(limited(1, {at_once(1)}));
  const auto running = acquire();
  const auto gone = ask(60s, 7);
  const auto next = ask(60s, 8);
  tell(stop_waiting{7});
  tell(stop_waiting{99}); // unknown: nothing
  ASSERT_TRUE(gone->answered());
  EXPECT_FALSE(gone->granted());
  EXPECT_EQ(view().waiting, 1U);
  settle(running);
  EXPECT_TRUE(next->granted());
}

TEST_F(pool_waiting_test, nobody_passes_those_who_wait_for_the_same_keys) {
  begin(limited(1, {at_once(1)}));
  const auto running = acquire();
  const auto waits = ask(60s, 1);
  // The end of the call and the newcomer lie in the mailboxes together.
  caf::anon_send(running.key_actor, ending(running, answer_class::ok));
  const auto newcomer = ask(0s, 2);
  EXPECT_TRUE(waits->granted());
  ASSERT_TRUE(newcomer->answered());
  EXPECT_EQ(newcomer->reply->grant, grant_kind::resting);
}

TEST_F(pool_waiting_test, a_request_for_another_model_does_not_wait_behind_them) {
  rest(20'000);
  const auto waits = ask(60s, 1);
  EXPECT_EQ(acquire({}, 0, "pro").grant, grant_kind::granted);
  EXPECT_FALSE(waits->answered());
}

TEST_F(pool_waiting_test, requests_that_keys_turned_back_keep_their_order) {
  begin(1);
  const auto first = acquire();
  // They are on their way to the key when its throttle is settled.
  for (std::uint64_t ticket = 1; ticket <= 5; ++ticket)
    send(wish_of(60s, ticket));
  caf::anon_send(first.key_actor, ending(first, answer_class::quota_minute, 20'000));
  still_.settle_down();
  EXPECT_EQ(gauges_->turned_back.get(), 5U);
  ask(60s, 6);
  EXPECT_EQ(view().waiting, 6U);
  EXPECT_EQ(granted(), 0U);
  still_.pass(20s);
  EXPECT_EQ(answered_, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6}));
}

TEST_F(pool_waiting_test, a_waiting_request_that_a_key_turns_back_is_the_next_again) {
  begin(limited(1, {at_once(1)}));
  auto running = acquire();
  for (std::uint64_t ticket = 1; ticket <= 3; ++ticket)
    ask(60s, ticket);
  // The pool learns of the free place; by the time that its request comes, the key is paused.
  caf::anon_send(running.key_actor, ending(running, answer_class::ok));
  caf::anon_send(running.key_actor,
                 key_command{.order = key_order::pause, .key = 1, .pause_ms = 5'000, .note = {}});
  still_.settle_down();
  EXPECT_EQ(granted(), 0U);
  EXPECT_EQ(view().waiting, 3U);
  still_.pass(5s);
  EXPECT_EQ(answered_, (std::vector<std::uint64_t>{1}));
}

TEST_F(pool_waiting_test, draining_answers_everybody) {
  rest(20'000);
  for (std::uint64_t ticket = 1; ticket <= 4; ++ticket)
    ask(60s, ticket, ticket);
  EXPECT_EQ(still_.error_of(pool_, drain_atom::value), caf::none);
  for (const auto& q : questions_) {
    ASSERT_TRUE(q->answered());
    EXPECT_EQ(q->reply->grant, grant_kind::shutting_down);
  }
}

TEST_F(pool_waiting_test, a_new_key_serves_those_who_wait) {
  rest(20'000);
  const auto q = ask(60s);
  put({key(2).key});
  ASSERT_TRUE(q->granted());
  EXPECT_EQ(q->reply->key, 2U);
}

TEST_F(pool_waiting_test, an_enabled_key_serves_those_who_wait) {
  begin(2);
  order(key_order::disable, 2);
  settle(acquire(), answer_class::quota_minute, 20'000);
  const auto q = ask(60s);
  EXPECT_FALSE(q->answered());
  order(key_order::enable, 2);
  ASSERT_TRUE(q->granted());
  EXPECT_EQ(q->reply->key, 2U);
}

TEST_F(pool_waiting_test, raised_limits_serve_those_who_wait) {
  begin(limited(1, {at_once(1)}));
  acquire();
  const auto q = ask(60s);
  const auto r = ask(60s);
  auto raised = key(1).key;
  raised.limits = {at_once(2)};
  put({raised});
  EXPECT_TRUE(q->granted());
  EXPECT_FALSE(r->answered());
}

TEST_F(pool_waiting_test, who_waits_for_a_key_that_is_deleted_has_none_left) {
  rest(20'000);
  const auto q = ask(60s);
  take_out({1});
  ASSERT_TRUE(q->answered());
  EXPECT_EQ(q->reply->grant, grant_kind::none_usable);
}

TEST_F(pool_waiting_test, a_pinned_request_waits_for_its_own_key_and_holds_up_nobody) {
  begin(2);
  settle(acquire({}, 1), answer_class::quota_minute, 20'000);
  auto wish = wish_of(60s, 1);
  wish.pinned = 1;
  const auto pinned = send(wish);
  still_.settle_down();
  EXPECT_FALSE(pinned->answered());
  EXPECT_TRUE(ask(60s, 2)->granted());
  still_.pass(20s);
  ASSERT_TRUE(pinned->granted());
  EXPECT_EQ(pinned->reply->key, 1U);
}

TEST_F(pool_waiting_test, one_who_cannot_use_the_free_key_is_passed_over_and_keeps_its_place) {
  begin(limited(2, {at_once(1)}));
  const auto one = acquire({}, 1);
  const auto two = acquire({}, 2);
  auto picky = wish_of(60s, 1);
  picky.tried = {1};
  const auto first = send(picky);
  still_.settle_down();
  const auto second = ask(60s, 2);
  settle(one);
  EXPECT_FALSE(first->answered());
  EXPECT_TRUE(second->granted());
  const auto third = ask(60s, 3);
  settle(two);
  EXPECT_TRUE(first->granted());
  EXPECT_FALSE(third->answered());
}

/// Large requests for which only the end of a call makes room, while small ones fit.
class pool_large_requests_test : public pool_waiting_test {
protected:
  void SetUp() override {
    begin(limited(1, {{{}, limit_kind::tpm, 1'000}}));
    running_ = acquire(of(400, 0s));
  }

  static acquire_request of(std::uint64_t output_tokens, duration wait, std::uint64_t ticket = 0) {
    auto r = wish_of(wait, ticket);
    r.output_tokens = output_tokens;
    return r;
  }

  acquire_reply running_;
};

TEST_F(pool_large_requests_test, do_not_wake_each_other_for_ever) {
  send(of(700, 10s, 1));
  send(of(700, 10s, 2));
  still_.settle_down();
  EXPECT_EQ(view().waiting, 2U);
  EXPECT_LE(gauges_->turned_back.get(), 4U);
  still_.pass(5s);
  EXPECT_LE(gauges_->turned_back.get(), 60U) << "asked again now and then";
}

TEST_F(pool_large_requests_test, are_served_when_the_call_that_held_the_room_ends) {
  const auto first = send(of(700, 10s, 1));
  const auto second = send(of(700, 10s, 2));
  still_.settle_down();
  auto end = ending(running_, answer_class::ok);
  end.reported = true;
  settle(running_, end);
  EXPECT_TRUE(first->granted());
  EXPECT_FALSE(second->answered());
}

TEST_F(pool_large_requests_test, hold_up_no_small_one) {
  send(of(700, 10s, 1));
  still_.settle_down();
  EXPECT_EQ(acquire(of(100, 0s, 2)).grant, grant_kind::granted);
  EXPECT_EQ(view().waiting, 1U);
}

TEST_F(pool_waiting_test, five_thousand_wait_for_one_key_that_frees_one_place_at_a_time) {
  constexpr std::uint64_t requests = 5'000;
  begin(limited(1, {at_once(1)}));
  auto running = acquire();
  for (std::uint64_t ticket = 1; ticket <= requests; ++ticket)
    send(wish_of(1h, ticket, ticket % 7 + 1));
  still_.settle_down();
  EXPECT_EQ(view().waiting, requests);
  answered_.clear();
  for (std::uint64_t i = 0; i < requests; ++i) {
    settle(running);
    ASSERT_EQ(answered_.size(), i + 1);
    running = *questions_.at(answered_.back() - 1)->reply;
    ASSERT_EQ(running.grant, grant_kind::granted);
  }
  EXPECT_EQ(view().waiting, 0U);
  EXPECT_EQ(status(1).in_flight, 1U);
}

} // namespace
} // namespace troupe
