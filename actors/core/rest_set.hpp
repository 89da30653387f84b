#pragma once

#include "protocol/base/time.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace troupe {

/// Which slots rest and until when, in the order in which they come back.
class rest_set {
public:
  struct entry {
    time_point until{};
    bool per_day = false; ///< a daily quota's rest
  };

  /// Replaces what the slot had.
  void put(std::uint32_t slot, entry e);
  void erase(std::uint32_t slot);

  /// The slot that is back at `now` for the longest time, taken out; nothing if none is due.
  std::optional<std::uint32_t> take_due(time_point now);

  bool contains(std::uint32_t slot) const { return by_slot_.contains(slot); }
  const entry* find(std::uint32_t slot) const;
  bool empty() const { return by_end_.empty(); }

  /// In the order of their ends.
  const std::set<std::pair<time_point, std::uint32_t>>& by_end() const { return by_end_; }

private:
  std::set<std::pair<time_point, std::uint32_t>> by_end_;
  std::unordered_map<std::uint32_t, entry> by_slot_;
};

} // namespace troupe
