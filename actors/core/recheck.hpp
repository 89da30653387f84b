#pragma once

// Which disabled key is checked again, and when.
//
// A key that the upstream refused may be repaired by its owner, so it is asked again: after
// `min`, and after each check that failed twice as long, up to `max`. A suspended key is never
// asked, because calls with it may cost its neighbours; one that an operator disabled is the
// operator's.
//
// All checks together keep to a rate. Keys that are found disabled at a start are spread over
// `min`, so that ten thousand of them do not come due at one instant; whatever the rate holds
// back keeps its order.
//
// A check whose end is never told counts as failed after `running_max`: else the key would be
// forgotten.

#include "actors/core/key_state.hpp"
#include "protocol/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

struct recheck_policy {
  duration min = std::chrono::minutes{5}; ///< before the first check; 0: there are none
  duration max = std::chrono::hours{6};   ///< intervals double up to it
  /// Checks that begin within a minute. At the most a second's share of them begin together.
  std::uint32_t per_minute = 30;

  friend bool operator==(const recheck_policy&, const recheck_policy&) = default;
};

/// Whether a key that is disabled for `why` may come back by a check.
bool may_recheck(key_reason why);

/// Owned by one actor. Keys are `key_id::value`. Jitters are drawn evenly from [0, 1) and spread
/// intervals over 75 to 125 %.
class recheck {
public:
  static constexpr duration running_max = std::chrono::minutes{10};

  /// For people.
  struct plan {
    time_point at{};          ///< `running`: when the check is given up
    std::uint32_t failed = 0; ///< checks in a row
    bool running = false;
  };

  explicit recheck(recheck_policy policy = {}) : policy_(policy) {}

  /// What is planned stays planned; a `min` of 0 forgets all of it.
  void change_policy(const recheck_policy& policy);

  /// `key` was disabled now. A known key keeps its plan, unless the reason is one that no check
  /// can lift: then it is forgotten.
  void disabled(std::uint64_t key, key_reason why, time_point now, double jitter);
  /// The same for a key that was found disabled at a start: its first check is at any moment
  /// within `min`.
  void found_disabled(std::uint64_t key, key_reason why, time_point now, double jitter);
  /// The key works again, or is gone.
  void forget(std::uint64_t key);

  /// The keys to check now, the one that has been due for longest first. Each is running until
  /// `ended` or `forget`.
  std::vector<std::uint64_t> due(time_point now);
  /// A check ended: an `ok` forgets the key. Without a check running nothing happens.
  void ended(std::uint64_t key, bool ok, time_point now, double jitter);

  /// When `due` has something to do next; nothing while no key waits for a check.
  std::optional<time_point> next_at() const;
  std::optional<plan> when(std::uint64_t key) const;

  std::size_t size() const { return plans_.size(); }

private:
  void add(std::uint64_t key, key_reason why, time_point at);
  void move(std::uint64_t key, plan& p, time_point at);
  void fail(std::uint64_t key, plan& p, time_point now, double jitter);
  duration spacing() const;
  /// How far ahead of an even pace checks may run.
  duration slack() const;

  recheck_policy policy_;
  std::unordered_map<std::uint64_t, plan> plans_;
  std::set<std::pair<time_point, std::uint64_t>> order_; ///< of `plan::at`
  time_point paced_{}; ///< at an even pace, the next check would begin then
};

} // namespace troupe
