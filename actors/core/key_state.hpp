#pragma once

#include <cstdint>
#include <string_view>

namespace troupe {

/// The state of a key as a whole. `cooling`: the whole key or at least one model rests.
enum class key_state : std::uint8_t { ready, cooling, probing, disabled };

/// Why a key, or a model on a key, rests or is disabled. Stored: values never change.
enum class key_reason : std::uint8_t {
  none = 0,
  quota_minute = 1,
  quota_day = 2,
  quota_unknown = 3,
  not_offered = 4, ///< the key's tier does not have the model
  forbidden = 5,   ///< refused too often (403)
  invalid = 6,     ///< the upstream does not know the key
  suspended = 7,   ///< the upstream suspended the key, or it was reported as leaked
  by_operator = 8, ///< disabled or paused by hand
};

std::string_view to_string(key_state s);
std::string_view to_string(key_reason r);

} // namespace troupe
