#include "actors/core/rest_set.hpp"

namespace troupe {

void rest_set::put(std::uint32_t slot, entry e) {
  erase(slot);
  by_slot_.emplace(slot, e);
  by_end_.emplace(e.until, slot);
}

void rest_set::erase(std::uint32_t slot) {
  const auto at = by_slot_.find(slot);
  if (at == by_slot_.end())
    return;
  by_end_.erase({at->second.until, slot});
  by_slot_.erase(at);
}

std::optional<std::uint32_t> rest_set::take_due(time_point now) {
  if (by_end_.empty() || by_end_.begin()->first > now)
    return std::nullopt;
  const auto slot = by_end_.begin()->second;
  erase(slot);
  return slot;
}

const rest_set::entry* rest_set::find(std::uint32_t slot) const {
  const auto at = by_slot_.find(slot);
  return at == by_slot_.end() ? nullptr : &at->second;
}

} // namespace troupe
