#pragma once

#include "protocol/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

namespace troupe {

/// An exact sliding log: what counts from an instant for `span`, and then no longer. A value;
/// allocates nothing while it is empty.
///
/// Above `entries_max` entries, neighbours within span/600 become one that leaves whole at its
/// latest instant: memory is bounded and the error is to the careful side.
class quota_log {
public:
  static constexpr std::size_t entries_max = 1'024;
  static constexpr time_point never = time_point::max();

  struct entry {
    time_point latest;
    std::uint64_t amount = 0;

    friend bool operator==(const entry&, const entry&) = default;
  };

  explicit quota_log(duration span = std::chrono::minutes{1}) : span_(span) {}

  /// For what is logged and what will be.
  void change_span(duration span) { span_ = span; }

  void add(time_point at, std::uint64_t amount);
  /// Takes back what `add` counted at `at`. Nothing happens if it has left already.
  void take_back(time_point at, std::uint64_t amount);
  /// What was counted at `from` counts at `to`, also if it has left already.
  void move(time_point from, time_point to, std::uint64_t amount);

  /// What counts at `now`; forgets what does not. `now` never goes back.
  std::uint64_t used(time_point now);
  /// How much of what `used` gave will have left at `then`.
  std::uint64_t left_by(time_point then) const;
  /// When the next entry leaves; `never`: nothing is logged.
  time_point next() const;
  /// When `amount` in all will have left these logs, which have one span; `never`: they do not
  /// hold so much.
  static time_point when(std::initializer_list<const quota_log*> logs, std::uint64_t amount);
  time_point when(std::uint64_t amount) const { return when({this}, amount); }

  /// In order of time. May hold entries that have left since the last `used`.
  std::span<const entry> entries() const { return std::span{entries_}.subspan(first_); }

private:
  void fold();
  std::vector<entry>::iterator find(time_point at);

  std::vector<entry> entries_; ///< from `first_` on; what lies before has left
  std::size_t first_ = 0;
  std::uint64_t sum_ = 0;
  duration span_;
  time_point gone_ = time_point::min(); ///< the latest entry that was forgotten
};

} // namespace troupe
