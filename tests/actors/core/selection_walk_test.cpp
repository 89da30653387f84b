#include "tests/actors/core/selection_stage.hpp"

#include <algorithm>
#include <random>

namespace troupe {
namespace {

constexpr auto t0 = selection_start;

/// The same rules, kept the slow and obvious way. Each key is a quota domain of its own.
class plain_pool {
public:
  struct key {
    key_traits traits;
    standing health{};
    time_point away{};
    std::map<std::string, time_point> dry{}; ///< by model; empty: of all
  };

  bool add(std::uint64_t number, const key_traits& t) {
    return keys_.try_emplace(number, key{.traits = t}).second;
  }
  bool remove(std::uint64_t number) { return keys_.erase(number) == 1; }
  key* find(std::uint64_t number) {
    const auto at = keys_.find(number);
    return at == keys_.end() ? nullptr : &at->second;
  }
  std::size_t size() const { return keys_.size(); }

  time_point free_at(std::uint64_t number, const std::string& model) const {
    const auto& k = keys_.at(number);
    auto at = std::max(k.health.until, k.away);
    for (const auto& m : k.health.models)
      if (m.model == model)
        at = std::max(at, m.until);
    for (const auto& [of, until] : k.dry)
      if (of.empty() || of == model)
        at = std::max(at, until);
    return at;
  }

  bool in_circle(std::uint64_t number, const wish& w) const {
    const auto& t = keys_.at(number).traits;
    const auto share = [&](std::span<const std::string> wanted) {
      return wanted.empty() || std::ranges::find_first_of(wanted, t.groups) != wanted.end();
    };
    const auto& ups = w.circle.upstreams;
    return (ups.empty() || std::ranges::find(ups, t.upstream) != ups.end())
           && share(w.circle.groups) && share(w.circle.model_groups);
  }

  bool may_serve(std::uint64_t number, const wish& w, time_point now) const {
    return keys_.contains(number) && !keys_.at(number).health.disabled && in_circle(number, w)
           && free_at(number, std::string{w.model}) <= now
           && std::ranges::find(w.tried, number) == w.tried.end();
  }

  /// The lowest tier that has a key to offer.
  std::optional<std::int32_t> best_tier(const wish& w, time_point now) const {
    std::optional<std::int32_t> best;
    for (const auto& [number, k] : keys_)
      if (may_serve(number, w, now) && (!best || k.traits.tier < *best))
        best = k.traits.tier;
    return best;
  }

  time_point soonest(const wish& w, time_point now) const {
    auto best = time_point::max();
    for (const auto& [number, k] : keys_)
      if (!k.health.disabled && in_circle(number, w) && free_at(number, std::string{w.model}) > now)
        best = std::min(best, free_at(number, std::string{w.model}));
    return best;
  }

private:
  std::map<std::uint64_t, key> keys_;
};

class walk : public testing::TestWithParam<unsigned> {
protected:
  std::uint64_t any_key() { return 1 + random_() % 20; }
  bool once_in(unsigned n) { return random_() % n == 0; }
  time_point soon() { return now_ + std::chrono::milliseconds{1 + random_() % 900}; }

  std::vector<std::string> any_groups() {
    std::vector<std::string> some;
    for (const auto* g : {"a", "b", "c"})
      if (once_in(2))
        some.emplace_back(g);
    return some;
  }

  key_traits any_traits() {
    return {.upstream = static_cast<std::uint32_t>(random_() % 3),
            .tier = static_cast<std::int32_t>(random_() % 3),
            .weight = static_cast<std::uint32_t>(1 + random_() % 5),
            .groups = any_groups()};
  }

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

  void change_rooms(std::uint64_t number, plain_pool::key& k) {
    std::vector<quota_room> rooms;
    k.dry.clear();
    for (const auto& model : {std::string{}, models_[0], models_[1]}) {
      if (once_in(2))
        continue;
      if (once_in(2)) {
        rooms.push_back(room_for(5, 10, model)); // never used up: nothing is told to be sent
        continue;
      }
      const auto until = soon();
      rooms.push_back(dry_until(until, 3, model));
      k.dry[model] = until;
    }
    pool_.update_rooms(number, rooms, 0, now_);
  }

  void change_one_key() {
    const auto number = any_key();
    auto* k = plain_.find(number);
    const auto kind = random_() % 10;
    if (kind == 0 || k == nullptr) {
      const auto traits = any_traits();
      ASSERT_EQ(pool_.add(number, traits).has_value(), plain_.add(number, traits));
    } else if (kind == 1) {
      ASSERT_EQ(pool_.remove(number), plain_.remove(number));
    } else if (kind == 2) {
      k->traits = any_traits();
      pool_.set_traits(number, k->traits);
    } else if (kind == 3) {
      k->away = once_in(2) ? soon() : time_point{};
      pool_.keep_away(number, k->away, now_);
    } else if (kind < 7) {
      change_rooms(number, *k);
    } else {
      k->health = any_standing();
      pool_.update(number, k->health, now_);
    }
    ASSERT_EQ(pool_.size(), plain_.size());
  }

  void choose_and_compare() {
    const auto& model = models_[random_() % models_.size()];
    std::vector<std::uint64_t> tried;
    for (auto n = random_() % 4; n > 0; --n)
      tried.push_back(any_key());
    std::vector<std::uint32_t> upstreams;
    if (once_in(3))
      upstreams.push_back(static_cast<std::uint32_t>(random_() % 3));
    const auto groups = once_in(3) ? any_groups() : std::vector<std::string>{};
    const auto of_model = once_in(3) ? any_groups() : std::vector<std::string>{};
    const wish w{.model = model,
                 .tried = tried,
                 .circle = {.upstreams = upstreams, .groups = groups, .model_groups = of_model},
                 .affinity = once_in(3) ? random_() : 0};
    pool_.use(static_cast<pool_strategy>(random_() % 5));
    const auto c = pool_.choose(w, now_);
    const auto tier = plain_.best_tier(w, now_);
    ASSERT_EQ(c.kind == choice_kind::chosen, tier.has_value());
    if (tier) {
      ASSERT_TRUE(plain_.may_serve(c.key, w, now_));
      ASSERT_EQ(c.tier, *tier);
      ASSERT_EQ(pool_.slot_of(c.key), c.slot);
      return;
    }
    const auto soonest = plain_.soonest(w, now_);
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

INSTANTIATE_TEST_SUITE_P(selection, walk, testing::Values(1U, 2U, 3U, 4U));

} // namespace
} // namespace troupe
