#include "actors/key/quota_words.hpp"
#include "storage/core/quota_item.hpp"
#include "tests/actors/pool_stage.hpp"

#include <map>

namespace troupe {
namespace {

using namespace std::chrono_literals;

class pool_quota_test : public pool_stage {
protected:
  static limit per_day(std::uint64_t calls) { return {{}, limit_kind::rpd, calls}; }
  static limit tokens_per_minute(std::uint64_t tokens) { return {{}, limit_kind::tpm, tokens}; }

  static acquire_request of_tokens(std::uint64_t input, std::uint64_t output) {
    auto r = wish_of(0s);
    r.input_tokens = input;
    r.output_tokens = output;
    return r;
  }

  static limit_status limit_of(const key_status& s, limit_kind kind,
                               const std::string& model = {}) {
    for (const auto& l : s.quota)
      if (l.kind == kind && l.model == model)
        return l;
    ADD_FAILURE() << "no such limit";
    return {};
  }

  /// How many are granted when everybody asks who wants to.
  std::size_t drink(std::size_t most = 100) {
    std::size_t count = 0;
    while (count < most) {
      const auto lease = acquire();
      if (lease.grant != grant_kind::granted)
        break;
      settle(lease);
      ++count;
    }
    return count;
  }
};

TEST_F(pool_quota_test, calls_of_a_minute_are_counted_exactly_over_all_keys) {
  begin(limited(3, {per_minute(4)}));
  std::map<std::uint64_t, int> used;
  for (int i = 0; i < 12; ++i)
    ++used[acquire().key];
  EXPECT_EQ(used, (std::map<std::uint64_t, int>{{1, 4}, {2, 4}, {3, 4}}));
  const auto refused = acquire();
  EXPECT_EQ(refused.grant, grant_kind::resting);
  EXPECT_EQ(refused.wait_ms, 60'250) << "a minute and the margin";
  EXPECT_FALSE(refused.per_day);
}

TEST_F(pool_quota_test, each_call_leaves_the_window_at_its_own_instant) {
  begin(limited(1, {per_minute(2)}));
  EXPECT_EQ(drink(1), 1U);
  still_.pass(10s);
  EXPECT_EQ(drink(), 1U);
  EXPECT_EQ(acquire().wait_ms, 50'250);
  still_.pass(50'250ms);
  EXPECT_EQ(drink(), 1U);
  EXPECT_EQ(acquire().wait_ms, 10'000);
}

TEST_F(pool_quota_test, a_limit_of_one_model_leaves_others_alone) {
  auto seeds = keys(1);
  seeds[0].key.limits = {{"flash", limit_kind::rpm, 1}};
  begin(seeds);
  EXPECT_EQ(drink(), 1U);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(acquire({}, 0, "pro").grant, grant_kind::granted);
  EXPECT_EQ(acquire().grant, grant_kind::resting);
}

TEST_F(pool_quota_test, several_windows_hold_at_once) {
  begin(limited(1, {per_minute(2), per_day(3)}));
  EXPECT_EQ(drink(), 2U);
  still_.pass(61s);
  EXPECT_EQ(drink(), 1U);
  const auto refused = acquire();
  EXPECT_TRUE(refused.per_day);
  // Midnight in Los Angeles is seven hours after the beginning, and a margin after it.
  EXPECT_EQ(refused.wait_ms, std::chrono::milliseconds(7h).count() - 61'000 + 250);
  still_.pass(7h);
  EXPECT_EQ(drink(), 2U);
}

TEST_F(pool_quota_test, calls_at_one_time_are_limited_and_every_end_frees_one) {
  begin(limited(1, {at_once(2)}));
  const auto a = acquire();
  const auto b = acquire();
  const auto refused = acquire();
  EXPECT_EQ(refused.grant, grant_kind::resting);
  EXPECT_EQ(refused.wait_ms, -1) << "nobody knows when a call ends";
  settle(a);
  const auto c = acquire();
  EXPECT_EQ(c.grant, grant_kind::granted);
  EXPECT_EQ(acquire().grant, grant_kind::resting);
  auto unsent = ending(b, answer_class::ok);
  unsent.unsent = true;
  settle(b, unsent);
  EXPECT_EQ(acquire().grant, grant_kind::granted);
  auto left = ending(c, answer_class::ok);
  left.abandoned = true;
  settle(c, left);
  EXPECT_EQ(acquire().grant, grant_kind::granted);
}

TEST_F(pool_quota_test, tokens_are_reserved_before_and_corrected_after_the_call) {
  begin(limited(1, {tokens_per_minute(1'000)}));
  const auto lease = acquire(of_tokens(300, 500));
  ASSERT_EQ(lease.grant, grant_kind::granted);
  EXPECT_EQ(limit_of(status(1), limit_kind::tpm).used, 800U);
  EXPECT_EQ(acquire(of_tokens(100, 200)).grant, grant_kind::resting);
  auto end = ending(lease, answer_class::ok);
  end.reported = true;
  end.prompt_tokens = 150;
  end.output_tokens = 50;
  settle(lease, end);
  EXPECT_EQ(limit_of(status(1), limit_kind::tpm).used, 200U);
  EXPECT_EQ(acquire(of_tokens(300, 500)).grant, grant_kind::granted);
}

TEST_F(pool_quota_test, a_stream_that_breaks_keeps_its_reservation_and_an_unsent_call_none) {
  begin(limited(1, {tokens_per_minute(1'000)}));
  const auto broken = acquire(of_tokens(100, 200));
  settle(broken, answer_class::upstream_fault); // nothing reported
  EXPECT_EQ(limit_of(status(1), limit_kind::tpm).used, 300U);
  const auto unsent = acquire(of_tokens(100, 200));
  auto end = ending(unsent, answer_class::ok);
  end.unsent = true;
  settle(unsent, end);
  EXPECT_EQ(limit_of(status(1), limit_kind::tpm).used, 300U);
}

TEST_F(pool_quota_test, tokens_reported_far_above_the_reservation_count_and_are_shown) {
  begin(limited(1, {tokens_per_minute(1'000)}));
  const auto lease = acquire(of_tokens(10, 10));
  auto end = ending(lease, answer_class::ok);
  end.reported = true;
  end.prompt_tokens = 10;
  end.output_tokens = 5'000;
  settle(lease, end);
  const auto shown = limit_of(status(1), limit_kind::tpm);
  EXPECT_EQ(shown.used, 5'010U);
  EXPECT_EQ(shown.excess, 4'990U);
  EXPECT_EQ(acquire(of_tokens(10, 10)).grant, grant_kind::resting);
}

TEST_F(pool_quota_test, a_request_that_is_too_large_for_one_key_goes_to_another) {
  begin(limited(2, {tokens_per_minute(1'000)}));
  const auto first = acquire(of_tokens(600, 0));
  const auto second = acquire(of_tokens(600, 0));
  EXPECT_NE(first.key, second.key);
  const auto third = acquire(of_tokens(600, 0));
  EXPECT_EQ(third.grant, grant_kind::resting);
  EXPECT_EQ(third.wait_ms, 60'250);
}

TEST_F(pool_quota_test, nothing_is_granted_before_the_disk_has_it) {
  disk_.quotas = fake_disk::mood::holds;
  begin(limited(1, {per_minute(8)}));
  const auto a = ask(0s, 1);
  const auto b = ask(0s, 2);
  const auto c = ask(0s, 3);
  EXPECT_FALSE(a->answered() || b->answered() || c->answered());
  EXPECT_EQ(disk_.held.size(), 1U);
  release_disk();
  EXPECT_TRUE(a->granted() && b->granted() && c->granted());
  EXPECT_EQ(answered_, (std::vector<std::uint64_t>{1, 2, 3}));
  const auto record = storage::decode_quota_record(disk_.rows.begin()->second);
  ASSERT_TRUE(record);
  EXPECT_GE(record->calls_ceiling, 3U);
}

TEST_F(pool_quota_test, the_next_allowance_is_written_before_anybody_waits_for_it) {
  begin(limited(1, {per_minute(1'000)}));
  ask(0s);
  const auto before = disk_.writes;
  disk_.quotas = fake_disk::mood::holds;
  for (int i = 0; i < 60; ++i)
    EXPECT_TRUE(ask(0s)->granted());
  EXPECT_EQ(disk_.writes, before + 1);
}

TEST_F(pool_quota_test, a_disk_that_refuses_rests_the_key_for_a_moment_and_is_asked_again) {
  disk_.quotas = fake_disk::mood::refuses;
  begin(limited(1, {per_minute(8)}));
  const auto refused = acquire();
  EXPECT_EQ(refused.grant, grant_kind::resting);
  EXPECT_EQ(refused.wait_ms, 1'000);
  const auto asked_once = disk_.writes;
  EXPECT_EQ(acquire().grant, grant_kind::resting);
  EXPECT_EQ(disk_.writes, asked_once) << "not before its time";
  const auto waits = ask(10s);
  still_.pass(1s);
  EXPECT_FALSE(waits->answered());
  EXPECT_EQ(disk_.writes, asked_once + 1);
  disk_.quotas = fake_disk::mood::writes;
  still_.pass(1s);
  EXPECT_TRUE(waits->granted());
  EXPECT_EQ(drink(), 7U);
}

TEST_F(pool_quota_test, a_key_that_is_throttled_while_a_request_waits_for_the_disk_keeps_its_rest) {
  begin(limited(1, {per_minute(1)}));
  settle(acquire({}, 1, "pro"));
  still_.pass(61s);
  disk_.quotas = fake_disk::mood::holds;
  const auto q = ask(0s);
  EXPECT_FALSE(q->answered());
  order(key_order::pause, 1, 30'000);
  release_disk();
  ASSERT_TRUE(q->answered());
  EXPECT_EQ(q->reply->grant, grant_kind::resting);
  EXPECT_EQ(q->reply->wait_ms, 30'000);
}

TEST_F(pool_quota_test, who_waits_for_the_disk_is_answered_when_the_key_crashes) {
  begin(limited(1, {per_minute(8)}));
  const auto lease = acquire();
  disk_.quotas = fake_disk::mood::holds;
  while (ask(0s)->answered()) {
  }
  crash(lease.key_actor);
  EXPECT_TRUE(questions_.back()->answered());
}

TEST_F(pool_quota_test, without_a_disk_limits_hold_all_the_same) {
  with_storage_ = false;
  begin(limited(2, {per_minute(3)}));
  EXPECT_EQ(drink(), 6U);
}

TEST_F(pool_quota_test, a_crash_forgets_nothing_that_was_used) {
  begin(limited(1, {per_minute(4)}));
  EXPECT_EQ(drink(2), 2U);
  const auto in_flight = acquire();
  crash(in_flight.key_actor);
  EXPECT_EQ(limit_of(status(1), limit_kind::rpm).used, 3U);
  EXPECT_EQ(drink(), 1U);
}

TEST_F(pool_quota_test, the_places_of_a_crashed_keys_calls_are_free_again) {
  begin(limited(1, {at_once(2)}));
  const auto lease = acquire();
  acquire();
  crash(lease.key_actor);
  EXPECT_EQ(acquire().grant, grant_kind::granted);
  settle(lease); // of a former life
  EXPECT_EQ(acquire().grant, grant_kind::granted);
  EXPECT_EQ(acquire().grant, grant_kind::resting);
}

TEST_F(pool_quota_test, a_crash_in_the_middle_of_a_write_stops_no_later_write) {
  begin(limited(1, {per_minute(1)}));
  const auto lease = acquire();
  still_.pass(61s);
  disk_.quotas = fake_disk::mood::holds;
  ask(0s); // lost with the actor
  disk_.quotas = fake_disk::mood::writes;
  crash(lease.key_actor);
  EXPECT_EQ(acquire().grant, grant_kind::granted);
}

TEST_F(pool_quota_test, a_restart_charges_what_nobody_knows) {
  begin(limited(1, {per_day(80)}));
  EXPECT_EQ(drink(3), 3U);
  const auto row = disk_.rows.at(quota_row_of_key(1));
  const auto kept = storage::decode_quota_record(row);
  ASSERT_TRUE(kept);
  ASSERT_LE(kept->calls_ceiling, 20U) << "one block, an eighth, and the next";
  // As after kill -9: nothing but the last record is left.
  options_.quotas.emplace(quota_row_of_key(1), *kept);
  begin(limited(1, {per_day(80)}));
  EXPECT_EQ(limit_of(status(1), limit_kind::rpd).used, kept->calls_ceiling);
  EXPECT_EQ(drink(), 80U - kept->calls_ceiling);
}

TEST_F(pool_quota_test, a_clean_end_leaves_nothing_unknown) {
  begin(limited(1, {per_day(80)}));
  EXPECT_EQ(drink(3), 3U);
  EXPECT_EQ(still_.error_of(pool_, drain_atom::value), caf::none);
  const auto name = quota_row_of_key(1);
  const auto kept = storage::decode_quota_record(disk_.rows.at(name));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->calls, 3U);
  EXPECT_EQ(kept->calls_ceiling, 3U);
  options_.quotas.emplace(name, *kept);
  begin(limited(1, {per_day(80)}));
  EXPECT_EQ(drink(), 77U);
}

TEST_F(pool_quota_test, draining_says_when_the_disk_did_not_take_the_last_records) {
  begin(limited(1, {per_day(80)}));
  EXPECT_EQ(drink(1), 1U);
  disk_.quotas = fake_disk::mood::refuses;
  EXPECT_EQ(to_errc(still_.error_of(pool_, drain_atom::value)), errc::storage_failed);
}

TEST_F(pool_quota_test, a_limit_lowered_below_what_is_in_flight_grants_nothing_until_enough_ended) {
  begin(limited(1, {at_once(4)}));
  std::vector<acquire_reply> running;
  for (int i = 0; i < 4; ++i)
    running.push_back(acquire());
  auto lowered = key(1).key;
  lowered.limits = {at_once(2)};
  put({lowered});
  EXPECT_EQ(limit_of(status(1), limit_kind::concurrency).used, 4U);
  settle(running[0]);
  settle(running[1]);
  EXPECT_EQ(acquire().grant, grant_kind::resting);
  settle(running[2]);
  EXPECT_EQ(acquire().grant, grant_kind::granted);
  EXPECT_EQ(acquire().grant, grant_kind::resting);
}

TEST_F(pool_quota_test, limits_that_are_taken_away_and_given_again_hold_for_what_comes_then) {
  begin(limited(1, {per_minute(5)}));
  EXPECT_EQ(drink(), 5U);
  put({key(1).key});
  EXPECT_EQ(drink(50), 50U);
  still_.pass(2min);
  auto limited_again = key(1).key;
  limited_again.limits = {per_minute(5)};
  put({limited_again});
  EXPECT_EQ(drink(), 5U);
}

TEST_F(pool_quota_test, a_limit_that_the_upstream_tells_is_enforced_and_shown_as_told) {
  begin(1);
  const auto lease = acquire();
  auto end = ending(lease, answer_class::ok);
  end.told = {{"", limit_kind::rpm, 3}};
  settle(lease, end);
  const auto shown = limit_of(status(1), limit_kind::rpm, "flash");
  EXPECT_EQ(shown.source, limit_source::told);
  EXPECT_EQ(shown.amount, 3U);
  EXPECT_EQ(drink(), 3U);
  EXPECT_EQ(acquire({}, 0, "pro").grant, grant_kind::granted);
  still_.pass(25h);
  EXPECT_EQ(drink(10), 10U) << "what is told holds for a day";
}

TEST_F(pool_quota_test, a_declared_limit_stands_above_what_is_told) {
  auto seeds = keys(1);
  seeds[0].key.limits = {{"flash", limit_kind::rpm, 5}};
  begin(seeds);
  const auto lease = acquire();
  auto end = ending(lease, answer_class::ok);
  end.told = {{"flash", limit_kind::rpm, 1}};
  settle(lease, end);
  EXPECT_EQ(drink(), 4U);
}

TEST_F(pool_quota_test, an_estimate_is_shown_and_never_enforced) {
  begin(1);
  EXPECT_EQ(drink(9), 9U);
  settle(acquire(), answer_class::quota_minute, 1'000);
  const auto shown = limit_of(status(1), limit_kind::rpm, "flash");
  EXPECT_EQ(shown.source, limit_source::estimated);
  EXPECT_EQ(shown.amount, 9U);
  still_.pass(1s);
  EXPECT_EQ(drink(30), 30U);
}

TEST_F(pool_quota_test, nothing_is_learnt_when_the_operator_does_not_want_it) {
  options_.keys.policy.learn_limits = false;
  begin(1);
  EXPECT_EQ(drink(9), 9U);
  const auto lease = acquire();
  auto end = ending(lease, answer_class::quota_minute, 1'000);
  end.told = {{"", limit_kind::rpm, 3}};
  settle(lease, end);
  EXPECT_TRUE(status(1).quota.empty());
}

TEST_F(pool_quota_test, a_call_that_leaves_late_counts_from_then) {
  begin(limited(1, {per_minute(1)}));
  const auto lease = acquire();
  still_.pass(20s);
  caf::anon_send(lease.key_actor, sent_late{lease.lease});
  still_.settle_down();
  settle(lease);
  EXPECT_EQ(acquire().wait_ms, 60'250);
}

TEST_F(pool_quota_test, a_wall_clock_that_is_set_back_or_forward_frees_no_minute) {
  begin(limited(1, {per_minute(2)}));
  EXPECT_EQ(drink(), 2U);
  wall_shift_ = 3h;
  EXPECT_EQ(drink(), 0U);
  wall_shift_ = -3h;
  EXPECT_EQ(drink(), 0U);
  still_.pass(60'250ms);
  EXPECT_EQ(drink(), 2U);
}

} // namespace
} // namespace troupe
