#include "actors/core/selection.hpp"

#include <algorithm>
#include <utility>

// Quota domains: keys whose limits are one account.

namespace troupe {

void selection::join_domain(std::uint32_t slot) {
  const auto& name = slots_[slot].traits.domain;
  if (name.empty())
    return;
  const auto index = domain_for(slot);
  // What is known of the domain holds for its new key.
  for (const auto& r : domains_[index].rooms)
    if (r.room == 0) {
      auto& set = r.model.empty() ? dry_ : models_[r.model].dry;
      set.put(slot, {r.free_at, r.per_day});
    }
}

void selection::leave_domain(std::uint32_t slot) {
  const auto index = std::exchange(slots_[slot].domain, no_domain);
  if (index == no_domain)
    return;
  dry_.erase(slot);
  for (auto& [model, m] : models_)
    m.dry.erase(slot);
  auto& d = domains_[index];
  std::erase(d.slots, slot);
  if (!d.slots.empty())
    return;
  if (!d.name.empty())
    domains_of_.erase(d.name);
  d = {};
  vacant_domains_.push_back(index);
}

std::uint32_t selection::domain_for(std::uint32_t slot) {
  auto& s = slots_[slot];
  if (s.domain != no_domain)
    return s.domain;
  const auto& name = s.traits.domain;
  if (const auto at = domains_of_.find(name); !name.empty() && at != domains_of_.end()) {
    s.domain = at->second;
  } else {
    if (vacant_domains_.empty()) {
      s.domain = static_cast<std::uint32_t>(domains_.size());
      domains_.emplace_back();
    } else {
      s.domain = vacant_domains_.back();
      vacant_domains_.pop_back();
    }
    domains_[s.domain].name = name;
    if (!name.empty())
      domains_of_.emplace(name, s.domain);
  }
  domains_[s.domain].slots.push_back(slot);
  return s.domain;
}

void selection::update_rooms(std::uint64_t key, const std::vector<quota_room>& rooms,
                             std::uint64_t seen, time_point now) {
  const auto slot = slot_of(key);
  if (!slot || (rooms.empty() && slots_[*slot].domain == no_domain))
    return;
  auto& d = domains_[domain_for(*slot)];
  const auto before = std::move(d.rooms);
  // More seen than sent: the count is of a pool before this one.
  d.sent = std::max(d.sent, seen);
  const auto on_their_way = std::min<std::uint64_t>(d.sent - seen, ~std::uint32_t{0});
  d.rooms = rooms;
  for (auto& r : d.rooms) {
    const bool none = r.room == 0;
    r.room -= static_cast<std::uint32_t>(std::min<std::uint64_t>(r.room, on_their_way));
    if (r.room != 0 || (none && r.free_at <= now)) {
      r.room = std::max(r.room, 1U);
      make_wet(d, r.model);
      continue;
    }
    // Those on their way will be taken, and what is left then be told.
    if (!none)
      r.free_at = quota_room::never;
    make_dry(d, r.model, {r.free_at, r.per_day});
  }
  for (const auto& r : before)
    if (std::ranges::find(d.rooms, r.model, &quota_room::model) == d.rooms.end())
      make_wet(d, r.model);
}

void selection::make_dry(domain_state& d, std::string_view model, rest_set::entry e) {
  model_state* m = model.empty() ? nullptr : &models_[std::string{model}];
  for (const auto slot : d.slots) {
    (m == nullptr ? dry_ : m->dry).put(slot, e);
    m == nullptr ? refresh_all(slot) : refresh_model(*m, slot);
  }
}

void selection::make_wet(domain_state& d, std::string_view model) {
  const auto at = models_.find(model);
  if (!model.empty() && at == models_.end())
    return;
  for (const auto slot : d.slots) {
    if (auto& set = model.empty() ? dry_ : at->second.dry; !set.contains(slot))
      continue;
    else
      set.erase(slot);
    model.empty() ? refresh_all(slot) : refresh_model(at->second, slot);
  }
}

/// The wait of a dry domain is over: what it said then fits now.
void selection::refill(std::uint32_t slot, std::string_view model) {
  const auto index = slots_[slot].domain;
  if (index == no_domain)
    return;
  for (auto& r : domains_[index].rooms)
    if (r.model == model && r.room == 0)
      r.room = std::max(r.room_then, 1U);
}

void selection::sent(std::uint32_t slot, std::string_view model) {
  if (auto& places = slots_[slot].places; places > 0 && --places == 0) {
    full_.put(slot, {quota_room::never, false});
    refresh_all(slot);
  }
  const auto index = slots_[slot].domain;
  if (index == no_domain)
    return;
  auto& d = domains_[index];
  ++d.sent;
  for (auto& r : d.rooms) {
    if ((!r.model.empty() && r.model != model) || r.room == 0 || --r.room != 0)
      continue;
    r.free_at = quota_room::never;
    make_dry(d, r.model, {r.free_at, false});
  }
}

void selection::forget_sent(std::uint64_t key, std::uint64_t seen) {
  const auto slot = slot_of(key);
  if (slot && slots_[*slot].domain != no_domain)
    domains_[slots_[*slot].domain].sent = seen;
}

float selection::headroom(std::uint32_t slot, std::string_view model) const {
  const auto index = slots_[slot].domain;
  float least = 1;
  if (index == no_domain)
    return least;
  for (const auto& r : domains_[index].rooms)
    if (r.model.empty() || r.model == model)
      least = std::min(least,
                       static_cast<float>(r.room) / static_cast<float>(std::max(r.capacity, 1U)));
  return least;
}

} // namespace troupe
