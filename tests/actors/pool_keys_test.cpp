#include "tests/actors/pool_stage.hpp"

#include <optional>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using gemini::answer_class;

class pool_keys_test : public pool_stage {
protected:
  void SetUp() override { begin(3); }
};

TEST_F(pool_keys_test, a_crashed_key_actor_is_born_again_with_its_rests) {
  const auto lease = acquire({}, 2);
  settle(lease, answer_class::quota_minute, 30'000);
  crash(lease.key_actor);
  EXPECT_TRUE(log_.has("its actor crashed"));
  EXPECT_EQ(acquire({}, 2).wait_ms, 30'001) << "a millisecond for the wall clock";
  const auto other = acquire({}, 2, "pro");
  EXPECT_EQ(other.grant, grant_kind::granted);
  EXPECT_NE(other.key_actor, lease.key_actor);
  EXPECT_GT(other.lease, lease.lease);
  EXPECT_EQ(list().at(1).restarts, 1U);
}

TEST_F(pool_keys_test, a_disabled_key_stays_disabled_over_a_crash) {
  const auto lease = acquire({}, 2);
  settle(lease, answer_class::key_suspended);
  crash(lease.key_actor);
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::none_usable);
  EXPECT_EQ(list().at(1).reason, key_reason::suspended);
}

TEST_F(pool_keys_test, rests_and_disablement_survive_a_crash_even_without_storage) {
  with_storage_ = false;
  begin(3);
  const auto resting = acquire({}, 1);
  const auto disabled = acquire({}, 2);
  settle(resting, answer_class::quota_minute, 30'000);
  settle(disabled, answer_class::key_invalid);
  crash(resting.key_actor);
  crash(disabled.key_actor);
  EXPECT_EQ(acquire({}, 1).wait_ms, 30'001);
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::none_usable);
}

TEST_F(pool_keys_test, a_key_that_keeps_crashing_is_started_less_and_less_often) {
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

TEST_F(pool_keys_test, other_keys_serve_while_one_is_down) {
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

TEST_F(pool_keys_test, keys_come_and_go) {
  add_keys added;
  added.keys.push_back({.key = 9, .name = "ninth", .secret_text = secret{"s9"}, .upstream = 4});
  EXPECT_EQ(still_.error_of(pool_, added), caf::none);
  const auto lease = acquire({}, 9);
  EXPECT_EQ(lease.grant, grant_kind::granted);
  EXPECT_EQ(lease.upstream, 4U);
  settle(lease, answer_class::quota_minute, 30'000);
  EXPECT_FALSE(disk_.keys[9].empty());

  EXPECT_EQ(still_.error_of(pool_, remove_keys{{9, 77}}), caf::none);
  still_.settle_down();
  EXPECT_FALSE(disk_.keys.contains(9)) << "its state goes with it";
  EXPECT_EQ(acquire({}, 9).grant, grant_kind::none_usable);
  EXPECT_EQ(list().size(), 3U);
  EXPECT_EQ(still_.error_of(pool_, remove_keys{{9}}), caf::none);
  EXPECT_EQ(still_.error_of(pool_, added), caf::none);
  EXPECT_EQ(acquire({}, 9).grant, grant_kind::granted);
}

TEST_F(pool_keys_test, a_request_that_was_passed_to_a_leaving_key_is_answered) {
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

TEST_F(pool_keys_test, a_key_that_stands_there_takes_what_is_new) {
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

TEST_F(pool_keys_test, a_key_that_comes_back_serves_from_the_answer_on_or_has_its_past) {
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

TEST_F(pool_keys_test, starts_with_the_stored_state_of_its_keys) {
  auto stored = keys(3);
  key_health sick;
  sick.disabled = key_reason::invalid;
  const instants t{still_.now(), still_.wall()};
  stored[0].past = to_record(sick, {}, t);
  key_health tired;
  tired.models.push_back({.model = "flash",
                          .pause = {t.now + 10min, key_reason::quota_day},
                          .throttles = 0,
                          .strikes = 0});
  stored[1].past = to_record(tired, {}, t);
  begin(std::move(stored));
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(acquire().key, 3U);
  EXPECT_EQ(acquire({}, 2).wait_ms, 600'001);
  EXPECT_TRUE(acquire({}, 2).per_day);
  EXPECT_EQ(acquire({}, 1).grant, grant_kind::none_usable);
}

TEST_F(pool_keys_test, key_actors_end_with_the_pool) {
  const auto lease = acquire();
  end();
  EXPECT_NE(still_.error_of(lease.key_actor, status_atom::value), caf::none);
}

} // namespace
} // namespace troupe
