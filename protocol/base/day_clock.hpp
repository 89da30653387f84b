#pragma once

#include "protocol/base/time.hpp"

#include <chrono>
#include <vector>

namespace troupe {

/// When the days of one time zone begin. A value: a shell reads the zone, cores ask.
class day_clock {
public:
  /// From `at` on, local time is UTC plus `offset`.
  struct change {
    wall_time at{};
    std::chrono::seconds offset{};

    friend bool operator==(const change&, const change&) = default;
  };

  /// America/Los_Angeles by the rule in force since 2007.
  day_clock() = default;
  /// @param changes  in order of time; the first holds also before it, the last for ever after
  explicit day_clock(std::vector<change> changes) : changes_(std::move(changes)) {}

  /// The first local midnight after `now`: when the local date becomes a later one, also where
  /// a change of the clocks skips midnight or comes back to the day before.
  wall_time next_midnight(wall_time now) const;

  friend bool operator==(const day_clock&, const day_clock&) = default;

private:
  std::vector<change> changes_; ///< empty: the built-in rule
};

} // namespace troupe
