#pragma once

// What one quota domain may still use: an exact ledger over all of its limits.
//
// The upstream judges arrivals, not sendings. A call counts from the moment at which it is
// granted for the window plus a margin; a call whose first byte leaves late is counted from
// then (`sent_late`). Tokens are reserved when the call is granted, from an upper estimate, and
// corrected when it ends: input tokens stay where the call was counted, output tokens count from
// the end of the call, because only then are all of them known to have been produced.
//
// A day ends at the upstream's midnight. A call that may arrive on either side of it counts on
// both days. Days are told apart by their end, and the last few are kept, so that a clock that
// is set back finds the count of the day it comes back to.
//
// Nothing is granted that is not allowed on disk: `ceiling` is how many calls and tokens may be
// granted before the next record is safe there. What a crash leaves unknown is what lies between
// the last record and its ceiling; `restore` charges all of it, at the latest instant at which
// it can have happened.

#include "actors/core/instants.hpp"
#include "actors/core/limit_source.hpp"
#include "actors/core/quota_log.hpp"
#include "actors/core/quota_room.hpp"
#include "protocol/base/day_clock.hpp"
#include "protocol/base/limit.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

struct quota_limit {
  limit what;
  limit_source source = limit_source::declared;

  friend bool operator==(const quota_limit&, const quota_limit&) = default;
};

struct quota_policy {
  duration margin = std::chrono::milliseconds{250}; ///< between sending and arrival
  duration told_ttl = std::chrono::hours{24};       ///< what was learnt is forgotten after it
  std::size_t told_max = 64;                        ///< learnt limits kept; the oldest goes
  day_clock days;
};

/// What one call may use.
struct quota_call {
  std::string_view model;
  std::uint64_t input_tokens = 0; ///< upper estimates
  std::uint64_t output_tokens = 0;
};

/// How it ended.
struct quota_end {
  bool sent = true;      ///< false: no byte left, nothing was used
  bool reported = false; ///< the upstream told its tokens; else the reservation stands
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
};

struct quota_verdict {
  bool granted = false;
  std::uint64_t ticket = 0; ///< `granted`: names the call until its end; never 0
  bool must_write = false;  ///< not granted, because more must be allowed on disk first
  /// Not granted: when this call fits. `never` if only the end of another call can make room.
  time_point free_at{};
  bool per_day = false; ///< the limit that lasts longest is a day's
  limit_kind why = limit_kind::rpm;
};

/// One limit, for people.
struct quota_use {
  quota_limit limit;
  std::uint64_t used = 0;   ///< may be above the amount: lowered, or reported beyond the estimate
  std::uint64_t excess = 0; ///< tokens that the upstream reported beyond reservations, in all
  std::int64_t frees_in_ms = -1; ///< until something is free again; -1: nothing is used
  wall_time resets_at{};         ///< of a day's limit; else the epoch
};

/// What is kept on disk. Instants are wall-clock milliseconds since 1970.
struct quota_record {
  struct entry {
    std::int64_t at_ms = 0;
    std::uint64_t amount = 0;

    friend bool operator==(const entry&, const entry&) = default;
  };
  /// A minute window: entries by instant, rounded up to whole seconds where there are many.
  /// A day: entries whose instants are the ends of the days.
  struct window {
    std::string model;
    limit_kind kind = limit_kind::rpm;
    std::vector<entry> entries;

    friend bool operator==(const window&, const window&) = default;
  };
  struct told {
    limit what;
    limit_source source = limit_source::told;
    std::int64_t at_ms = 0;

    friend bool operator==(const told&, const told&) = default;
  };

  std::int64_t written_at_ms = 0;
  std::uint64_t calls = 0, calls_ceiling = 0;   ///< granted ever, and how many may be
  std::uint64_t tokens = 0, tokens_ceiling = 0; ///< reserved ever, and how many may be
  std::vector<window> windows;
  std::vector<told> learnt;

  friend bool operator==(const quota_record&, const quota_record&) = default;
};

/// A value. Costs a few hundred bytes and a deque per limit that is in use.
class quota_ledger {
public:
  static constexpr time_point never = quota_room::never;

  explicit quota_ledger(quota_policy policy = {}) : policy_(std::move(policy)) {}

  /// The operator's limits from now on, whole. What is used stays used: lowered below it, a
  /// limit grants nothing until enough has left its window.
  void declare(std::vector<limit> limits, const instants& t);
  void change_policy(quota_policy policy) { policy_ = std::move(policy); }

  /// A limit that the upstream told or that was estimated. False: nothing changed, because it is
  /// declared or known. A told limit replaces an estimate. An estimate only ever grows by later
  /// estimates, until it is forgotten.
  bool learn(const limit& what, limit_source source, const instants& t);

  /// True: no limit is enforced, `admit` grants everything and counts nothing.
  bool unlimited() const;

  quota_verdict admit(const quota_call& call, const instants& t);
  /// The call's first byte leaves only now.
  void sent_late(std::uint64_t ticket, const instants& t);
  void end(std::uint64_t ticket, const quota_end& how, const instants& t);

  /// Every scope that has a limit which is enforced.
  std::vector<quota_room> rooms(const instants& t);
  std::vector<quota_use> uses(const instants& t);
  std::size_t in_flight() const;

  /// True when so little is left below the ceiling that the next record should be written now,
  /// before somebody has to wait for it.
  bool should_write() const;
  /// The record to write; `ceilings` in it are raised by a block: an eighth of the smallest
  /// limit, from 1 to 64 calls. What it allows counts after `allow`. `last`: the record of a
  /// clean end, whose ceilings are what was granted.
  quota_record record(const instants& t, bool last = false) const;
  /// `r` is safe on disk.
  void allow(const quota_record& r);

  /// Starts from what was kept. What lies between counts and ceilings is charged in full.
  void restore(const quota_record& r, const instants& t);

private:
  // The implementer's; see quota.cpp.
  quota_policy policy_;
};

} // namespace troupe
