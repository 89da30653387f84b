#include "actors/core/selection.hpp"

#include "protocol/base/result.hpp"

#include <algorithm>
#include <limits>

// The choice.

namespace troupe {
namespace {

/// A set this small is looked at whole.
constexpr std::size_t small = choice::looks_max;
constexpr std::uint32_t usual_looks = 8;
/// Up to here affinity is by rendezvous; beyond, by place in the ring.
constexpr std::size_t rendezvous_max = 64;

/// The finalizer of MurmurHash3: every bit of the input moves every bit of the output.
std::uint64_t mixed(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xFF51AFD7ED558CCDU;
  x ^= x >> 33;
  x *= 0xC4CEB9FE1A85EC53U;
  return x ^ x >> 33;
}

} // namespace

choice selection::choose(const wish& w, time_point now, const load_reader* loads) {
  ++choices_;
  choice c;
  const auto known = models_.find(w.model);
  auto* m = known == models_.end() ? nullptr : &known->second;
  c.steps = release_due(m, w.model, now);
  if (w.pinned != 0) {
    choose_pinned(w, m, now, c);
    return c;
  }
  // A name that no key can serve now leaves no trace.
  if (slots_of_.size() == disabled_)
    return c;
  auto& v = view_of(w, now);
  v.asked = choices_;
  c.members = v.members;
  for (auto& t : v.tiers)
    if (choose_in(v, t, w, loads, c))
      return c;
  for (const auto& t : v.tiers)
    c.usable += static_cast<std::uint32_t>(t.usable.size());
  soonest(w, v.of, c);
  return c;
}

bool selection::choose_in(view& v, tier_set& t, const wish& w, const load_reader* loads,
                          choice& c) {
  if (t.usable.empty())
    return false;
  auto slot = w.affinity != 0 ? by_affinity(v, t, w, c) : std::nullopt;
  c.by_affinity = slot.has_value();
  if (!slot)
    slot = by_strategy(v, t, w, loads, c);
  if (!slot)
    return false;
  c.kind = choice_kind::chosen;
  c.slot = *slot;
  c.key = slots_[*slot].key;
  c.tier = t.tier;
  c.usable = static_cast<std::uint32_t>(t.usable.size());
  return true;
}

bool selection::excluded(std::uint32_t slot, const wish& w) const {
  const auto key = slots_[slot].key;
  return std::ranges::find(w.tried, key) != w.tried.end()
         || std::ranges::find(w.turned, key, &turned_away::key) != w.turned.end();
}

/// The same key for the same number, as long as it may serve; when it may not, the next best
/// takes over, and only its share moves.
std::optional<std::uint32_t> selection::by_affinity(const view& v, const tier_set& t, const wish& w,
                                                    choice& c) const {
  std::optional<std::uint32_t> best;
  // Not by how many are usable: a rest must not change how all others are found.
  if (v.members > rendezvous_max) {
    auto at = static_cast<std::uint32_t>(mixed(w.affinity) % t.usable.capacity());
    for (std::size_t looks = 0; looks <= w.tried.size() + w.turned.size(); ++looks) {
      auto next = t.usable.next(at, c.steps);
      if (!next)
        next = t.usable.next(0, c.steps);
      if (!next || !excluded(*next, w))
        return next;
      at = *next + 1;
    }
    return best;
  }
  std::uint64_t most = 0;
  for (auto slot = t.usable.next(0, c.steps); slot; slot = t.usable.next(*slot + 1, c.steps)) {
    const auto weight = mixed(slots_[*slot].key ^ w.affinity);
    if ((!best || weight > most) && !excluded(*slot, w)) {
      best = slot;
      most = weight;
    }
  }
  return best;
}

std::optional<std::uint32_t> selection::by_strategy(view& v, tier_set& t, const wish& w,
                                                    const load_reader* loads, choice& c) {
  const auto usable = t.usable.size();
  const bool drawn = strategy_ == pool_strategy::p2c_ewma && usable > 2;
  std::size_t wanted = 1;
  if (drawn)
    wanted = 2;
  else if (strategy_ != pool_strategy::round_robin)
    wanted = usable <= small                        ? usable
             : strategy_ == pool_strategy::weighted ? choice::looks_max
                                                    : usual_looks;
  // One look more than there are excluded keys finds any other; then the hand has come round.
  const auto looks_max = std::min(usable, wanted + w.tried.size() + w.turned.size());
  std::optional<std::uint32_t> first, best;
  float least = std::numeric_limits<float>::max();
  auto at = t.hand;
  for (std::size_t looks = 0, fit = 0; looks < looks_max && fit < wanted; ++looks) {
    if (drawn)
      at = static_cast<std::uint32_t>(draw() % t.usable.capacity());
    auto next = t.usable.next(at, c.steps);
    if (!next)
      next = t.usable.next(0, c.steps);
    TROUPE_ASSERT(next.has_value());
    at = *next + 1;
    if (excluded(*next, w))
      continue;
    ++fit;
    if (!first)
      first = next;
    const auto s = score(v, t, *next, loads);
    if (c.looks < choice::looks_max)
      c.looked[c.looks++] = {slots_[*next].key, s};
    if (!best || s < least) {
      best = next;
      least = s;
    }
    if (strategy_ == pool_strategy::most_headroom && s <= 0)
      break; // nothing can be better
  }
  if (!best && drawn) { // both draws fell on excluded keys
    for (auto next = t.usable.next(0, c.steps); next && !best;
         next = t.usable.next(*next + 1, c.steps))
      if (!excluded(*next, w))
        best = next;
  }
  if (!best)
    return best;
  t.hand = (strategy_ == pool_strategy::round_robin || !first ? *best : *first) + 1;
  if (strategy_ == pool_strategy::weighted) {
    v.turns.resize(std::max(v.turns.size(), slots_.size()));
    const auto start = std::max(v.turns[*best], earliest_start(t));
    // Of a few keys the one chosen is the first of all; of many it is only the first of those
    // that were looked at, and starts are where they are on average.
    t.turn = usable <= small ? start : t.turn + (start - t.turn) / static_cast<double>(usable);
    v.turns[*best] = start + 1.0 / std::max(slots_[*best].traits.weight, 1U);
  }
  return best;
}

/// Of `weighted`: a key that could not be chosen for a while starts here. Among many keys each is
/// looked at once in a while only, and may make up for that, but for no more than one call of the
/// least weight.
double selection::earliest_start(const tier_set& t) {
  return t.usable.size() <= small ? t.turn : t.turn - 1;
}

/// Lower is better.
float selection::score(const view& v, const tier_set& t, std::uint32_t slot,
                       const load_reader* loads) const {
  const auto weight = static_cast<float>(std::max(slots_[slot].traits.weight, 1U));
  const auto load = [&] { return loads != nullptr ? loads->of(slot) : load_reader::load{}; };
  switch (strategy_) {
  case pool_strategy::round_robin:
    return 0;
  case pool_strategy::weighted:
    return static_cast<float>(std::max(earliest_start(t), slot < v.turns.size() ? v.turns[slot] : 0)
                              - t.turn);
  case pool_strategy::least_busy:
    return static_cast<float>(load().in_flight) / weight;
  case pool_strategy::p2c_ewma: {
    const auto l = load();
    return (l.latency_ms + 1) * static_cast<float>(l.in_flight + 1) / weight;
  }
  case pool_strategy::most_headroom:
    return 1 - headroom(slot, v.model);
  }
  return 0;
}

std::uint32_t selection::release_due(model_state* m, std::string_view model, time_point now) {
  std::uint32_t steps = 0;
  for (; const auto slot = rests_.take_due(now); ++steps)
    refresh_all(*slot);
  for (; const auto slot = away_.take_due(now); ++steps)
    refresh_all(*slot);
  for (; const auto slot = dry_.take_due(now); ++steps) {
    refill(*slot, {});
    refresh_all(*slot);
  }
  if (m == nullptr)
    return steps;
  for (; const auto slot = m->rests.take_due(now); ++steps)
    refresh_model(*m, *slot);
  for (; const auto slot = m->dry.take_due(now); ++steps) {
    refill(*slot, model);
    refresh_model(*m, *slot);
  }
  return steps;
}

void selection::choose_pinned(const wish& w, const model_state* m, time_point now, choice& c) {
  const auto slot = slot_of(w.pinned);
  if (!slot || slots_[*slot].disabled || std::ranges::find(w.tried, w.pinned) != w.tried.end()
      || !in_circle(*slot, w.circle))
    return;
  c.key = w.pinned;
  c.slot = *slot;
  c.members = 1;
  c.free_at = back_at(*slot, m, c.per_day);
  for (const auto& t : w.turned)
    if (t.key == w.pinned && t.until > c.free_at) {
      c.free_at = t.until;
      c.per_day = t.per_day;
    }
  if (c.free_at > now) {
    c.kind = choice_kind::resting;
    return;
  }
  c.kind = choice_kind::chosen;
}

/// When everything that keeps `slot` from serving is over; the beginning of time: nothing does.
time_point selection::back_at(std::uint32_t slot, const model_state* m, bool& per_day) const {
  time_point last{};
  const auto look = [&](const rest_set& set) {
    if (const auto* e = set.find(slot); e != nullptr && e->until > last) {
      last = e->until;
      per_day = e->per_day;
    }
  };
  look(rests_);
  look(dry_);
  look(away_);
  look(full_);
  if (m != nullptr) {
    look(m->rests);
    look(m->dry);
  }
  return last;
}

void selection::soonest(const wish& w, const model_state* m, choice& c) const {
  // Walking each list in order of ends, no key further down can be back before the best so far.
  bool found = false;
  const auto offer = [&](time_point back, bool per_day) {
    if (found && back >= c.free_at)
      return;
    found = true;
    c.free_at = back;
    c.per_day = per_day;
  };
  const auto walk = [&](const rest_set& these) {
    for (const auto& [until, slot] : these.by_end()) {
      ++c.steps;
      if (found && until >= c.free_at)
        return;
      if (slots_[slot].disabled || !in_circle(slot, w.circle))
        continue;
      bool per_day = false;
      const auto back = back_at(slot, m, per_day);
      offer(back, per_day);
    }
  };
  walk(rests_);
  walk(dry_);
  walk(away_);
  walk(full_);
  if (m != nullptr) {
    walk(m->rests);
    walk(m->dry);
  }
  for (const auto& t : w.turned) {
    const auto slot = slot_of(t.key);
    if (!slot || slots_[*slot].disabled || !in_circle(*slot, w.circle)
        || std::ranges::find(w.tried, t.key) != w.tried.end())
      continue;
    bool per_day = t.per_day;
    const auto back = back_at(*slot, m, per_day);
    offer(std::max(back, t.until), back > t.until ? per_day : t.per_day);
  }
  if (found)
    c.kind = choice_kind::resting;
}

std::uint64_t selection::draw() {
  random_ += 0x9E3779B97F4A7C15U;
  return mixed(random_);
}

} // namespace troupe
