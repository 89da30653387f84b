#include "tests/actors/core/selection_stage.hpp"

#include <algorithm>
#include <set>

namespace troupe {
namespace {

using namespace std::chrono_literals;
constexpr auto t0 = selection_start;
using counts = std::map<std::uint64_t, int>;
using names = std::vector<std::string>;
using numbers = std::vector<std::uint32_t>;

// --- tiers ---

TEST(selection_tiers, the_lower_tier_serves_while_it_can) {
  selection pool;
  pool.add(1, {.tier = 2});
  pool.add(2, {.tier = -1});
  pool.add(3, {.tier = -1});
  EXPECT_EQ(shares(pool, for_model("flash"), 10), (counts{{2, 5}, {3, 5}}));
  EXPECT_EQ(pool.choose(for_model("flash"), t0).tier, -1);
  pool.update(2, resting_whole(t0 + 5s), t0);
  pool.update_rooms(3, {dry_until(t0 + 9s)}, 0, t0);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).key, 1U);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).tier, 2);
  EXPECT_EQ(pool.choose(for_model("flash"), t0 + 5s).key, 2U);
}

TEST(selection_tiers, a_request_that_tried_a_whole_tier_goes_to_the_next) {
  selection pool;
  pool.add(1, {.tier = 0});
  pool.add(2, {.tier = 1});
  const std::vector<std::uint64_t> tried{1};
  EXPECT_EQ(pool.choose({.model = "flash", .tried = tried}, t0).key, 2U);
}

TEST(selection_tiers, when_all_rest_the_soonest_of_any_tier_is_told) {
  selection pool;
  pool.add(1, {.tier = 0});
  pool.add(2, {.tier = 1});
  pool.update(1, resting_whole(t0 + 50s), t0);
  pool.update(2, resting_whole(t0 + 20s), t0);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).free_at, t0 + 20s);
}

TEST(selection_tiers, a_key_moves_between_tiers_with_its_rests) {
  auto pool = pool_of(2);
  pool.choose(for_model("flash"), t0);
  pool.set_traits(1, {.tier = 1});
  EXPECT_EQ(shares(pool, for_model("flash"), 4), (counts{{2, 4}}));
  pool.set_traits(2, {.tier = 2});
  EXPECT_EQ(shares(pool, for_model("flash"), 4), (counts{{1, 4}}));
  pool.update(1, resting_whole(t0 + 5s), t0);
  pool.set_traits(1, {.tier = -5});
  EXPECT_EQ(pool.choose(for_model("flash"), t0).key, 2U);
  EXPECT_EQ(pool.choose(for_model("flash"), t0 + 5s).key, 1U);
}

// --- circles ---

TEST(selection_circles, a_key_serves_whom_its_upstream_and_groups_allow) {
  selection pool;
  pool.add(1, {.upstream = 1, .groups = {"eu"}});
  pool.add(2, {.upstream = 1, .groups = {"us", "paid"}});
  pool.add(3, {.upstream = 2, .groups = {"eu", "paid"}});
  pool.add(4, {.upstream = 2});
  const auto ask = [&](const numbers& upstreams, const names& groups, const names& of_model) {
    std::set<std::uint64_t> found;
    std::uint32_t members = 0;
    for (int i = 0; i < 8; ++i) {
      const auto c = pool.choose(
          {.model = "flash",
           .circle = {.upstreams = upstreams, .groups = groups, .model_groups = of_model}},
          t0);
      if (c.kind == choice_kind::chosen)
        found.insert(c.key);
      members = c.members;
    }
    EXPECT_EQ(members, found.size());
    return found;
  };
  using set = std::set<std::uint64_t>;
  EXPECT_EQ(ask({}, {}, {}), (set{1, 2, 3, 4}));
  EXPECT_EQ(ask({1}, {}, {}), (set{1, 2}));
  EXPECT_EQ(ask({2}, {}, {}), (set{3, 4}));
  EXPECT_EQ(ask({1, 2}, {"eu"}, {}), (set{1, 3}));
  EXPECT_EQ(ask({}, {"eu"}, {"paid"}), (set{3})) << "one group of each list";
  EXPECT_EQ(ask({1}, {"eu"}, {"paid"}), (set{}));
  EXPECT_EQ(ask({}, {}, {"us", "eu"}), (set{1, 2, 3}));
  EXPECT_EQ(ask({7}, {}, {}), (set{}));
}

TEST(selection_circles, each_circle_has_a_hand_of_its_own) {
  auto pool = pool_of(4);
  for (std::uint64_t key = 1; key <= 4; ++key)
    pool.set_traits(key, {.groups = {key <= 2 ? "a" : "b"}});
  const names a{"a"};
  const names b{"b"};
  counts used;
  for (int i = 0; i < 2; ++i) { // alternating, which fools a common hand
    ++used[pool.choose({.model = "flash", .circle = {.groups = a}}, t0).key];
    ++used[pool.choose({.model = "flash", .circle = {.groups = b}}, t0).key];
  }
  EXPECT_EQ(used, (counts{{1, 1}, {2, 1}, {3, 1}, {4, 1}}));
}

TEST(selection_circles, only_keys_of_the_circle_are_waited_for) {
  selection pool;
  pool.add(1, {.groups = {"eu"}});
  pool.add(2, {.groups = {"us"}});
  pool.update(1, resting_whole(t0 + 50s), t0);
  pool.update(2, resting_whole(t0 + 20s), t0);
  const names eu{"eu"};
  const names none{"none"};
  EXPECT_EQ(pool.choose({.model = "flash", .circle = {.groups = eu}}, t0).free_at, t0 + 50s);
  EXPECT_EQ(pool.choose({.model = "flash", .circle = {.groups = none}}, t0).kind,
            choice_kind::none);
}

TEST(selection_circles, a_pinned_key_must_be_in_the_circle_too) {
  selection pool;
  pool.add(1, {.upstream = 1});
  const numbers other{2};
  EXPECT_EQ(pool.choose({.model = "flash", .pinned = 1, .circle = {.upstreams = other}}, t0).kind,
            choice_kind::none);
}

TEST(selection_circles, a_key_moves_between_groups_and_upstreams) {
  auto pool = pool_of(2);
  const names eu{"eu"};
  const wish in_eu{.model = "flash", .circle = {.groups = eu}};
  EXPECT_EQ(pool.choose(in_eu, t0).kind, choice_kind::none);
  pool.set_traits(2, {.groups = {"eu"}});
  EXPECT_EQ(pool.choose(in_eu, t0).key, 2U);
  EXPECT_EQ(pool.choose(in_eu, t0).members, 1U);
  pool.set_traits(2, {});
  EXPECT_EQ(pool.choose(in_eu, t0).kind, choice_kind::none);
  EXPECT_EQ(pool.choose(in_eu, t0).members, 0U);
  pool.set_traits(77, {.groups = {"eu"}}); // unknown: nothing
  EXPECT_EQ(pool.choose(in_eu, t0).members, 0U);
}

TEST(selection_circles, forgotten_circles_lose_no_rest) {
  selection pool(8);
  pool.add(1, {.groups = {"a"}});
  pool.update_rooms(1, {dry_until(t0 + 9s)}, 0, t0);
  for (int i = 0; i < 50; ++i) {
    const names some{"a", "invented-" + std::to_string(i)};
    EXPECT_EQ(pool.choose({.model = "flash", .circle = {.groups = some}}, t0).free_at, t0 + 9s);
  }
  EXPECT_LE(pool.models(), 8U);
  EXPECT_EQ(pool.choose(for_model("flash"), t0 + 9s).key, 1U);
}

TEST(selection_circles, those_who_hope_for_the_same_keys_stand_in_one_line) {
  const names a{"a"};
  const names b{"b"};
  const numbers one{1};
  const std::vector<std::uint64_t> tried{4};
  const wish plain{.model = "flash"};
  const auto line = selection::line_of(plain);
  EXPECT_NE(line, 0U);
  EXPECT_EQ(line, selection::line_of({.model = "flash", .tried = tried, .affinity = 9}));
  std::set<std::uint64_t> lines{line};
  lines.insert(selection::line_of({.model = "pro"}));
  lines.insert(selection::line_of({.model = "flash", .pinned = 1}));
  lines.insert(selection::line_of({.model = "flash", .pinned = 2}));
  lines.insert(selection::line_of({.model = "flash", .circle = {.groups = a}}));
  lines.insert(selection::line_of({.model = "flash", .circle = {.groups = b}}));
  lines.insert(selection::line_of({.model = "flash", .circle = {.model_groups = a}}));
  lines.insert(selection::line_of({.model = "flash", .circle = {.upstreams = one}}));
  EXPECT_EQ(lines.size(), 8U);
}

// --- affinity ---

TEST(selection_affinity, the_same_number_brings_the_same_key) {
  auto pool = pool_of(10);
  for (std::uint64_t number = 1; number <= 50; ++number) {
    const wish w{.model = "flash", .affinity = number};
    const auto first = pool.choose(w, t0);
    EXPECT_TRUE(first.by_affinity);
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(pool.choose(w, t0).key, first.key);
  }
  EXPECT_FALSE(pool.choose(for_model("flash"), t0).by_affinity);
}

/// Where each of 2,000 numbers goes.
std::vector<std::uint64_t> places(selection& pool) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t number = 1; number <= 2'000; ++number)
    all.push_back(pool.choose({.model = "flash", .affinity = number}, t0).key);
  return all;
}

class affinity : public testing::TestWithParam<std::uint64_t> {};

TEST_P(affinity, of_a_lost_key_moves_only_its_share_and_comes_back) {
  auto pool = pool_of(GetParam());
  const auto before = places(pool);
  pool.update(5, resting_whole(t0 + 1h), t0);
  const auto meanwhile = places(pool);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    ASSERT_NE(meanwhile[i], 5U);
    if (before[i] == 5)
      ++moved;
    else
      ASSERT_EQ(meanwhile[i], before[i]);
  }
  EXPECT_GT(moved, 0U);
  pool.update(5, {}, t0);
  EXPECT_EQ(places(pool), before);
}

TEST_P(affinity, spreads_over_all_keys) {
  auto pool = pool_of(GetParam());
  counts used;
  for (const auto key : places(pool))
    ++used[key];
  EXPECT_EQ(used.size(), GetParam());
}

TEST_P(affinity, never_brings_a_key_that_was_tried_or_turned_the_request_away) {
  auto pool = pool_of(GetParam());
  for (std::uint64_t number = 1; number <= 100; ++number) {
    std::vector<std::uint64_t> tried;
    std::vector<turned_away> turned;
    for (int i = 0; i < 3; ++i) {
      const auto c =
          pool.choose({.model = "flash", .tried = tried, .turned = turned, .affinity = number}, t0);
      ASSERT_EQ(c.kind, choice_kind::chosen);
      ASSERT_EQ(std::ranges::find(tried, c.key), tried.end());
      ASSERT_EQ(std::ranges::find(turned, c.key, &turned_away::key), turned.end());
      if (i % 2 == 0)
        tried.push_back(c.key);
      else
        turned.push_back({c.key, t0 + 5s, false});
    }
  }
}

INSTANTIATE_TEST_SUITE_P(selection, affinity, testing::Values(8U, 64U, 65U, 200U));

} // namespace
} // namespace troupe
