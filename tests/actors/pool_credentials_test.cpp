#include "actors/key/quota_words.hpp"
#include "storage/core/quota_item.hpp"
#include "tests/actors/pool_stage.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;

class pool_credentials_test : public pool_stage {
protected:
  static constexpr std::uint64_t who = 5;

  void limit_to(std::vector<limit> limits, std::uint64_t count = 2) {
    options_.credentials = {{who, std::move(limits)}};
    begin(count);
  }

  acquire_reply ask_as(std::uint64_t credential = who, std::uint64_t ticket = 0) {
    auto r = wish_of(0s);
    r.credential = credential;
    r.credential_ticket = ticket;
    return acquire(r);
  }

  settle_credential ending_of(const acquire_reply& r) const {
    return {.credential = who, .ticket = r.credential_ticket, .sent = true};
  }
};

TEST_F(pool_credentials_test, a_credential_over_its_limit_is_told_the_true_wait) {
  limit_to({per_minute(2)});
  EXPECT_EQ(ask_as().grant, grant_kind::granted);
  still_.pass(10s);
  EXPECT_EQ(ask_as().grant, grant_kind::granted);
  const auto refused = ask_as();
  EXPECT_EQ(refused.grant, grant_kind::credential_limit);
  EXPECT_EQ(refused.wait_ms, 50'250);
  EXPECT_EQ(refused.limited, limit_kind::rpm);
  EXPECT_EQ(gauges_->refused_by_credential.get(), 1U);
  EXPECT_EQ(ask_as(6).grant, grant_kind::granted) << "another has no limit";
  still_.pass(50'250ms);
  EXPECT_EQ(ask_as().grant, grant_kind::granted);
}

TEST_F(pool_credentials_test, it_does_not_wait_for_its_own_limit) {
  limit_to({per_minute(1)});
  EXPECT_EQ(ask_as().grant, grant_kind::granted);
  const auto q = ask(90s, 1, who);
  ASSERT_TRUE(q->answered());
  EXPECT_EQ(q->reply->grant, grant_kind::credential_limit);
}

TEST_F(pool_credentials_test, a_request_counts_once_however_often_it_is_tried) {
  limit_to({per_minute(2)});
  const auto first = ask_as();
  ASSERT_NE(first.credential_ticket, 0U);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(ask_as(who, first.credential_ticket).grant, grant_kind::granted);
  EXPECT_EQ(ask_as().grant, grant_kind::granted);
  EXPECT_EQ(ask_as().grant, grant_kind::credential_limit);
}

TEST_F(pool_credentials_test, a_request_that_keys_turn_back_counts_once) {
  with_storage_ = false; // or the question would wait until the throttle is known
  limit_to({per_minute(2)}, 1);
  const auto lease = acquire();
  auto wish = wish_of(60s, 1);
  wish.credential = who;
  const auto q = send(wish);
  caf::anon_send(lease.key_actor, ending(lease, answer_class::quota_minute, 5'000));
  still_.settle_down();
  EXPECT_EQ(gauges_->turned_back.get(), 1U);
  still_.pass(5s);
  EXPECT_TRUE(q->granted());
  EXPECT_EQ(ask_as().grant, grant_kind::granted);
  EXPECT_EQ(ask_as().grant, grant_kind::credential_limit);
}

TEST_F(pool_credentials_test, what_ends_without_a_lease_is_taken_back) {
  limit_to({per_minute(1)}, 1);
  settle(acquire(), answer_class::quota_minute, 5'000);
  EXPECT_EQ(ask_as().grant, grant_kind::resting);
  still_.pass(1ms);
  const auto stopped = ask(60s, 7, who);
  tell(stop_waiting{7});
  ASSERT_TRUE(stopped->answered());
  EXPECT_EQ(stopped->reply->grant, grant_kind::none_usable);
  still_.pass(1ms);
  const auto too_late = ask(6s, 8, who);
  order(key_order::pause, 1, 60'000);
  still_.pass(6s);
  ASSERT_TRUE(too_late->answered());
  EXPECT_EQ(too_late->reply->grant, grant_kind::resting);
  order(key_order::disable, 1);
  EXPECT_EQ(ask_as().grant, grant_kind::none_usable);
  order(key_order::reset, 1);
  EXPECT_EQ(ask_as().grant, grant_kind::granted) << "none of these counted";
  EXPECT_EQ(ask_as().grant, grant_kind::credential_limit);
}

TEST_F(pool_credentials_test, a_lease_that_comes_too_late_frees_its_place_by_way_of_its_key) {
  limit_to({at_once(1)});
  const auto late = ask_as();
  ASSERT_EQ(late.grant, grant_kind::granted);
  EXPECT_EQ(late.counted_for, who);
  EXPECT_EQ(ask_as().grant, grant_kind::credential_limit);
  EXPECT_EQ(ask_as(who, late.credential_ticket).counted_for, 0U) << "counted by another question";
  caf::anon_send(late.key_actor,
                 settle_credential{.credential = who, .ticket = late.credential_ticket});
  still_.settle_down();
  EXPECT_EQ(ask_as().grant, grant_kind::granted);
}

TEST_F(pool_credentials_test, a_second_attempt_that_finds_no_key_does_not_undo_the_first) {
  limit_to({per_minute(1)}, 1);
  const auto first = ask_as();
  auto again = wish_of(0s);
  again.credential = who;
  again.credential_ticket = first.credential_ticket;
  again.tried = {1};
  EXPECT_EQ(acquire(again).grant, grant_kind::none_usable);
  EXPECT_EQ(ask_as().grant, grant_kind::credential_limit);
}

TEST_F(pool_credentials_test, a_request_that_reached_no_upstream_is_taken_back_at_its_end) {
  limit_to({per_minute(1)});
  const auto first = ask_as();
  auto end = ending_of(first);
  end.sent = false;
  tell(end);
  EXPECT_EQ(ask_as().grant, grant_kind::granted);
}

TEST_F(pool_credentials_test, tokens_are_reserved_and_settled) {
  limit_to({{{}, limit_kind::tpm, 1'000}});
  auto wish = wish_of(0s);
  wish.credential = who;
  wish.input_tokens = 400;
  wish.output_tokens = 400;
  const auto first = acquire(wish);
  ASSERT_EQ(first.grant, grant_kind::granted);
  EXPECT_EQ(acquire(wish).limited, limit_kind::tpm);
  auto end = ending_of(first);
  end.reported = true;
  end.input_tokens = 100;
  end.output_tokens = 100;
  tell(end);
  EXPECT_EQ(acquire(wish).grant, grant_kind::granted);
  EXPECT_EQ(acquire(wish).grant, grant_kind::credential_limit);
}

TEST_F(pool_credentials_test, calls_at_one_time_end_with_the_request) {
  limit_to({at_once(1)});
  const auto first = ask_as();
  const auto refused = ask_as();
  EXPECT_EQ(refused.grant, grant_kind::credential_limit);
  EXPECT_EQ(refused.wait_ms, -1);
  tell(ending_of(first));
  EXPECT_EQ(ask_as().grant, grant_kind::granted);
}

TEST_F(pool_credentials_test, limits_change_while_it_works_and_what_was_used_stays_used) {
  limit_to({per_minute(5)});
  for (int i = 0; i < 3; ++i)
    ask_as();
  const auto change = [&](limits_of_credentials all) {
    EXPECT_EQ(still_.error_of(pool_, change_credentials{std::move(all)}), caf::none);
  };
  change({{who, {per_minute(2)}}});
  EXPECT_EQ(ask_as().grant, grant_kind::credential_limit);
  change({{who, {per_minute(4)}}});
  EXPECT_EQ(ask_as().grant, grant_kind::granted);
  EXPECT_EQ(ask_as().grant, grant_kind::credential_limit);
  change({});
  EXPECT_EQ(ask_as().grant, grant_kind::granted);
  EXPECT_FALSE(disk_.rows.contains(quota_row_of_credential(who)));
}

TEST_F(pool_credentials_test, nothing_is_granted_before_the_disk_has_it) {
  disk_.quotas = fake_disk::mood::holds;
  limit_to({per_minute(80)});
  const auto a = ask(0s, 1, who);
  const auto b = ask(0s, 2, who);
  EXPECT_FALSE(a->answered() || b->answered());
  EXPECT_TRUE(ask(0s, 3)->granted()) << "it has no limit";
  release_disk();
  EXPECT_TRUE(a->granted() && b->granted());
  EXPECT_EQ(answered_, (std::vector<std::uint64_t>{3, 1, 2}));
}

TEST_F(pool_credentials_test, a_disk_that_refuses_is_told_as_a_short_wait) {
  disk_.quotas = fake_disk::mood::refuses;
  limit_to({per_minute(80)});
  const auto refused = ask_as();
  EXPECT_EQ(refused.grant, grant_kind::credential_limit);
  EXPECT_EQ(refused.wait_ms, 1'000);
  disk_.quotas = fake_disk::mood::writes;
  still_.pass(1s);
  EXPECT_EQ(ask_as().grant, grant_kind::granted);
}

TEST_F(pool_credentials_test, limits_taken_away_let_those_through_who_wait_for_the_disk) {
  disk_.quotas = fake_disk::mood::holds;
  limit_to({per_minute(80)});
  const auto q = ask(0s, 1, who);
  EXPECT_FALSE(q->answered());
  EXPECT_EQ(still_.error_of(pool_, change_credentials{}), caf::none);
  still_.settle_down();
  EXPECT_TRUE(q->granted());
  release_disk();
}

TEST_F(pool_credentials_test, limits_hold_without_a_disk_too) {
  with_storage_ = false;
  limit_to({per_minute(3)});
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(ask_as().grant, grant_kind::granted);
  EXPECT_EQ(ask_as().grant, grant_kind::credential_limit);
}

TEST_F(pool_credentials_test, a_restart_charges_what_nobody_knows) {
  limit_to({{{}, limit_kind::rpd, 16}});
  for (int i = 0; i < 3; ++i)
    tell(ending_of(ask_as()));
  const auto kept = storage::decode_quota_record(disk_.rows.at(quota_row_of_credential(who)));
  ASSERT_TRUE(kept);
  options_.quotas.emplace(quota_row_of_credential(who), *kept);
  limit_to({{{}, limit_kind::rpd, 16}});
  std::uint64_t granted = 0;
  while (ask_as().grant == grant_kind::granted)
    ++granted;
  EXPECT_EQ(granted, 16U - kept->calls_ceiling);
  EXPECT_GE(kept->calls_ceiling, 3U);
}

} // namespace
} // namespace troupe
