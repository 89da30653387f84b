#pragma once

// What is counted for one model, or for all models together, and the limits on it.
//
// Limits are only amounts: what they measure is logged once per scope, whatever limits there
// are, so that a limit that comes later finds what was used before it.

#include "actors/core/instants.hpp"
#include "actors/core/quota_days.hpp"
#include "actors/core/quota_log.hpp"
#include "protocol/base/limit.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace troupe {

/// Now, and on which days a call counts that leaves now.
struct quota_moment {
  instants t;
  day_pair days;
  duration margin;
  const day_clock* clock;
};

/// The tokens of one call.
struct quota_tokens {
  std::uint64_t input = 0;
  std::uint64_t output = 0;

  friend bool operator==(const quota_tokens&, const quota_tokens&) = default;
};

/// One day on which a call counts.
struct counted_day {
  wall_time end{};
  bool call = false;        ///< the call and its input count here; else only its output
  bool provisional = false; ///< it may still leave on this day, but has not been seen to
};

/// Where a call that has not ended is counted.
struct counted_call {
  time_point at{};
  quota_tokens reserved;
  std::vector<counted_day>::size_type days = 0; ///< how many of `day` count
  counted_day day[2];

  std::span<const counted_day> counted() const { return {day, days}; }
};

/// When a call fits, as far as one limit is concerned.
struct quota_wait {
  time_point at{};
  bool per_day = false;
  limit_kind why = limit_kind::rpm;
};

struct scope_limit {
  limit_kind kind = limit_kind::rpm;
  limit_source source = limit_source::declared;
  std::uint64_t amount = 0;
  wall_time learnt_at{}; ///< unless declared

  bool enforced() const { return source != limit_source::estimated; }
};

constexpr bool is_daily(limit_kind kind) {
  return kind == limit_kind::rpd || kind == limit_kind::tpd;
}

constexpr bool is_of_calls(limit_kind kind) {
  return kind == limit_kind::rpm || kind == limit_kind::rpd;
}

constexpr bool is_of_tokens(limit_kind kind) {
  return !is_of_calls(kind) && kind != limit_kind::concurrency;
}

class quota_scope {
public:
  quota_scope(std::string model, duration span);

  const std::string& model() const { return model_; }
  std::vector<scope_limit>& limits() { return limits_; }
  const std::vector<scope_limit>& limits() const { return limits_; }
  scope_limit* limit_of(limit_kind kind);

  bool enforced() const; ///< some limit is
  bool counts_calls() const;
  bool counts_tokens() const;
  /// Nothing is known of it that anybody could miss.
  bool forgettable(const quota_moment& m);

  /// The latest of the instants at which each limit has room for the call.
  quota_wait fits_at(quota_tokens call, const quota_moment& m);
  /// How many usual calls one limit has room for, at present and once `then` has come.
  std::uint64_t room(const scope_limit& l, const quota_moment& m);
  std::uint64_t room_at(const scope_limit& l, time_point then, const quota_moment& m);
  std::uint64_t capacity(const scope_limit& l) const;
  /// The reservation of a usual call, at least one token each.
  quota_tokens usual() const;

  std::uint64_t used(limit_kind kind, const quota_moment& m);
  std::uint64_t excess(limit_kind kind) const;
  /// When something of what `used` gave is free again; now if only the end of a call frees it.
  time_point next_free(limit_kind kind, const quota_moment& m) const;

  void begin(const counted_call& c);
  /// The call leaves at `at`, on other days than thought.
  void move(const counted_call& from, const counted_call& to);
  void count_day(const counted_call& c, const counted_day& d);
  void end_unsent(const counted_call& c);
  void end(const counted_call& c, quota_tokens used, time_point now);
  /// Ends a call of which nobody knows yet what it will have produced.
  void end_unknown(const counted_call& c);

  /// Calls and tokens of which only this is known: not later than `at`, on one of `days`.
  void charge(std::uint64_t calls, std::uint64_t tokens, time_point at,
              std::span<const wall_time> days);
  void change_span(duration span);

  /// What is logged of minutes: calls, input, output, and tokens that may be either.
  quota_log& log(limit_kind kind);
  quota_days& days() { return days_; }
  const quota_days& days() const { return days_; }

private:
  std::uint64_t need(const scope_limit& l, quota_tokens call) const;
  std::uint64_t on_day(limit_kind kind, wall_time end) const;
  time_point minute_free(limit_kind kind, std::uint64_t amount) const;
  time_point day_free(const scope_limit& l, std::uint64_t need, const quota_moment& m) const;
  std::uint64_t left_by(limit_kind kind, time_point then) const;
  void take_days(const counted_call& c);

  std::string model_;
  std::vector<scope_limit> limits_;
  quota_log calls_, input_, output_, tokens_;
  quota_days days_;
  std::uint64_t in_flight_ = 0;
  std::uint64_t output_held_ = 0; ///< reserved by calls in flight
  quota_tokens usual_;            ///< reservation of a call, moving average
  quota_tokens excess_;
};

} // namespace troupe
