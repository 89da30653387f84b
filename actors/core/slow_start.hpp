#pragma once

// A key that comes back from one cooldown after the other is not given its full load at once:
// after the second rest without an `ok` between, it may have one call in flight, and with each
// `ok` twice as many, until it is free again. A rest begins this anew.

#include <cstdint>

namespace troupe {

/// A value, changed only by the functions below.
struct slow_start {
  static constexpr std::uint32_t rests_before = 2; ///< rests in a row that begin it
  static constexpr std::uint32_t allowed_max = 16; ///< an `ok` at so many frees the key

  std::uint32_t allowed = 0; ///< calls in flight; 0: as many as there are
  std::uint32_t rests = 0;   ///< in a row, without an `ok` between; stays at `rests_before`

  friend bool operator==(const slow_start&, const slow_start&) = default;
};

/// From now on one call in flight, whatever came before.
void begin(slow_start& s);

/// A throttle rests the key. Once per rest: a burst of throttles begins a single one.
void on_rest(slow_start& s);

/// A call ended well. Only for calls that were granted after the last rest: an older one says
/// nothing about what the upstream takes now.
void on_ok(slow_start& s);

/// Whether one call more may begin beside `in_flight` others.
bool admits(const slow_start& s, std::uint32_t in_flight);

} // namespace troupe
