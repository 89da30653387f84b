#pragma once

#include "actors/core/key_health.hpp"
#include "actors/core/selection.hpp"
#include "actors/messages.hpp"
#include "storage/core/record_layout.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace troupe {

/// What is counted of one key, over restarts.
struct key_tally {
  std::uint64_t granted = 0;
  std::uint64_t expired = 0;
  std::uint64_t abandoned = 0;
  std::array<std::uint64_t, 13> answers{};
  std::uint64_t prompt_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::uint64_t thought_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::int64_t last_used_at_ms = 0;
  std::int64_t last_error_at_ms = 0;
  std::string last_error;

  friend bool operator==(const key_tally&, const key_tally&) = default;
};

/// On disk, rests end at wall-clock instants; in memory, at monotonic ones. A rest that ended
/// while nobody looked is none any more.
storage::key_state_record to_record(const key_health& h, const key_tally& tally, const instants& t);
key_health health_of(const storage::key_state_record& r, const instants& t);
key_tally tally_of(const storage::key_state_record& r);

/// What the admin API shows; `name`, `restarts` and `in_flight` are left to the caller.
key_status status_of(const key_health& h, const key_tally& tally, const instants& t);

/// A standing as it travels, and back. Spans are rounded up: never a call before its time.
key_standing to_message(const standing& s, time_point now);
standing from_message(const key_standing& s, time_point now);

/// Milliseconds from `now` to `until`, rounded up, at least 0.
std::int64_t milliseconds_until(time_point until, time_point now);

} // namespace troupe
