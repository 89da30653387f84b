#include "tests/actors/core/selection_stage.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace troupe {
namespace {

using namespace std::chrono_literals;
constexpr auto t0 = selection_start;

TEST(selection, uses_every_key_once_per_turn) {
  auto pool = pool_of(7);
  for (int turn = 0; turn < 3; ++turn) {
    std::map<std::uint64_t, int> used;
    for (int i = 0; i < 7; ++i)
      ++used[pool.choose(for_model("flash"), t0).key];
    EXPECT_EQ(used.size(), 7U);
  }
}

TEST(selection, spreads_evenly_for_each_model_apart_from_others) {
  auto pool = pool_of(4);
  std::map<std::uint64_t, int> flash;
  std::map<std::uint64_t, int> pro;
  for (int i = 0; i < 4; ++i) { // strictly alternating, which fools a common hand
    ++flash[pool.choose(for_model("flash"), t0).key];
    ++pro[pool.choose(for_model("pro"), t0).key];
  }
  EXPECT_EQ(flash.size(), 4U);
  EXPECT_EQ(pro.size(), 4U);
}

TEST(selection, has_no_key_to_offer_when_there_is_none) {
  selection pool;
  EXPECT_EQ(pool.choose(for_model("flash"), t0).kind, choice_kind::none);
  EXPECT_EQ(pool.models(), 0U);
}

TEST(selection, a_model_that_rests_leaves_the_key_to_other_models) {
  auto pool = pool_of(1);
  pool.update(1, resting("flash", t0 + 30s), t0);
  const auto flash = pool.choose(for_model("flash"), t0);
  EXPECT_EQ(flash.kind, choice_kind::resting);
  EXPECT_EQ(flash.free_at, t0 + 30s);
  EXPECT_EQ(pool.choose(for_model("pro"), t0).kind, choice_kind::chosen);
}

TEST(selection, a_rest_ends_at_its_instant_and_not_before) {
  auto pool = pool_of(1);
  pool.update(1, resting("flash", t0 + 30s), t0);
  EXPECT_EQ(pool.choose(for_model("flash"), t0 + 30s - 1ns).kind, choice_kind::resting);
  EXPECT_EQ(pool.choose(for_model("flash"), t0 + 30s).kind, choice_kind::chosen);
  pool.update(1, resting_whole(t0 + 90s), t0 + 30s);
  EXPECT_EQ(pool.choose(for_model("pro"), t0 + 90s - 1ns).kind, choice_kind::resting);
  EXPECT_EQ(pool.choose(for_model("pro"), t0 + 90s).kind, choice_kind::chosen);
}

TEST(selection, a_key_is_back_when_both_of_its_rests_are_over) {
  auto pool = pool_of(2);
  auto both = resting("flash", t0 + 60s);
  both.until = t0 + 20s;
  pool.update(1, both, t0);
  pool.update(2, resting("flash", t0 + 70s), t0);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).free_at, t0 + 60s);
  EXPECT_EQ(pool.choose(for_model("flash"), t0 + 21s).free_at, t0 + 60s);
  EXPECT_EQ(pool.choose(for_model("flash"), t0 + 60s).key, 1U);
}

TEST(selection, speaks_of_a_daily_quota_only_if_every_rest_is_one) {
  auto pool = pool_of(3);
  pool.update(1, resting("flash", t0 + 9h, true), t0);
  pool.update(2, resting("flash", t0 + 9h, true), t0);
  pool.update(3, resting("flash", t0 + 40s), t0);
  EXPECT_FALSE(pool.choose(for_model("flash"), t0).per_day);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).free_at, t0 + 40s);
  pool.update(3, disabled_key(), t0);
  EXPECT_TRUE(pool.choose(for_model("flash"), t0).per_day);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).free_at, t0 + 9h);
}

TEST(selection, never_offers_a_disabled_key_nor_waits_for_it) {
  auto pool = pool_of(1);
  auto s = resting_whole(t0 + 30s);
  s.disabled = true;
  pool.update(1, s, t0);
  EXPECT_EQ(pool.disabled(), 1U);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).kind, choice_kind::none);
  EXPECT_EQ(pool.choose(for_model("flash"), t0 + 1h).kind, choice_kind::none);
  pool.update(1, {}, t0 + 1h);
  EXPECT_EQ(pool.disabled(), 0U);
  EXPECT_EQ(pool.choose(for_model("flash"), t0 + 1h).kind, choice_kind::chosen);
}

TEST(selection, never_offers_a_key_that_was_tried) {
  auto pool = pool_of(3);
  const std::vector<std::uint64_t> tried{1, 3};
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(pool.choose({.model = "flash", .tried = tried}, t0).key, 2U);
  const std::vector<std::uint64_t> all{1, 2, 3};
  EXPECT_EQ(pool.choose({.model = "flash", .tried = all}, t0).kind, choice_kind::none);
  pool.update(2, resting("flash", t0 + 5s), t0);
  EXPECT_EQ(pool.choose({.model = "flash", .tried = all}, t0).free_at, t0 + 5s);
}

TEST(selection, a_pinned_request_gets_its_key_or_none) {
  auto pool = pool_of(3);
  const wish pinned{.model = "flash", .pinned = 2};
  EXPECT_EQ(pool.choose(pinned, t0).key, 2U);
  EXPECT_EQ(pool.choose(pinned, t0).key, 2U);
  pool.update(2, resting("flash", t0 + 5s, true), t0);
  EXPECT_EQ(pool.choose(pinned, t0).kind, choice_kind::resting);
  EXPECT_EQ(pool.choose(pinned, t0).free_at, t0 + 5s);
  EXPECT_TRUE(pool.choose(pinned, t0).per_day);
  EXPECT_EQ(pool.choose(pinned, t0 + 5s).kind, choice_kind::chosen);
  pool.update(2, disabled_key(), t0);
  EXPECT_EQ(pool.choose(pinned, t0).kind, choice_kind::none);
  pool.remove(2);
  EXPECT_EQ(pool.choose(pinned, t0).kind, choice_kind::none);
}

TEST(selection, a_key_can_leave_and_another_takes_its_place_without_its_rests) {
  auto pool = pool_of(2);
  pool.update(1, resting("flash", t0 + 1h), t0);
  EXPECT_TRUE(pool.remove(1));
  EXPECT_FALSE(pool.remove(1));
  EXPECT_TRUE(pool.add(9));
  EXPECT_FALSE(pool.add(9));
  EXPECT_EQ(pool.size(), 2U);
  std::map<std::uint64_t, int> used;
  for (int i = 0; i < 4; ++i)
    ++used[pool.choose(for_model("flash"), t0).key];
  EXPECT_EQ(used, (std::map<std::uint64_t, int>{{2, 2}, {9, 2}}));
}

TEST(selection, invented_model_names_are_forgotten_and_rests_are_not) {
  selection pool(8);
  pool.add(1);
  pool.update(1, resting("flash", t0 + 1h), t0);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(pool.choose(for_model("invented-" + std::to_string(i)), t0).key, 1U);
  EXPECT_LE(pool.models(), 8U);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).kind, choice_kind::resting);
}

TEST(selection, tells_what_it_knows_of_a_key) {
  auto pool = pool_of(2);
  auto s = resting("flash", t0 + 1h, true);
  s.until = t0 + 1min;
  pool.update(2, s, t0);
  EXPECT_EQ(pool.known_of(2, t0), s);
  EXPECT_EQ(pool.known_of(1, t0), standing{});
  EXPECT_EQ(pool.known_of(2, t0 + 2min), resting("flash", t0 + 1h, true));
}

/// The most steps that one choice took, and all of them together.
struct cost {
  std::uint32_t most = 0;
  std::uint64_t sum = 0;
};

cost cost_of(std::uint64_t keys, std::uint64_t usable, int choices) {
  auto pool = pool_of(keys);
  for (std::uint64_t key = usable + 1; key <= keys; ++key)
    pool.update(key, resting("flash", t0 + 1h + std::chrono::seconds{key}), t0);
  cost c;
  for (int i = 0; i < choices; ++i) {
    const auto made = pool.choose(for_model("flash"), t0);
    c.most = std::max(c.most, made.steps);
    c.sum += made.steps;
  }
  return c;
}

TEST(selection, a_choice_among_ten_thousand_keys_costs_a_few_steps_more_than_among_ten) {
  EXPECT_LE(cost_of(10, 10, 1'000).most, 2U);
  EXPECT_LE(cost_of(10'000, 10'000, 20'000).most, 8U);
  // All but three rest: nothing is searched through.
  EXPECT_LE(cost_of(10'000, 3, 1'000).most, 9U);
  // All rest: the soonest is at the head of the list.
  EXPECT_LE(cost_of(10'000, 0, 1'000).most, 3U);
}

TEST(selection, each_rest_is_paid_for_once) {
  auto pool = pool_of(10'000);
  for (std::uint64_t key = 1; key <= 10'000; ++key)
    pool.update(key, resting("flash", t0 + 1s), t0);
  std::uint64_t steps = 0;
  for (int i = 0; i < 10'000; ++i)
    steps += pool.choose(for_model("flash"), t0 + 1s).steps;
  EXPECT_LE(steps, 10'000U + 10'000U * 8U);
}

} // namespace
} // namespace troupe
