#pragma once

#include "protocol/base/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

/// Many coarse deadlines for the price of one timer.
///
/// Every connection has a deadline that moves several times per request and is hardly ever
/// reached. A kernel timer for each would cost a system call per move, so a deadline here
/// is a number in a `timeout`, filed in a slot of the wheel. Moving it to a later time is a
/// plain store: the entry stays where it is, and when its slot comes up it is filed again
/// according to what the number says by then. Only a move to before the filed slot touches
/// the wheel, and only a slot before all others makes the wheel ask for an earlier wake-up.
///
/// Invariant: an entry is filed no later than the slot of its deadline. Deadlines are never
/// early; they are late by at most one `tick`, and by what the wake-up itself is late.

namespace troupe::http {

class timeout_wheel;

namespace detail {

struct wheel_link {
  wheel_link* next = this;
  wheel_link* previous = this;

  wheel_link() = default;
  wheel_link(const wheel_link&) = delete;
  wheel_link& operator=(const wheel_link&) = delete;
  void unlink();
  void link_before(wheel_link& position);
  bool alone() const { return next == this; }
};

} // namespace detail

/// One deadline of one owner. Calls `on_due(argument)` once when it has passed; the call
/// may set it anew, destroy it, or touch any other timeout. Leaves its wheel when
/// destroyed. Loop's thread.
class timeout : private detail::wheel_link {
public:
  using function = void (*)(void*);

  timeout(timeout_wheel& wheel, function on_due, void* argument)
      : wheel_(&wheel), on_due_(on_due), argument_(argument) {}
  ~timeout() { unlink(); }
  timeout(const timeout&) = delete;
  timeout& operator=(const timeout&) = delete;

  void set(time_point deadline);

  /// A plain store: the entry is dropped when its slot comes up.
  void clear() { deadline_ = time_point::max(); }

  bool is_set() const { return deadline_ != time_point::max(); }
  time_point deadline() const { return deadline_; }

private:
  friend class timeout_wheel;
  timeout_wheel* wheel_;
  function on_due_;
  void* argument_;
  time_point deadline_ = time_point::max();
  std::int64_t filed_ = 0; ///< the tick of its slot; meaningful while linked
};

/// The deadlines of one loop. Knows no clock: the owner calls `advance`. Loop's thread.
class timeout_wheel {
public:
  static constexpr duration tick = std::chrono::milliseconds{64};

  /// `wake_by(argument, when)` asks the owner to call `advance` at `when` or soon after,
  /// instead of at any later time asked for before.
  using wake_function = void (*)(void* argument, time_point when);

  timeout_wheel(time_point now, wake_function wake_by, void* argument);
  ~timeout_wheel(); ///< what is still filed will never be due
  timeout_wheel(const timeout_wheel&) = delete;
  timeout_wheel& operator=(const timeout_wheel&) = delete;

  /// Calls every timeout that is due at `now`, then asks to be woken for the next slot in
  /// use, or for nothing when there is none.
  void advance(time_point now);

  /// When the earliest slot in use ends. An entry may turn out to be not yet due then.
  std::optional<time_point> next_wake() const;

private:
  friend class timeout;
  static constexpr std::size_t slots = 1024; ///< 65 s; what lies further is filed again

  void file(timeout& entry);
  std::optional<std::int64_t> earliest() const;

  wake_function wake_by_;
  void* argument_;
  std::int64_t done_;    ///< every tick up to here has been dealt with
  std::int64_t wake_at_; ///< tick of the wake-up asked for, or `no_wake`
  std::array<detail::wheel_link, slots> heads_;
  std::array<std::uint64_t, slots / 64> used_{}; ///< may have stale ones, never stale zeros
};

} // namespace troupe::http
