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
// A call that is granted may leave late, on the next day even, and says so only then. So while it
// is young it also counts on a day that begins meanwhile, until it ends; after a minute without
// `sent_late` it is taken to have left when it was granted.
//
// Nothing is granted that is not allowed on disk: `ceiling` is how many calls and tokens may be
// granted before the next record is safe there. What a crash leaves unknown is what lies between
// the last record and its ceiling; `restore` charges all of it, at the latest instant at which
// it can have happened. Calls that were young and in flight when the record was made are part of
// the unknown.
//
// Minutes live on the monotonic clock alone, days on the wall clock alone.

#include "actors/core/instants.hpp"
#include "actors/core/quota_room.hpp"
#include "actors/core/quota_scope.hpp"
#include "protocol/base/day_clock.hpp"
#include "protocol/base/limit.hpp"
#include "protocol/base/quota_record.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
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
  /// `granted`: names the call until its end; never 0. Calls that no limit concerns share one.
  std::uint64_t ticket = 0;
  bool must_write = false; ///< not granted, because more must be allowed on disk first
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

/// A value. Costs a few hundred bytes, and as much again for each model that has a limit.
class quota_ledger {
public:
  static constexpr time_point never = quota_room::never;

  explicit quota_ledger(quota_policy policy = {});

  /// The operator's limits from now on, whole. What is used stays used: lowered below it, a
  /// limit grants nothing until enough has left its window.
  void declare(std::vector<limit> limits, const instants& t);
  void change_policy(quota_policy policy);

  /// A limit that the upstream told or that was estimated. False: nothing changed, because it is
  /// declared or known. A told limit replaces an estimate. An estimate only ever grows by later
  /// estimates, until it is forgotten.
  bool learn(const limit& what, limit_source source, const instants& t);

  /// True: no limit is enforced, `admit` grants everything and counts nothing.
  bool unlimited() const;

  quota_verdict admit(const quota_call& call, const instants& t);
  /// The call's first byte leaves only now. Not later than a minute after it was granted: by then
  /// its place has been given to others, and it counts beyond the limit.
  void sent_late(std::uint64_t ticket, const instants& t);
  /// The call is over. A ticket that is not known, because the ledger is a new one, is ignored.
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
  /// `r` is safe on disk, and the last that is.
  void allow(const quota_record& r);

  /// Starts from what was kept, before or after `declare`. What lies between counts and ceilings is
  /// charged in full to every limit there is when the first call comes.
  void restore(const quota_record& r, const instants& t);

private:
  static constexpr std::size_t scopes_of_a_call = 2; ///< its model's, and that of all models

  struct open_call {
    counted_call counted;
    std::array<std::uint32_t, scopes_of_a_call> scopes{};
    std::uint32_t scope_count = 0;
    std::uint32_t generation = 0;
    bool open = false;
  };

  /// Charged when the limits are known.
  struct unknown {
    std::uint64_t calls = 0;
    std::uint64_t tokens = 0;
    time_point at{};
    std::vector<wall_time> days;

    void charge_to(std::vector<quota_scope>& scopes) const;
  };

  duration span() const;
  quota_moment moment(const instants& t);
  /// The moment, after everything that is due by then.
  quota_moment ready(const instants& t);
  void enter_days(const day_pair& days, const instants& t);
  void carry(open_call& c, wall_time end, const instants& t);
  void count_days_anew(const day_pair& days);

  quota_scope& scope_of(std::string_view model, const quota_moment& m);
  void recount(const quota_moment& m);
  void forget(const quota_moment& m);
  void drop_oldest_learnt();
  std::size_t learnt() const;
  std::uint64_t tokens_block() const;

  std::uint64_t open(const open_call& c);
  open_call* find(std::uint64_t ticket);

  void restore_window(const quota_record::window& w, const quota_moment& m);
  void restore_learnt(const quota_record& r, const quota_moment& m);

  quota_policy policy_;
  std::vector<quota_scope> scopes_;   ///< one keeps its place while calls are counted in it
  std::vector<open_call> open_calls_; ///< a place is used again for a later call
  std::vector<std::uint32_t> free_places_;
  std::uint32_t generation_ = 0;

  day_pair days_{};
  std::optional<day_pair> replaced_days_; ///< of the day clock before the present one
  wall_time days_from_{}, days_until_{};  ///< when `days_` holds, found out the last time

  std::size_t enforced_ = 0; ///< limits
  std::uint64_t calls_block_ = 0;
  std::uint64_t tokens_limit_min_ = std::numeric_limits<std::uint64_t>::max();
  wall_time forget_at_ = wall_time::max();
  std::optional<unknown> unknown_;

  std::uint64_t calls_ = 0, calls_ceiling_ = 0;
  std::uint64_t tokens_ = 0, tokens_ceiling_ = 0;
  std::uint64_t usual_tokens_ = 0; ///< of a large call: follows the largest and sinks slowly
};

} // namespace troupe
