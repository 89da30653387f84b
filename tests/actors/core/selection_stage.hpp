#pragma once

#include "actors/core/selection.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

constexpr time_point selection_start{std::chrono::hours{1}};

/// Keys 1 to `keys`, all alike.
inline selection pool_of(std::uint64_t keys,
                         pool_strategy strategy = pool_strategy::most_headroom) {
  selection pool;
  pool.use(strategy);
  for (std::uint64_t key = 1; key <= keys; ++key)
    pool.add(key);
  return pool;
}

inline wish for_model(std::string_view model) {
  return {.model = model};
}

inline standing resting(std::string model, time_point until, bool per_day = false) {
  standing s;
  s.models.push_back({std::move(model), until, per_day});
  return s;
}

inline standing resting_whole(time_point until, bool per_day = false) {
  standing s;
  s.until = until;
  s.per_day = per_day;
  return s;
}

inline standing disabled_key() {
  standing s;
  s.disabled = true;
  return s;
}

/// Room for all models together.
inline quota_room room_for(std::uint32_t room, std::uint32_t capacity, std::string model = {}) {
  return {.model = std::move(model), .room = room, .capacity = capacity};
}

/// None now.
inline quota_room dry_until(time_point free_at, std::uint32_t room_then = 1,
                            std::string model = {}) {
  return {.model = std::move(model),
          .room = 0,
          .capacity = 10,
          .free_at = free_at,
          .room_then = room_then};
}

/// How often each key is chosen for `w`, and told to have been sent there.
inline std::map<std::uint64_t, int> shares(selection& pool, const wish& w, int choices,
                                           time_point now = selection_start,
                                           const load_reader* loads = nullptr) {
  std::map<std::uint64_t, int> used;
  for (int i = 0; i < choices; ++i) {
    const auto c = pool.choose(w, now, loads);
    if (c.kind != choice_kind::chosen)
      break;
    pool.sent(c.slot, w.model);
    ++used[c.key];
  }
  return used;
}

} // namespace troupe
