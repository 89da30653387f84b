#pragma once

#include "protocol/base/day_clock.hpp"
#include "protocol/base/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace troupe {

/// The days on which a call counts, by their ends: two where it may arrive on either side of
/// midnight, else twice the same.
struct day_pair {
  wall_time first{};
  wall_time second{};

  bool has(wall_time end) const { return first == end || second == end; }

  friend bool operator==(const day_pair&, const day_pair&) = default;
};

/// The days of a call that leaves at `wall` and arrives less than `margin` from it, on a clock
/// that may be wrong by as much.
day_pair days_of(const day_clock& clock, wall_time wall, duration margin);

/// What one scope used on each of the last days. A value; days have no order: a clock that is
/// set back comes back to a day that is here.
class quota_days {
public:
  static constexpr std::size_t days_max = 4;

  struct day {
    wall_time end{};
    std::uint64_t calls = 0;
    std::uint64_t tokens = 0;

    friend bool operator==(const day&, const day&) = default;
  };

  /// Adds to a day; beyond `days_max` days the one that ends first goes.
  void add(wall_time end, std::uint64_t calls, std::uint64_t tokens);
  /// From a day that may have gone.
  void take_back(wall_time end, std::uint64_t calls, std::uint64_t tokens);
  /// What was counted on `from` was counted on `to`.
  void rename(wall_time from, wall_time to);

  std::uint64_t calls(wall_time end) const;
  std::uint64_t tokens(wall_time end) const;

  std::span<const day> days() const { return std::span{days_}.first(count_); }

private:
  const day* find(wall_time end) const;

  std::array<day, days_max> days_{};
  std::size_t count_ = 0;
};

} // namespace troupe
