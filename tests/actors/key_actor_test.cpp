#include "actors/key/key_actor.hpp"

#include "tests/support/still_system.hpp"

#include <caf/deep_to_string.hpp>

#include <gtest/gtest.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using gemini::answer_class;
using gemini::answer_scope;

constexpr std::uint64_t the_key = 0xABCDEF;

class key_actor_test : public testing::Test {
protected:
  void SetUp() override { begin({}); }
  void TearDown() override {
    end(key_);
    end(pool_);
    end(storage_);
    options_.reset();
  }

  void begin(key_seed seed) {
    end(key_);
    end(pool_);
    end(storage_);
    // Stands for the pool: notes what it is told and turns every request away.
    pool_ = still_.system().spawn([this]() -> caf::behavior {
      return {[this](const standing_report& r) { told_.push_back(r.standing); },
              [this](const room_report& r) { rooms_.push_back(r); },
              [this](const acquire_request& r) {
                returned_.push_back(r);
                return acquire_reply{};
              }};
    });
    storage_ = still_.system().spawn([this]() -> caf::behavior {
      return {[this](const save_key_state& s) { saved_.push_back(s); }, [](const save_quota&) {}};
    });
    key_actor_options options;
    options.live = std::make_shared<shared_policy>(options.policy);
    options.wall = [this] { return still_.wall(); };
    options.log = &log_;
    options.pool = pool_;
    options.storage = storage_;
    options_ = std::make_shared<const key_actor_options>(options);
    seed.key = the_key;
    seed.name = "first";
    seed.secret_text = secret{"the-characters"};
    ledger_ = std::make_shared<shared_ledger>("quota/key", options_->policy.quota);
    seed.ledger = ledger_;
    seed.load = std::make_shared<key_load>();
    key_ = still_.system().spawn<caf::lazy_init>(key_actor, options_, seed);
  }

  void end(caf::actor& a) {
    if (a)
      caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    a = nullptr;
    still_.settle_down();
  }

  acquire_reply acquire(std::string model = "flash") {
    acquire_request request;
    request.model = std::move(model);
    return *still_.ask<acquire_reply>(key_, request);
  }

  void settle(settlement s) {
    caf::anon_send(key_, std::move(s));
    still_.settle_down();
  }

  void settle_with(answer_class what, std::int64_t retry_after_ms = -1) {
    settlement s;
    s.lease = acquire().lease;
    s.model = "flash";
    s.what = what;
    s.scope = answer_scope::key_and_model;
    s.concerned_model = "flash";
    s.retry_after_ms = retry_after_ms;
    s.message = "as the upstream said";
    settle(std::move(s));
  }

  key_status status() { return *still_.ask<key_status>(key_, status_atom::value); }

  key_status order(key_order what, std::int64_t pause_ms = 0) {
    return *still_.ask<key_status>(
        key_, key_command{.order = what, .key = the_key, .pause_ms = pause_ms, .note = {}});
  }

  storage::key_state_record last_saved() {
    auto record = storage::decode_key_state(saved_.back().record);
    EXPECT_TRUE(record);
    return *record;
  }

  still_system still_;
  kept_log log_;
  std::vector<key_standing> told_;
  std::vector<room_report> rooms_;
  std::vector<acquire_request> returned_;
  std::vector<save_key_state> saved_;
  std::shared_ptr<const key_actor_options> options_;
  std::shared_ptr<shared_ledger> ledger_;
  caf::actor pool_;
  caf::actor storage_;
  caf::actor key_;
};

TEST_F(key_actor_test, grants_leases_with_the_secret) {
  const auto first = acquire();
  const auto second = acquire();
  EXPECT_EQ(first.grant, grant_kind::granted);
  EXPECT_EQ(first.key, the_key);
  EXPECT_EQ(first.secret_text.reveal(), "the-characters");
  EXPECT_EQ(first.key_actor, key_);
  EXPECT_NE(first.lease, second.lease);
  EXPECT_EQ(status().in_flight, 2U);
  EXPECT_EQ(status().granted, 2U);
}

TEST_F(key_actor_test, what_is_printed_of_its_messages_shows_no_secret) {
  const auto reply = acquire();
  EXPECT_EQ(caf::deep_to_string(reply).find("the-characters"), std::string::npos);
  const add_keys added{{{.key = 1, .name = "n", .secret_text = secret{"the-characters"}}}};
  EXPECT_EQ(caf::deep_to_string(caf::make_message(added)).find("the-characters"),
            std::string::npos);
  EXPECT_NE(caf::deep_to_string(added).find("***"), std::string::npos);
}

TEST_F(key_actor_test, a_settled_call_is_counted_once) {
  settlement s;
  s.lease = acquire().lease;
  s.model = "flash";
  s.prompt_tokens = 7;
  s.output_tokens = 5;
  s.thought_tokens = 3;
  s.cached_tokens = 2;
  settle(s);
  settle(s);
  const auto now = status();
  EXPECT_EQ(now.in_flight, 0U);
  EXPECT_EQ(now.answers[static_cast<std::size_t>(answer_class::ok)], 1U);
  EXPECT_EQ(now.prompt_tokens, 7U);
  EXPECT_EQ(now.output_tokens, 5U);
  EXPECT_EQ(now.thought_tokens, 3U);
  EXPECT_EQ(now.cached_tokens, 2U);
  EXPECT_EQ(now.last_used_at_ms, 1'768'438'800'000);
  EXPECT_TRUE(told_.empty());
}

TEST_F(key_actor_test, leases_are_settled_in_any_order) {
  const auto a = acquire().lease;
  const auto b = acquire().lease;
  const auto c = acquire().lease;
  for (const auto lease : {b, c, a}) {
    settlement s;
    s.lease = lease;
    settle(s);
  }
  EXPECT_EQ(status().in_flight, 0U);
  EXPECT_EQ(status().answers[0], 3U);
}

TEST_F(key_actor_test, a_call_whose_client_left_says_nothing_of_the_key) {
  settlement s;
  s.lease = acquire().lease;
  s.abandoned = true;
  s.what = answer_class::key_invalid;
  settle(s);
  EXPECT_EQ(status().abandoned, 1U);
  EXPECT_EQ(status().state, key_state::ready);
  EXPECT_EQ(status().in_flight, 0U);
}

TEST_F(key_actor_test, a_throttle_is_told_to_the_pool_and_saved_at_once) {
  settle_with(answer_class::quota_minute, 46'500);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].models,
            (std::vector<model_rest>{{.model = "flash", .wait_ms = 46'500, .per_day = false}}));
  ASSERT_EQ(saved_.size(), 1U);
  EXPECT_TRUE(saved_[0].urgent);
  EXPECT_EQ(last_saved().models.at(0).until_at_ms, 1'768'438'800'000 + 46'500);
  EXPECT_EQ(last_saved().last_error, "as the upstream said");
  EXPECT_EQ(status().models.at(0).until_at_ms, 1'768'438'800'000 + 46'500);
}

TEST_F(key_actor_test, what_the_pool_did_not_know_yet_is_told_before_the_request_goes_back) {
  settle_with(answer_class::quota_minute, 46'500);
  told_.clear();
  still_.pass(500ms);
  EXPECT_EQ(acquire().grant, grant_kind::none_usable); // as the stand-in of the pool says
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].models.at(0).wait_ms, 46'000);
  ASSERT_EQ(returned_.size(), 1U);
  EXPECT_EQ(returned_[0].model, "flash");
  EXPECT_EQ(returned_[0].turned_back, 1U);
  EXPECT_EQ(acquire("pro").grant, grant_kind::granted);
}

TEST_F(key_actor_test, comes_back_by_itself_when_the_rest_is_over) {
  settle_with(answer_class::quota_minute, 46'500);
  still_.pass(46'499ms);
  EXPECT_EQ(acquire().grant, grant_kind::none_usable);
  EXPECT_EQ(status().state, key_state::cooling);
  still_.pass(1ms);
  EXPECT_EQ(acquire().grant, grant_kind::granted);
  EXPECT_EQ(status().state, key_state::ready);
}

TEST_F(key_actor_test, counts_are_saved_together_every_few_seconds) {
  for (int i = 0; i < 50; ++i)
    settle_with(answer_class::ok);
  EXPECT_TRUE(saved_.empty());
  still_.pass(5s);
  ASSERT_EQ(saved_.size(), 1U);
  EXPECT_FALSE(saved_[0].urgent);
  EXPECT_EQ(last_saved().answers[0], 50U);
  still_.pass(1h); // nothing new: nothing to save
  EXPECT_EQ(saved_.size(), 1U);
}

TEST_F(key_actor_test, a_lease_that_nobody_settles_is_taken_back) {
  acquire();
  still_.pass(59min);
  acquire();
  EXPECT_EQ(status().in_flight, 2U);
  still_.pass(61s);
  EXPECT_EQ(status().in_flight, 1U);
  EXPECT_EQ(status().expired, 1U);
  EXPECT_TRUE(log_.has("1 leases were never settled"));
  still_.pass(1h);
  EXPECT_EQ(status().expired, 2U);
}

TEST_F(key_actor_test, a_refused_key_is_disabled_with_its_reason) {
  settle_with(answer_class::key_suspended);
  EXPECT_EQ(status().state, key_state::disabled);
  EXPECT_EQ(status().reason, key_reason::suspended);
  EXPECT_TRUE(told_.back().disabled);
  EXPECT_TRUE(saved_.back().urgent);
  EXPECT_EQ(last_saved().disabled, static_cast<std::uint8_t>(key_reason::suspended));
  EXPECT_TRUE(log_.has("warning key_0000000000abcdef: key_suspended, disabled (suspended)"));
}

TEST_F(key_actor_test, obeys_the_operator) {
  EXPECT_EQ(order(key_order::disable).reason, key_reason::by_operator);
  EXPECT_TRUE(told_.back().disabled);
  EXPECT_EQ(order(key_order::enable).state, key_state::ready);
  EXPECT_FALSE(told_.back().disabled);
  EXPECT_EQ(order(key_order::pause, 60'000).until_at_ms, 1'768'438'860'000);
  EXPECT_EQ(told_.back().wait_ms, 60'000);
  EXPECT_EQ(order(key_order::reset).state, key_state::ready);
  EXPECT_EQ(told_.back(), key_standing{});
  EXPECT_EQ(saved_.size(), 4U);
}

TEST_F(key_actor_test, goes_on_from_its_stored_past) {
  settle_with(answer_class::ok);
  settle_with(answer_class::quota_minute, 60'000);
  const auto past = last_saved();
  still_.pass(20s);
  key_seed seed;
  seed.past = past;
  seed.restarts = 1;
  begin(seed);
  EXPECT_EQ(status().answers[0], 1U);
  EXPECT_EQ(status().granted, 2U);
  EXPECT_EQ(status().restarts, 1U);
  EXPECT_EQ(acquire().grant, grant_kind::none_usable);
  EXPECT_EQ(told_.back().models.at(0).wait_ms, 40'001) << "a millisecond for the wall clock";
  still_.pass(40s + 1ms);
  EXPECT_EQ(acquire().grant, grant_kind::granted);
}

TEST_F(key_actor_test, a_settlement_from_a_former_life_is_ignored) {
  const auto old = acquire().lease;
  key_seed seed;
  seed.restarts = 1;
  begin(seed);
  acquire();
  settlement s;
  s.lease = old;
  settle(s);
  EXPECT_EQ(status().in_flight, 1U);
  EXPECT_EQ(status().answers[0], 0U);
}

TEST_F(key_actor_test, saves_what_it_counted_before_it_ends) {
  settle_with(answer_class::ok);
  caf::anon_send_exit(key_, caf::exit_reason::user_shutdown);
  still_.settle_down();
  ASSERT_EQ(saved_.size(), 1U);
  EXPECT_EQ(last_saved().answers[0], 1U);
}

TEST_F(key_actor_test, tells_the_pool_what_is_left_when_its_picture_is_used_up) {
  ledger_->declare({{{}, limit_kind::rpm, 2}}, {still_.now(), still_.wall()});
  ledger_->report_now({still_.now(), still_.wall()});
  acquire();
  EXPECT_TRUE(rooms_.empty());
  acquire();
  ASSERT_EQ(rooms_.size(), 1U);
  EXPECT_EQ(rooms_[0].seen, 2U);
  EXPECT_EQ(rooms_[0].ledger, ledger_->id());
  ASSERT_EQ(rooms_[0].rooms.size(), 1U);
  EXPECT_EQ(rooms_[0].rooms[0].room, 0U);
  EXPECT_EQ(rooms_[0].rooms[0].wait_ms, 60'250);
  acquire();
  ASSERT_EQ(returned_.size(), 1U);
  ASSERT_EQ(returned_[0].turned.size(), 1U);
  EXPECT_EQ(returned_[0].turned[0].key, the_key);
  EXPECT_EQ(returned_[0].turned[0].wait_ms, 60'250);
}

TEST_F(key_actor_test, a_request_is_returned_with_proxy_and_ticket_as_it_was_asked) {
  acquire_request request;
  request.model = "flash";
  request.egress = 7;
  request.proxy = secret{"http://proxy:1"};
  request.credential_ticket = 9;
  const auto reply = *still_.ask<acquire_reply>(key_, request);
  EXPECT_EQ(reply.egress, 7U);
  EXPECT_EQ(reply.proxy.reveal(), "http://proxy:1");
  EXPECT_EQ(reply.credential_ticket, 9U);
}

TEST_F(key_actor_test, a_lease_that_nobody_settles_gives_its_place_back) {
  ledger_->declare({{{}, limit_kind::concurrency, 1}}, {still_.now(), still_.wall()});
  acquire();
  EXPECT_EQ(acquire().grant, grant_kind::none_usable);
  still_.pass(61min);
  EXPECT_EQ(acquire().grant, grant_kind::granted);
}

TEST_F(key_actor_test, a_long_error_is_cut) {
  settlement s;
  s.lease = acquire().lease;
  s.what = answer_class::request_fault;
  s.message.assign(10'000, 'x');
  settle(s);
  EXPECT_EQ(status().last_error.size(), 400U);
}

} // namespace
} // namespace troupe
