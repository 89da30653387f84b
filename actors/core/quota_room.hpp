#pragma once

#include "protocol/base/time.hpp"

#include <cstdint>
#include <string>

namespace troupe {

/// What is left of a quota domain's limits in one scope, for whoever chooses among many keys.
struct quota_room {
  static constexpr time_point never = time_point::max();

  std::string model;           ///< empty: of all models together
  std::uint32_t room = 0;      ///< usual calls that fit now
  std::uint32_t capacity = 1;  ///< that fit into an empty window, at least 1
  time_point free_at{};        ///< room 0: when there is some again; `never`: at the end of a call
  std::uint32_t room_then = 1; ///< at `free_at`, at least 1
  bool per_day = false;

  friend bool operator==(const quota_room&, const quota_room&) = default;
};

} // namespace troupe
