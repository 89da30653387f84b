#include "actors/key/quota_words.hpp"
#include "tests/actors/pool_stage.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;

/// Keys that share a quota domain.
class pool_domains_test : public pool_stage {
protected:
  static std::uint64_t used(const key_status& s) { return s.quota.empty() ? 0 : s.quota[0].used; }

  static pool_key in_domain(std::uint64_t number, std::vector<limit> limits,
                            const std::string& domain) {
    auto k = key(number).key;
    k.limits = std::move(limits);
    k.domain = domain;
    return k;
  }
};

TEST_F(pool_domains_test, keys_of_a_domain_share_one_account) {
  begin(limited(2, {per_minute(3)}, "project"));
  for (int i = 0; i < 3; ++i)
    settle(acquire());
  EXPECT_EQ(acquire().grant, grant_kind::resting);
  EXPECT_EQ(acquire({}, 1).grant, grant_kind::resting);
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::resting);
  EXPECT_EQ(acquire().wait_ms, 60'250);
  for (const std::uint64_t number : {1, 2}) {
    EXPECT_EQ(used(status(number)), 3U);
    EXPECT_TRUE(status(number).shares_domain);
  }
  still_.pass(60'250ms);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(acquire().grant, grant_kind::granted);
  EXPECT_EQ(acquire().grant, grant_kind::resting);
}

TEST_F(pool_domains_test, the_strictest_limit_of_its_keys_is_that_of_the_domain) {
  auto seeds = keys(2);
  seeds[0].key = in_domain(1, {per_minute(5)}, "project");
  seeds[1].key = in_domain(2, {per_minute(2)}, "project");
  begin(seeds);
  settle(acquire({}, 1));
  settle(acquire({}, 1));
  EXPECT_EQ(acquire({}, 1).grant, grant_kind::resting);
  take_out({2});
  EXPECT_EQ(acquire({}, 1).grant, grant_kind::granted) << "its own limit is wider";
}

TEST_F(pool_domains_test, a_call_that_ends_on_one_key_frees_a_place_for_the_other) {
  begin(limited(2, {at_once(1)}, "project"));
  const auto lease = acquire({}, 1);
  auto wish = wish_of(60s);
  wish.pinned = 2;
  const auto waits = send(wish);
  still_.settle_down();
  EXPECT_FALSE(waits->answered());
  settle(lease);
  EXPECT_TRUE(waits->granted());
}

TEST_F(pool_domains_test, a_write_that_one_key_awaits_serves_those_of_the_others) {
  disk_.quotas = fake_disk::mood::holds;
  begin(limited(2, {per_minute(80)}, "project"));
  auto for_two = wish_of(0s, 2);
  for_two.pinned = 2;
  auto for_one = wish_of(0s, 1);
  for_one.pinned = 1;
  const auto one = send(for_one);
  const auto two = send(for_two);
  still_.settle_down();
  EXPECT_EQ(disk_.held.size(), 1U) << "one write at a time";
  release_disk();
  EXPECT_TRUE(one->granted());
  EXPECT_TRUE(two->granted());
}

TEST_F(pool_domains_test, a_crash_leaves_the_calls_of_the_other_key_in_flight) {
  begin(limited(2, {at_once(2)}, "project"));
  const auto one = acquire({}, 1);
  const auto two = acquire({}, 2);
  crash(one.key_actor);
  EXPECT_EQ(used(status(2)), 1U);
  EXPECT_EQ(acquire({}, 1).grant, grant_kind::granted);
  EXPECT_EQ(acquire({}, 1).grant, grant_kind::resting);
  settle(two);
  EXPECT_EQ(acquire({}, 1).grant, grant_kind::granted);
}

TEST_F(pool_domains_test, a_crash_in_the_middle_of_a_write_serves_those_of_the_other_key) {
  begin(limited(2, {per_minute(8)}, "project"));
  const auto lease = acquire({}, 1);
  settle(lease);
  still_.pass(61s);
  disk_.quotas = fake_disk::mood::holds;
  auto for_one = wish_of(0s, 1);
  for_one.pinned = 1;
  send(for_one); // lost with the actor
  auto for_two = wish_of(0s, 2);
  for_two.pinned = 2;
  const auto two = send(for_two);
  still_.settle_down();
  ASSERT_EQ(disk_.held.size(), 1U);
  disk_.quotas = fake_disk::mood::writes;
  crash(lease.key_actor);
  ASSERT_TRUE(two->answered());
  EXPECT_EQ(two->reply->grant, grant_kind::granted);
}

TEST_F(pool_domains_test, a_removed_key_holds_no_place_of_its_domain) {
  begin(limited(2, {at_once(1)}, "project"));
  acquire({}, 1);
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::resting);
  take_out({1});
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::granted);
}

TEST_F(pool_domains_test, a_key_that_is_removed_while_its_write_is_awaited_hands_its_requests_on) {
  disk_.quotas = fake_disk::mood::holds;
  begin(limited(2, {per_minute(80)}, "project"));
  auto wish = wish_of(0s);
  wish.pinned = 1;
  const auto pinned = send(wish);
  still_.settle_down();
  still_.self()->send(pool_, remove_keys{{1}});
  still_.settle_down();
  ASSERT_TRUE(pinned->answered());
  EXPECT_EQ(pinned->reply->grant, grant_kind::none_usable);
  const auto other = ask(0s);
  release_disk();
  EXPECT_TRUE(other->granted());
}

TEST_F(pool_domains_test, what_was_used_stays_with_the_domain_that_a_key_leaves) {
  begin(limited(2, {per_minute(3)}, "project"));
  const auto running = acquire({}, 1);
  settle(acquire({}, 1));
  put({in_domain(1, {per_minute(3)}, "other")});
  EXPECT_EQ(used(status(1)), 0U);
  EXPECT_EQ(used(status(2)), 2U);
  settle(running); // of the domain that it left
  EXPECT_EQ(used(status(1)), 0U);
  EXPECT_EQ(used(status(2)), 2U);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(acquire({}, 1).grant, grant_kind::granted);
  EXPECT_EQ(acquire({}, 1).grant, grant_kind::resting);
  settle(acquire({}, 2));
  EXPECT_EQ(acquire({}, 2).grant, grant_kind::resting);
}

TEST_F(pool_domains_test, a_call_of_a_key_that_changed_its_domain_frees_the_place_where_it_began) {
  begin(limited(2, {at_once(1)}, "project"));
  const auto running = acquire({}, 1);
  put({in_domain(1, {at_once(1)}, "other")});
  auto wish = wish_of(60s);
  wish.pinned = 2;
  const auto waits = send(wish);
  still_.settle_down();
  EXPECT_FALSE(waits->answered());
  settle(running);
  EXPECT_TRUE(waits->granted());
}

TEST_F(pool_domains_test, a_change_of_domain_while_the_disk_writes_grants_nothing_unwritten) {
  disk_.quotas = fake_disk::mood::holds;
  begin(limited(1, {per_minute(80)}, "project"));
  const auto waits = ask(0s);
  put({in_domain(1, {per_minute(8)}, "other")});
  EXPECT_FALSE(waits->answered());
  ASSERT_EQ(disk_.held.size(), 2U) << "one record of each domain";
  release_first();
  EXPECT_FALSE(waits->answered()) << "the record of the new domain is not there";
  release_disk();
  EXPECT_TRUE(waits->granted());
  put({in_domain(1, {per_minute(80)}, "project")});
  EXPECT_EQ(acquire().grant, grant_kind::granted) << "its write has ended";
}

TEST_F(pool_domains_test, a_domain_is_not_forgotten_while_no_key_is_in_it) {
  begin(std::vector<pool_seed>{});
  put({in_domain(1, {per_minute(2)}, "project")});
  settle(acquire());
  put({in_domain(1, {per_minute(2)}, "other")});
  put({in_domain(1, {per_minute(2)}, "project")});
  EXPECT_EQ(used(status(1)), 1U);
}

TEST_F(pool_domains_test, a_key_that_comes_back_into_a_domain_in_use_counts_nothing_twice) {
  begin(limited(2, {per_minute(8)}, "project"));
  settle(acquire({}, 1));
  settle(acquire({}, 2));
  EXPECT_EQ(still_.error_of(pool_, remove_keys{{1}, false}), caf::none);
  auto back = in_domain(1, {per_minute(8)}, "project");
  back.returning = true;
  put({back});
  EXPECT_EQ(used(status(1)), 2U);
}

TEST_F(pool_domains_test, a_key_that_comes_back_alone_brings_what_it_had_used) {
  begin(limited(1, {per_minute(8)}));
  settle(acquire());
  settle(acquire());
  const auto ceiling = used(status(1));
  EXPECT_EQ(still_.error_of(pool_, remove_keys{{1}, false}), caf::none);
  auto back = in_domain(1, {per_minute(8)}, {});
  back.returning = true;
  put({back});
  EXPECT_GE(used(status(1)), ceiling);
  EXPECT_LE(used(status(1)), ceiling + 2) << "and what the disk allowed at the most";
}

TEST_F(pool_domains_test, the_row_of_a_deleted_key_goes_with_its_last_word) {
  begin(limited(1, {per_minute(8)}));
  settle(acquire());
  EXPECT_TRUE(disk_.rows.contains(quota_row_of_key(1)));
  take_out({1});
  EXPECT_FALSE(disk_.rows.contains(quota_row_of_key(1)));
}

TEST_F(pool_domains_test, limits_that_come_to_a_busy_domain_without_any_hold_from_then_on) {
  begin(limited(2, {}, "project"));
  for (int i = 0; i < 20; ++i)
    settle(acquire());
  put({in_domain(1, {per_minute(4)}, "project")});
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(acquire().grant, grant_kind::granted);
  EXPECT_EQ(acquire().grant, grant_kind::resting);
}

} // namespace
} // namespace troupe
