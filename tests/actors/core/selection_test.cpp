#include "actors/core/selection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

namespace troupe {
namespace {

using namespace std::chrono_literals;
constexpr time_point t0{1h};

selection pool_of(std::uint64_t keys) {
  selection pool;
  for (std::uint64_t key = 1; key <= keys; ++key)
    pool.add(key);
  return pool;
}

standing resting(std::string model, time_point until, bool per_day = false) {
  standing s;
  s.models.push_back({std::move(model), until, per_day});
  return s;
}

standing resting_whole(time_point until, bool per_day = false) {
  standing s;
  s.until = until;
  s.per_day = per_day;
  return s;
}

standing disabled() {
  standing s;
  s.disabled = true;
  return s;
}

wish for_model(std::string_view model) {
  return {.model = model, .tried = {}, .pinned = 0};
}

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
  pool.update(3, disabled(), t0);
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
    EXPECT_EQ(pool.choose({.model = "flash", .tried = tried, .pinned = 0}, t0).key, 2U);
  const std::vector<std::uint64_t> all{1, 2, 3};
  EXPECT_EQ(pool.choose({.model = "flash", .tried = all, .pinned = 0}, t0).kind, choice_kind::none);
  pool.update(2, resting("flash", t0 + 5s), t0);
  EXPECT_EQ(pool.choose({.model = "flash", .tried = all, .pinned = 0}, t0).free_at, t0 + 5s);
}

TEST(selection, a_pinned_request_gets_its_key_or_none) {
  auto pool = pool_of(3);
  const wish pinned{.model = "flash", .tried = {}, .pinned = 2};
  EXPECT_EQ(pool.choose(pinned, t0).key, 2U);
  EXPECT_EQ(pool.choose(pinned, t0).key, 2U);
  pool.update(2, resting("flash", t0 + 5s, true), t0);
  EXPECT_EQ(pool.choose(pinned, t0).kind, choice_kind::resting);
  EXPECT_EQ(pool.choose(pinned, t0).free_at, t0 + 5s);
  EXPECT_TRUE(pool.choose(pinned, t0).per_day);
  EXPECT_EQ(pool.choose(pinned, t0 + 5s).kind, choice_kind::chosen);
  pool.update(2, disabled(), t0);
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

/// The same rules, kept the slow and obvious way.
class plain_pool {
public:
  bool add(std::uint64_t key) { return keys_.try_emplace(key).second; }
  bool remove(std::uint64_t key) { return keys_.erase(key) == 1; }
  void update(std::uint64_t key, const standing& s) {
    if (keys_.contains(key))
      keys_[key] = s;
  }
  std::size_t size() const { return keys_.size(); }

  time_point free_at(std::uint64_t key, const std::string& model) const {
    const auto& s = keys_.at(key);
    auto at = s.until;
    for (const auto& m : s.models)
      if (m.model == model)
        at = std::max(at, m.until);
    return at;
  }

  bool may_serve(std::uint64_t key, const std::string& model, time_point now) const {
    return keys_.contains(key) && !keys_.at(key).disabled && free_at(key, model) <= now;
  }

  bool any_but(const std::vector<std::uint64_t>& tried, const std::string& model,
               time_point now) const {
    return std::any_of(keys_.begin(), keys_.end(), [&](const auto& k) {
      return may_serve(k.first, model, now) && std::ranges::find(tried, k.first) == tried.end();
    });
  }

  time_point soonest(const std::string& model, time_point now) const {
    auto best = time_point::max();
    for (const auto& [key, s] : keys_)
      if (!s.disabled && free_at(key, model) > now)
        best = std::min(best, free_at(key, model));
    return best;
  }

private:
  std::map<std::uint64_t, standing> keys_;
};

class walk : public testing::TestWithParam<unsigned> {
protected:
  std::uint64_t any_key() { return 1 + random_() % 20; }
  bool once_in(unsigned n) { return random_() % n == 0; }
  time_point soon() { return now_ + std::chrono::milliseconds{1 + random_() % 900}; }

  standing any_standing() {
    standing s;
    s.disabled = once_in(6);
    if (once_in(4))
      s.until = soon();
    for (const auto& m : models_)
      if (once_in(2))
        s.models.push_back({m, soon(), false});
    return s;
  }

  void change_one_key() {
    const auto key = any_key();
    switch (random_() % 8) {
    case 0:
      ASSERT_EQ(pool_.add(key).has_value(), plain_.add(key));
      break;
    case 1:
      ASSERT_EQ(pool_.remove(key), plain_.remove(key));
      break;
    default:
      const auto s = any_standing();
      pool_.update(key, s, now_);
      plain_.update(key, s);
    }
    ASSERT_EQ(pool_.size(), plain_.size());
  }

  void choose_and_compare() {
    const auto& model = models_[random_() % models_.size()];
    std::vector<std::uint64_t> tried;
    for (auto n = random_() % 4; n > 0; --n)
      tried.push_back(any_key());
    const auto c = pool_.choose({.model = model, .tried = tried, .pinned = 0}, now_);
    ASSERT_EQ(c.kind == choice_kind::chosen, plain_.any_but(tried, model, now_));
    if (c.kind == choice_kind::chosen) {
      ASSERT_TRUE(plain_.may_serve(c.key, model, now_));
      ASSERT_EQ(std::ranges::find(tried, c.key), tried.end());
      ASSERT_EQ(pool_.slot_of(c.key), c.slot);
      return;
    }
    const auto soonest = plain_.soonest(model, now_);
    ASSERT_EQ(c.kind == choice_kind::resting, soonest != time_point::max());
    if (c.kind == choice_kind::resting) {
      ASSERT_EQ(c.free_at, soonest);
    }
  }

  std::mt19937 random_{GetParam()};
  selection pool_{4};
  plain_pool plain_;
  time_point now_ = t0;
  const std::vector<std::string> models_{"flash", "pro", "lite"};
};

TEST_P(walk, agrees_with_a_plain_search) {
  for (int step = 0; step < 20'000 && !HasFatalFailure(); ++step) {
    now_ += std::chrono::milliseconds{random_() % 50};
    once_in(3) ? change_one_key() : choose_and_compare();
  }
}

INSTANTIATE_TEST_SUITE_P(selection, walk, testing::Values(1U, 2U, 3U));

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
