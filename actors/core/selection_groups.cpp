#include "actors/core/selection.hpp"

#include <algorithm>

// Choices among the keys of some groups: what a client's credential may be limited to.

namespace troupe {

void selection::set_groups(std::uint64_t key, const std::vector<std::string>& groups) {
  const auto at = slots_of_.find(key);
  if (at == slots_of_.end())
    return;
  const auto slot = at->second;
  for (const auto& name : slots_[slot].groups) {
    auto& g = groups_.at(name);
    g.members.assign(slot, false);
    if (g.members.size() == 0)
      groups_.erase(name);
  }
  slots_[slot].groups = groups;
  for (const auto& name : groups) {
    auto& g = groups_[name];
    g.members.grow(slots_.size());
    g.members.assign(slot, true);
  }
}

bool selection::in_groups(std::uint32_t slot, std::span<const std::string> groups) const {
  const auto& its = slots_[slot].groups;
  return groups.empty() || std::ranges::any_of(its, [&](const std::string& name) {
           return std::ranges::find(groups, name) != groups.end();
         });
}

choice selection::choose_in_groups(const wish& w, const ring* r, choice c) {
  if (r == nullptr)
    return soonest_in_groups(w, r, c);
  // Another group goes first each time, or the first named would serve everything.
  for (std::size_t i = 0; i < w.groups.size(); ++i) {
    const auto known = groups_.find(w.groups[(choices_ + i) % w.groups.size()]);
    if (known == groups_.end())
      continue;
    auto& g = known->second;
    auto at = g.hand;
    for (std::size_t looks = 0; looks < g.members.size(); ++looks) {
      auto next = g.members.next(at, c.steps);
      if (!next)
        next = g.members.next(0, c.steps);
      at = *next + 1;
      const auto key = slots_[*next].key;
      if (!r->usable.contains(*next) || std::ranges::find(w.tried, key) != w.tried.end())
        continue;
      g.hand = at;
      c.kind = choice_kind::chosen;
      c.slot = *next;
      c.key = key;
      return c;
    }
  }
  return soonest_in_groups(w, r, c);
}

choice selection::soonest_in_groups(const wish& w, const ring* r, choice c) const {
  bool any = false;
  bool per_day = true;
  for (const auto& name : w.groups) {
    const auto known = groups_.find(name);
    if (known == groups_.end())
      continue;
    const auto& members = known->second.members;
    for (auto slot = members.next(0, c.steps); slot; slot = members.next(*slot + 1, c.steps)) {
      const auto* whole = rests_.find(*slot);
      const auto* model = r != nullptr ? r->rests.find(*slot) : nullptr;
      if (slots_[*slot].disabled || (whole == nullptr && model == nullptr))
        continue;
      const auto until = std::max(whole != nullptr ? whole->until : time_point{},
                                  model != nullptr ? model->until : time_point{});
      per_day =
          per_day && (whole == nullptr || whole->per_day) && (model == nullptr || model->per_day);
      c.free_at = any ? std::min(c.free_at, until) : until;
      any = true;
    }
  }
  if (any) {
    c.kind = choice_kind::resting;
    c.per_day = per_day;
  }
  return c;
}

} // namespace troupe
