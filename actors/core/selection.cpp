#include "actors/core/selection.hpp"

#include "protocol/base/result.hpp"

#include <algorithm>

namespace troupe {
namespace {

bool per_day(key_reason why) {
  return why == key_reason::quota_day || why == key_reason::not_offered;
}

constexpr time_point never = time_point::max();

} // namespace

standing standing_of(const key_health& h, time_point now) {
  standing s;
  s.disabled = h.disabled != key_reason::none;
  s.why = h.disabled;
  const auto because = [&s](key_reason why) {
    if (s.why == key_reason::none)
      s.why = why;
  };
  if (h.pause.active(now)) {
    s.until = h.pause.until;
    s.per_day = per_day(h.pause.why);
    because(h.pause.why);
  }
  for (const auto& m : h.models)
    if (m.pause.active(now)) {
      s.models.push_back({m.model, m.pause.until, per_day(m.pause.why)});
      because(m.pause.why);
    }
  return s;
}

std::optional<std::uint32_t> selection::add(std::uint64_t key) {
  TROUPE_ASSERT(key != 0);
  if (slots_of_.contains(key))
    return std::nullopt;
  std::uint32_t slot = 0;
  if (vacant_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
    open_.grow(slots_.size());
    for (auto& [model, r] : rings_)
      r.usable.grow(slots_.size());
  } else {
    slot = vacant_.back();
    vacant_.pop_back();
  }
  slots_[slot].key = key;
  slots_of_.emplace(key, slot);
  set_open(slot, true);
  return slot;
}

bool selection::remove(std::uint64_t key) {
  const auto at = slots_of_.find(key);
  if (at == slots_of_.end())
    return false;
  const auto slot = at->second;
  set_groups(key, {});
  rests_.erase(slot);
  set_open(slot, false);
  for (auto& [model, r] : rings_)
    r.rests.erase(slot);
  disabled_ -= slots_[slot].disabled ? 1 : 0;
  slots_[slot] = {};
  vacant_.push_back(slot);
  slots_of_.erase(at);
  return true;
}

std::optional<std::uint32_t> selection::slot_of(std::uint64_t key) const {
  const auto at = slots_of_.find(key);
  return at == slots_of_.end() ? std::nullopt : std::optional{at->second};
}

void selection::update(std::uint64_t key, const standing& s, time_point now) {
  const auto at = slots_of_.find(key);
  if (at == slots_of_.end())
    return;
  const auto slot = at->second;
  auto& state = slots_[slot];
  disabled_ -= state.disabled ? 1 : 0;
  state.disabled = s.disabled;
  disabled_ += state.disabled ? 1 : 0;

  // A disabled key's rests are not counted: it does not come back when they end.
  const bool rests = !s.disabled && s.until > now;
  rests_.erase(slot);
  if (rests)
    rests_.put(slot, {s.until, s.per_day});
  for (auto& [model, r] : rings_)
    r.rests.erase(slot);
  if (!s.disabled)
    for (const auto& m : s.models)
      if (m.until > now)
        ring_of(m.model, now).rests.put(slot, {m.until, m.per_day});
  set_open(slot, !s.disabled && !rests);
}

standing selection::known_of(std::uint64_t key, time_point now) const {
  standing s;
  const auto slot = slot_of(key);
  if (!slot)
    return s;
  s.disabled = slots_[*slot].disabled;
  if (const auto* e = rests_.find(*slot); e != nullptr && e->until > now) {
    s.until = e->until;
    s.per_day = e->per_day;
  }
  for (const auto& [model, r] : rings_)
    if (const auto* e = r.rests.find(*slot); e != nullptr && e->until > now)
      s.models.push_back({model, e->until, e->per_day});
  return s;
}

choice selection::choose(const wish& w, time_point now) {
  ++choices_;
  const auto known = rings_.find(w.model);
  ring* r = known == rings_.end() ? nullptr : &known->second;
  choice c;
  c.steps = release_due(r, now);
  if (r == nullptr && !open_.empty() && w.pinned == 0)
    r = &ring_of(w.model, now); // a name that no key can serve now leaves no trace
  if (r != nullptr)
    r->asked = choices_;
  if (w.pinned != 0)
    return choose_pinned(w, r, now);
  if (!w.groups.empty())
    return choose_in_groups(w, r, c);
  if (r == nullptr || r->usable.empty())
    return soonest(r, c);

  // One look more than there are tried keys finds any other; then the hand has come round.
  auto at = r->hand;
  for (std::size_t looks = 0; looks <= w.tried.size(); ++looks) {
    auto next = r->usable.next(at, c.steps);
    if (!next)
      next = r->usable.next(0, c.steps);
    TROUPE_ASSERT(next.has_value());
    at = *next + 1;
    const auto key = slots_[*next].key;
    if (std::ranges::find(w.tried, key) != w.tried.end())
      continue;
    r->hand = at;
    c.kind = choice_kind::chosen;
    c.slot = *next;
    c.key = key;
    return c;
  }
  return soonest(r, c);
}

selection::ring& selection::ring_of(std::string_view model, time_point now) {
  const auto at = rings_.find(model);
  if (at != rings_.end())
    return at->second;
  if (rings_.size() >= models_max_)
    forget_oldest_ring(now);
  auto& r = rings_.emplace(std::string{model}, ring{}).first->second;
  r.usable = open_;
  r.asked = choices_;
  // Models start at different places, or the first keys would serve every model's first call.
  if (!slots_.empty())
    r.hand = static_cast<std::uint32_t>(text_hash{}(model) % slots_.size());
  return r;
}

void selection::forget_oldest_ring(time_point now) {
  auto oldest = rings_.end();
  for (auto at = rings_.begin(); at != rings_.end(); ++at)
    if (!at->second.rests.any_after(now)
        && (oldest == rings_.end() || at->second.asked < oldest->second.asked))
      oldest = at;
  if (oldest != rings_.end())
    rings_.erase(oldest);
}

void selection::set_open(std::uint32_t slot, bool open) {
  open_.assign(slot, open);
  for (auto& [model, r] : rings_)
    r.usable.assign(slot, open && !r.rests.contains(slot));
}

std::uint32_t selection::release_due(ring* r, time_point now) {
  std::uint32_t steps = 0;
  for (; const auto slot = rests_.take_due(now); ++steps)
    set_open(*slot, true);
  if (r == nullptr)
    return steps;
  for (; const auto slot = r->rests.take_due(now); ++steps)
    r->usable.assign(*slot, open_.contains(*slot));
  return steps;
}

choice selection::choose_pinned(const wish& w, const ring* r, time_point now) const {
  choice c;
  const auto slot = slot_of(w.pinned);
  if (!slot || slots_[*slot].disabled || std::ranges::find(w.tried, w.pinned) != w.tried.end()
      || !in_groups(*slot, w.groups))
    return c;
  c.key = w.pinned;
  c.slot = *slot;
  const auto* whole = rests_.find(*slot);
  const auto* model = r != nullptr ? r->rests.find(*slot) : nullptr;
  const auto later = std::max(whole != nullptr ? whole->until : time_point{},
                              model != nullptr ? model->until : time_point{});
  if (later <= now) {
    c.kind = choice_kind::chosen;
    return c;
  }
  c.kind = choice_kind::resting;
  c.free_at = later;
  c.per_day = (whole == nullptr || whole->per_day) && (model == nullptr || model->per_day);
  return c;
}

choice selection::soonest(const ring* r, choice c) const {
  // A key is back when both of its rests are over. Walking each list in order of ends, no key
  // further down can be back before the best found so far.
  time_point best = never;
  const auto walk = [&](const rest_set& these, const rest_set* others) {
    for (const auto& [until, slot] : these.by_end()) {
      ++c.steps;
      if (until >= best)
        return;
      best = std::min(best, others == nullptr ? until : std::max(until, others->until(slot)));
    }
  };
  walk(rests_, r != nullptr ? &r->rests : nullptr);
  if (r != nullptr)
    walk(r->rests, &rests_);
  if (best == never)
    return c;
  c.kind = choice_kind::resting;
  c.free_at = best;
  c.per_day = rests_.all_per_day() && (r == nullptr || r->rests.all_per_day());
  return c;
}

} // namespace troupe
