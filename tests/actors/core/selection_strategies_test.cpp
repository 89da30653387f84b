#include "tests/actors/core/selection_stage.hpp"

#include <algorithm>
#include <cmath>

namespace troupe {
namespace {

using namespace std::chrono_literals;
constexpr auto t0 = selection_start;
using counts = std::map<std::uint64_t, int>;

/// Loads as a test sets them, by slot.
class set_loads final : public load_reader {
public:
  load of(std::uint32_t slot) const override {
    const auto at = by_slot.find(slot);
    return at == by_slot.end() ? load{} : at->second;
  }
  std::map<std::uint32_t, load> by_slot;
};

selection weighing(const std::vector<std::uint32_t>& weights) {
  selection pool;
  pool.use(pool_strategy::weighted);
  for (std::size_t i = 0; i < weights.size(); ++i)
    pool.add(i + 1, {.weight = weights[i]});
  return pool;
}

class strategies : public testing::TestWithParam<pool_strategy> {};

TEST_P(strategies, each_chooses_only_keys_that_may_serve) {
  auto pool = pool_of(30, GetParam());
  for (std::uint64_t key = 1; key <= 30; ++key)
    if (key % 3 != 0)
      pool.update(key, key % 3 == 1 ? disabled_key() : resting("flash", t0 + 1h), t0);
  const std::vector<std::uint64_t> tried{3, 6, 9};
  for (int i = 0; i < 300; ++i) {
    const auto c = pool.choose({.model = "flash", .tried = tried}, t0);
    ASSERT_EQ(c.kind, choice_kind::chosen);
    ASSERT_EQ(c.key % 3, 0U);
    ASSERT_GT(c.key, 9U);
    ASSERT_EQ(c.usable, 10U);
    ASSERT_EQ(c.members, 30U);
  }
}

TEST_P(strategies, each_finds_the_one_key_that_was_not_tried) {
  auto pool = pool_of(40, GetParam());
  std::vector<std::uint64_t> tried;
  for (std::uint64_t key = 1; key <= 40; ++key)
    if (key != 23)
      tried.push_back(key);
  for (int i = 0; i < 50; ++i)
    ASSERT_EQ(pool.choose({.model = "flash", .tried = tried}, t0).key, 23U);
}

TEST_P(strategies, each_reaches_every_key) {
  auto pool = pool_of(100, GetParam());
  EXPECT_EQ(shares(pool, for_model("flash"), 5'000).size(), 100U);
}

TEST_P(strategies, each_costs_a_few_steps_among_ten_thousand_keys) {
  auto pool = pool_of(10'000, GetParam());
  for (std::uint64_t key = 1; key <= 10'000; ++key)
    pool.update_rooms(key, {room_for(static_cast<std::uint32_t>(key % 10 + 1), 10)}, 0, t0);
  std::uint64_t steps = 0;
  std::uint32_t most = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto c = pool.choose(for_model("flash"), t0);
    ASSERT_EQ(c.kind, choice_kind::chosen);
    ASSERT_LE(c.looks, choice::looks_max);
    most = std::max(most, c.steps);
    steps += c.steps;
  }
  EXPECT_LE(most, 64U);
  EXPECT_LE(steps, 20'000U * 34U);
}

TEST_P(strategies, each_costs_a_few_steps_when_nearly_all_keys_are_dead) {
  auto pool = pool_of(10'000, GetParam());
  for (std::uint64_t key = 1; key <= 10'000; ++key)
    if (key % 1'000 != 0)
      pool.update(key, disabled_key(), t0);
  std::uint32_t most = 0;
  for (int i = 0; i < 2'000; ++i)
    most = std::max(most, pool.choose(for_model("flash"), t0).steps);
  EXPECT_LE(most, 64U);
}

INSTANTIATE_TEST_SUITE_P(selection, strategies,
                         testing::Values(pool_strategy::most_headroom, pool_strategy::round_robin,
                                         pool_strategy::weighted, pool_strategy::least_busy,
                                         pool_strategy::p2c_ewma));

TEST(selection_strategies, round_robin_uses_every_key_alike) {
  auto pool = pool_of(7, pool_strategy::round_robin);
  for (const auto& [key, times] : shares(pool, for_model("flash"), 700))
    EXPECT_EQ(times, 100) << key;
}

TEST(selection_strategies, round_robin_gives_the_share_of_a_resting_key_to_all_others) {
  auto pool = pool_of(5, pool_strategy::round_robin);
  pool.update(3, resting_whole(t0 + 1h), t0);
  EXPECT_EQ(shares(pool, for_model("flash"), 400),
            (counts{{1, 100}, {2, 100}, {4, 100}, {5, 100}}));
}

TEST(selection_strategies, weighted_is_in_proportion) {
  auto pool = weighing({1, 2, 5});
  EXPECT_EQ(shares(pool, for_model("flash"), 800), (counts{{1, 100}, {2, 200}, {3, 500}}));
}

TEST(selection_strategies, weighted_does_not_bunch) {
  auto pool = weighing({1, 2, 5});
  for (int round = 0; round < 20; ++round) {
    const auto some = shares(pool, for_model("flash"), 8);
    EXPECT_NEAR(some.at(1), 1, 1);
    EXPECT_NEAR(some.at(2), 2, 1);
    EXPECT_NEAR(some.at(3), 5, 1);
  }
}

TEST(selection_strategies, weighted_does_not_make_up_for_a_rest) {
  auto pool = weighing({1, 1});
  pool.update(1, resting_whole(t0 + 1s), t0);
  shares(pool, for_model("flash"), 1'000);
  EXPECT_EQ(shares(pool, for_model("flash"), 10, t0 + 1s), (counts{{1, 5}, {2, 5}}));
}

TEST(selection_strategies, weighted_is_nearly_in_proportion_among_many_keys) {
  std::vector<std::uint32_t> weights;
  for (int i = 0; i < 100; ++i)
    weights.push_back(i % 2 == 0 ? 1 : 4);
  auto pool = weighing(weights);
  const auto used = shares(pool, for_model("flash"), 25'000);
  int heavy = 0;
  for (const auto& [key, times] : used)
    heavy += weights[key - 1] == 4 ? times : 0;
  EXPECT_NEAR(heavy, 20'000, 1'000);
}

TEST(selection_strategies, a_weight_of_nothing_counts_as_one) {
  auto pool = weighing({0, 1});
  EXPECT_EQ(shares(pool, for_model("flash"), 10), (counts{{1, 5}, {2, 5}}));
}

TEST(selection_strategies, least_busy_takes_the_key_with_the_fewest_calls) {
  auto pool = pool_of(5, pool_strategy::least_busy);
  set_loads loads;
  for (std::uint32_t slot = 0; slot < 5; ++slot)
    loads.by_slot[slot].in_flight = slot == 3 ? 1 : 4;
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(pool.choose(for_model("flash"), t0, &loads).key, 4U);
  loads.by_slot[3].in_flight = 4; // all alike: by turns
  EXPECT_EQ(shares(pool, for_model("flash"), 50, t0, &loads).size(), 5U);
}

TEST(selection_strategies, least_busy_allows_a_heavier_key_more_calls) {
  selection pool;
  pool.use(pool_strategy::least_busy);
  pool.add(1, {.weight = 1});
  pool.add(2, {.weight = 10});
  set_loads loads;
  loads.by_slot[0].in_flight = 2;
  loads.by_slot[1].in_flight = 15;
  EXPECT_EQ(pool.choose(for_model("flash"), t0, &loads).key, 2U);
}

TEST(selection_strategies, p2c_prefers_the_faster_and_keeps_to_no_single_key) {
  auto pool = pool_of(10, pool_strategy::p2c_ewma);
  set_loads loads;
  for (std::uint32_t slot = 0; slot < 10; ++slot)
    loads.by_slot[slot].latency_ms = slot < 5 ? 100 : 1'000;
  const auto used = shares(pool, for_model("flash"), 10'000, t0, &loads);
  int fast = 0;
  for (const auto& [key, times] : used)
    fast += key <= 5 ? times : 0;
  EXPECT_GT(fast, 7'000) << "three quarters, by two draws";
  EXPECT_LT(fast, 8'500);
  EXPECT_EQ(used.size(), 10U);
}

TEST(selection_strategies, p2c_weighs_calls_under_way_as_well) {
  auto pool = pool_of(2, pool_strategy::p2c_ewma);
  set_loads loads;
  loads.by_slot[0] = {.in_flight = 9, .latency_ms = 100};
  loads.by_slot[1] = {.in_flight = 0, .latency_ms = 500};
  EXPECT_EQ(pool.choose(for_model("flash"), t0, &loads).key, 2U);
}

TEST(selection_strategies, p2c_draws_alike_from_the_same_seed) {
  selection a(256, 7);
  selection b(256, 7);
  for (auto* pool : {&a, &b}) {
    pool->use(pool_strategy::p2c_ewma);
    for (std::uint64_t key = 1; key <= 20; ++key)
      pool->add(key);
  }
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(a.choose(for_model("flash"), t0).key, b.choose(for_model("flash"), t0).key);
}

TEST(selection_strategies, most_headroom_without_limits_is_round_robin) {
  auto pool = pool_of(7);
  EXPECT_EQ(shares(pool, for_model("flash"), 70),
            (counts{{1, 10}, {2, 10}, {3, 10}, {4, 10}, {5, 10}, {6, 10}, {7, 10}}));
}

TEST(selection_strategies, most_headroom_spreads_by_what_is_left) {
  auto pool = pool_of(3);
  pool.update_rooms(1, {room_for(100, 100)}, 0, t0);
  pool.update_rooms(2, {room_for(50, 100)}, 0, t0);
  pool.update_rooms(3, {room_for(10, 100)}, 0, t0);
  EXPECT_EQ(shares(pool, for_model("flash"), 50), (counts{{1, 50}}));
  const auto rest = shares(pool, for_model("flash"), 80);
  EXPECT_EQ(rest, (counts{{1, 40}, {2, 40}})) << "down to where the third stands";
  EXPECT_EQ(shares(pool, for_model("flash"), 30), (counts{{1, 10}, {2, 10}, {3, 10}}));
}

TEST(selection_strategies, most_headroom_counts_the_part_that_is_left_not_the_number) {
  auto pool = pool_of(2);
  pool.update_rooms(1, {room_for(300, 1'000)}, 0, t0);
  pool.update_rooms(2, {room_for(9, 10)}, 0, t0);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).key, 2U);
}

TEST(selection_strategies, most_headroom_looks_at_the_models_own_limit_too) {
  auto pool = pool_of(2);
  pool.update_rooms(1, {room_for(90, 100), room_for(1, 10, "pro")}, 0, t0);
  pool.update_rooms(2, {room_for(50, 100)}, 0, t0);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).key, 1U);
  EXPECT_EQ(pool.choose(for_model("pro"), t0).key, 2U);
}

TEST(selection_strategies, a_strategy_can_be_changed_at_any_time) {
  auto pool = weighing({1, 9});
  shares(pool, for_model("flash"), 100);
  pool.use(pool_strategy::round_robin);
  EXPECT_EQ(shares(pool, for_model("flash"), 10), (counts{{1, 5}, {2, 5}}));
}

TEST(selection_strategies, what_was_looked_at_is_told) {
  auto pool = pool_of(4);
  for (std::uint64_t key = 1; key <= 4; ++key)
    pool.update_rooms(key, {room_for(static_cast<std::uint32_t>(key) * 10, 100)}, 0, t0);
  const auto c = pool.choose(for_model("flash"), t0);
  EXPECT_EQ(c.key, 4U);
  ASSERT_EQ(c.looks, 4U);
  for (std::uint32_t i = 0; i < c.looks; ++i)
    EXPECT_FLOAT_EQ(c.looked[i].score, 1 - static_cast<float>(c.looked[i].key) / 10);
}

} // namespace
} // namespace troupe
