#pragma once

// The circuit breaker of one upstream host, or of one model on it.
//
// An upstream that is down answers every key alike. While most calls fail, more calls help
// nobody: the breaker opens, and requests fail or go elsewhere at once, without a key being
// touched. After a pause a few probes go through; if they succeed it closes, and the load
// grows back over a while, because an upstream that has just come up falls over again under
// all that was waiting for it.
//
//   closed ── enough calls failed ──> open ── pause over ──> half_open ── probes ok ──> closed
//                                      ^───────── one probe failed ─────────┘
//
// A result counts only in the state in which its call began: calls carry a generation, which
// every change of state raises. So the failures of calls that began before it opened do not
// condemn the probes. A probe whose result is never told gives its place back after `open_max`.

#include "protocol/base/time.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

enum class breaker_state : std::uint8_t { closed, open, half_open };

std::string_view to_string(breaker_state s); ///< `closed`, `open`, `half_open`

struct breaker_policy {
  /// Within `window`, before a share of failures counts. So many failures in a row open it too,
  /// over however long a time.
  std::uint32_t calls_min = 10;
  std::uint32_t failures_percent = 50; ///< of the calls within `window`: it opens
  duration window = std::chrono::seconds{10};
  duration open_min = std::chrono::seconds{2};    ///< the first pause; doubles each time it opens
  duration open_max = std::chrono::seconds{60};   ///< again without having been well in between
  std::uint32_t probes = 2;                       ///< at a time, and successes in a row to close
  duration slow_start = std::chrono::seconds{10}; ///< from 10 % of the calls to all

  friend bool operator==(const breaker_policy&, const breaker_policy&) = default;
};

/// How a call ended, as far as the upstream is concerned.
enum class breaker_outcome : std::uint8_t {
  ok,
  failed,
  neutral, ///< says nothing: cancelled, or never sent. A probe gives its place back.
};

struct breaker_pass {
  bool allowed = false;
  std::uint32_t generation = 0; ///< `allowed`: to be told with the call's outcome
  duration retry_in{};          ///< not allowed: when asking again makes sense; never 0
};

/// For people.
struct breaker_description {
  breaker_state state = breaker_state::closed;
  time_point since{};         ///< of the state; the beginning of time: it was never left
  std::string why;            ///< in words; empty: closed, and all calls are let through
  std::uint32_t calls = 0;    ///< within the window, as far as they have ended
  std::uint32_t failures = 0; ///< of these
  duration retry_in{};        ///< open: until the first probe; 0: the next call is one
};

/// A value. Jitters are drawn evenly from [0, 1).
class breaker {
public:
  explicit breaker(breaker_policy policy = {}) : policy_(policy) {}

  /// A pause that has begun keeps its end.
  void change_policy(const breaker_policy& policy);

  /// Whether a call may begin. Each allowed one is told to `note` once, however it ends.
  breaker_pass allow(time_point now, double jitter);
  /// @param generation  what `allow` gave for this call
  /// @param jitter      spreads a pause that begins now over 75 to 125 %
  void note(std::uint32_t generation, breaker_outcome what, time_point now, double jitter);

  /// The state as it is until somebody asks: an open one whose pause is over is `open`.
  breaker_state state() const { return state_; }
  breaker_description describe(time_point now) const;

private:
  static constexpr std::size_t buckets = 10;
  struct bucket {
    std::int64_t span = -1; ///< which tenth of a window since the beginning of time
    std::uint32_t calls = 0;
    std::uint32_t failures = 0;
  };
  struct tally {
    std::uint32_t calls = 0;
    std::uint32_t failures = 0;
  };

  std::int64_t span_of(time_point now) const;
  tally within_window(time_point now) const;
  void count(bool failed, time_point now);
  bool must_open(time_point now); // and why
  void enter(breaker_state s, time_point now);
  void open(time_point now, double jitter);
  void close(time_point now);
  double share(time_point now) const; ///< of the calls that are let through
  std::uint32_t probes_max() const { return std::max(policy_.probes, 1U); }
  breaker_pass allow_closed(time_point now, double jitter) const;
  breaker_pass allow_probe(time_point now);
  void note_probe(breaker_outcome what, time_point now, double jitter);

  breaker_policy policy_;
  breaker_state state_ = breaker_state::closed;
  std::uint32_t generation_ = 0;
  time_point since_{};
  std::array<bucket, buckets> window_{};
  std::uint32_t failed_in_a_row_ = 0;
  std::uint32_t opened_ = 0;     ///< in a row, without having been well in between
  time_point open_until_{};      ///< meaningful only while open
  time_point slow_until_{};      ///< after closing: end of the slow start
  std::string why_;              ///< it opened
  std::uint32_t probes_out_ = 0; ///< half open: under way
  std::uint32_t probes_ok_ = 0;  ///< half open: in a row
  time_point probed_at_{};       ///< when the last probe began
};

} // namespace troupe
