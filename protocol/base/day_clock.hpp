#pragma once

#include "protocol/base/time.hpp"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

namespace troupe {

/// When the days of one time zone begin. A value: a shell reads the zone, cores ask. Copies share
/// what was read, for every quota ledger has one.
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
  explicit day_clock(std::vector<change> changes) {
    if (!changes.empty())
      changes_ = std::make_shared<const std::vector<change>>(std::move(changes));
  }

  /// The first local midnight after `now`: when the local date becomes a later one, also where
  /// a change of the clocks skips midnight or comes back to the day before.
  wall_time next_midnight(wall_time now) const;

  friend bool operator==(const day_clock& a, const day_clock& b) {
    return a.changes_ == b.changes_ || (a.changes_ && b.changes_ && *a.changes_ == *b.changes_);
  }

private:
  std::shared_ptr<const std::vector<change>> changes_; ///< none: the built-in rule
};

} // namespace troupe
