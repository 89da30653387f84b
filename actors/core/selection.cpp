#include "actors/core/selection.hpp"

#include "protocol/base/result.hpp"

#include <algorithm>
#include <utility>

// Who stands where, and what is known of each. The choice itself: selection_choice.cpp; quota
// domains: selection_rooms.cpp.

namespace troupe {
namespace {

bool per_day(key_reason why) {
  return why == key_reason::quota_day || why == key_reason::not_offered;
}

template <class A, class B>
bool share_one(const A& some, const B& others) {
  return std::ranges::any_of(
      some, [&](const auto& one) { return std::ranges::find(others, one) != others.end(); });
}

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

std::optional<std::uint32_t> selection::add(std::uint64_t key, key_traits traits) {
  TROUPE_ASSERT(key != 0);
  if (slots_of_.contains(key))
    return std::nullopt;
  std::uint32_t slot = 0;
  if (vacant_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = vacant_.back();
    vacant_.pop_back();
  }
  slots_[slot].key = key;
  slots_[slot].traits = std::move(traits);
  slots_of_.emplace(key, slot);
  join_domain(slot);
  for (auto& [name, v] : views_)
    v->members += in_circle(slot, v->circle()) ? 1 : 0;
  refresh_all(slot);
  return slot;
}

bool selection::remove(std::uint64_t key) {
  const auto at = slots_of_.find(key);
  if (at == slots_of_.end())
    return false;
  const auto slot = at->second;
  leave_domain(slot);
  rests_.erase(slot);
  dry_.erase(slot);
  away_.erase(slot);
  full_.erase(slot);
  for (auto& [model, m] : models_) {
    m.rests.erase(slot);
    m.dry.erase(slot);
  }
  for (auto& [name, v] : views_)
    v->members -= in_circle(slot, v->circle()) ? 1 : 0;
  disabled_ -= slots_[slot].disabled ? 1 : 0;
  slots_[slot].key = 0;
  refresh_all(slot);
  slots_[slot] = {};
  vacant_.push_back(slot);
  slots_of_.erase(at);
  return true;
}

std::optional<std::uint32_t> selection::slot_of(std::uint64_t key) const {
  const auto at = slots_of_.find(key);
  if (at == slots_of_.end())
    return std::nullopt;
  return at->second;
}

void selection::set_traits(std::uint64_t key, key_traits traits) {
  const auto slot = slot_of(key);
  if (!slot || slots_[*slot].traits == traits)
    return;
  const bool moves = slots_[*slot].traits.domain != traits.domain;
  if (moves)
    leave_domain(*slot);
  for (auto& [name, v] : views_)
    v->members -= in_circle(*slot, v->circle()) ? 1 : 0;
  // Out of the sets of its old tier first: `refresh` looks at the new one alone.
  const auto stands = std::exchange(slots_[*slot].key, 0);
  refresh_all(*slot);
  slots_[*slot].key = stands;
  slots_[*slot].traits = std::move(traits);
  for (auto& [name, v] : views_)
    v->members += in_circle(*slot, v->circle()) ? 1 : 0;
  if (moves)
    join_domain(*slot);
  refresh_all(*slot);
}

void selection::update(std::uint64_t key, const standing& s, time_point now) {
  const auto found = slot_of(key);
  if (!found)
    return;
  const auto slot = *found;
  auto& state = slots_[slot];
  disabled_ -= state.disabled ? 1 : 0;
  state.disabled = s.disabled;
  disabled_ += state.disabled ? 1 : 0;

  // A disabled key's rests are not counted: it does not come back when they end.
  state.places = s.places;
  full_.erase(slot);
  if (!s.disabled && s.places == 0)
    full_.put(slot, {quota_room::never, false});
  rests_.erase(slot);
  if (!s.disabled && s.until > now)
    rests_.put(slot, {s.until, s.per_day});
  for (auto& [model, m] : models_)
    m.rests.erase(slot);
  if (!s.disabled)
    for (const auto& m : s.models)
      if (m.until > now)
        models_[m.model].rests.put(slot, {m.until, m.per_day});
  refresh_all(slot);
}

void selection::keep_away(std::uint64_t key, time_point until, time_point now) {
  const auto slot = slot_of(key);
  if (!slot || (until <= now && !away_.contains(*slot)))
    return; // asked of all keys at once: what does not change costs nothing
  away_.erase(*slot);
  if (until > now)
    away_.put(*slot, {until, false});
  refresh_all(*slot);
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
  for (const auto& [model, m] : models_)
    if (const auto* e = m.rests.find(*slot); e != nullptr && e->until > now)
      s.models.push_back({model, e->until, e->per_day});
  return s;
}

bool selection::is_open(std::uint32_t slot) const {
  const auto& s = slots_[slot];
  return s.key != 0 && !s.disabled && !full_.contains(slot) && !rests_.contains(slot)
         && !dry_.contains(slot) && !away_.contains(slot);
}

bool selection::in_circle(std::uint32_t slot, const key_circle& c) const {
  const auto& t = slots_[slot].traits;
  return (c.upstreams.empty() || std::ranges::find(c.upstreams, t.upstream) != c.upstreams.end())
         && (c.groups.empty() || share_one(t.groups, c.groups))
         && (c.model_groups.empty() || share_one(t.groups, c.model_groups));
}

void selection::refresh(view& v, std::uint32_t slot) {
  const bool usable = is_open(slot) && !v.of->rests.contains(slot) && !v.of->dry.contains(slot)
                      && in_circle(slot, v.circle());
  const auto tier = slots_[slot].traits.tier;
  const auto at = std::ranges::find(v.tiers, tier, &tier_set::tier);
  if (at == v.tiers.end() && !usable)
    return;
  auto& set = at != v.tiers.end() ? *at : tier_of(v, tier, slots_.size());
  set.usable.grow(slots_.size());
  set.usable.assign(slot, usable);
}

void selection::refresh_all(std::uint32_t slot) {
  for (auto& [name, v] : views_)
    refresh(*v, slot);
}

void selection::refresh_model(model_state& m, std::uint32_t slot) {
  for (auto* v : m.views)
    refresh(*v, slot);
}

selection::tier_set& selection::tier_of(view& v, std::int32_t tier, std::size_t capacity) {
  auto at = std::ranges::lower_bound(v.tiers, tier, {}, &tier_set::tier);
  if (at == v.tiers.end() || at->tier != tier) {
    at = v.tiers.insert(at, tier_set{.tier = tier, .usable = slot_set(capacity)});
    // Views start at different places, or the first keys would serve every model's first call.
    at->hand =
        static_cast<std::uint32_t>(text_hash{}(v.model) % std::max<std::size_t>(capacity, 1));
  }
  return *at;
}

void selection::name_view(const wish& w, std::string& name) {
  name = w.model;
  const auto list = [&name](const auto& items, char mark, auto text) {
    if (items.empty())
      return;
    name += mark;
    for (const auto& item : items) {
      text(item);
      name += '\x1F';
    }
  };
  list(w.circle.upstreams, '\x1C', [&](std::uint32_t n) { name += std::to_string(n); });
  list(w.circle.groups, '\x1D', [&](const std::string& g) { name += g; });
  list(w.circle.model_groups, '\x1E', [&](const std::string& g) { name += g; });
}

std::uint64_t selection::line_of(const wish& w) {
  std::string name;
  name_view(w, name);
  // A pinned request waits for its own key.
  const auto hash = text_hash{}(name) ^ (w.pinned * 0x9E3779B97F4A7C15U);
  return hash == 0 ? 1 : hash;
}

selection::view& selection::view_of(const wish& w, time_point now) {
  name_view(w, name_);
  if (const auto at = views_.find(name_); at != views_.end())
    return *at->second;
  if (views_.size() >= views_max_)
    forget_oldest_view();
  auto& v = *views_.emplace(name_, std::make_unique<view>()).first->second;
  v.model = w.model;
  v.upstreams.assign(w.circle.upstreams.begin(), w.circle.upstreams.end());
  v.groups.assign(w.circle.groups.begin(), w.circle.groups.end());
  v.model_groups.assign(w.circle.model_groups.begin(), w.circle.model_groups.end());
  auto known = models_.find(w.model);
  if (known == models_.end())
    known = models_.emplace(v.model, model_state{}).first;
  v.of = &known->second;
  v.of->views.push_back(&v);
  release_due(v.of, v.model, now);
  for (std::uint32_t slot = 0; slot < slots_.size(); ++slot)
    if (slots_[slot].key != 0) {
      v.members += in_circle(slot, v.circle()) ? 1 : 0;
      refresh(v, slot);
    }
  return v;
}

void selection::forget_oldest_view() {
  const auto oldest =
      std::ranges::min_element(views_, {}, [](const auto& named) { return named.second->asked; });
  if (oldest == views_.end())
    return;
  auto& v = *oldest->second;
  std::erase(v.of->views, &v);
  const auto model = v.model;
  views_.erase(oldest);
  drop_if_idle(model);
}

void selection::drop_if_idle(const std::string& model) {
  const auto at = models_.find(model);
  if (at != models_.end() && at->second.views.empty() && at->second.rests.empty()
      && at->second.dry.empty())
    models_.erase(at);
}

} // namespace troupe
