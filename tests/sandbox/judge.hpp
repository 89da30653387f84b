#pragma once

#include "sandbox/json.hpp"
#include "sandbox/limiter.hpp"
#include "sandbox/window.hpp"

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

/// Judges whoever calls, from what arrives and nothing else.
///
/// Two questions. *Violation*: did an arrival bring the number of arrivals
/// within a declared limit's window above the limit? Every arrival counts, also
/// one that was refused or failed, because a gateway that keeps to a limit never
/// has one refused. *Early call*: did a key's model get a call after a refusal
/// was fully delivered, plus a grace for calls already on their way, and before
/// the time that the refusal announced?
///
/// Of tokens, an arrival's own input counts when it arrives and its output when the answer has
/// ended. An arrival that finds a limit of output used up violates it. An *overrun* is the end of
/// an answer that brought a limit's tokens above it: whoever reserves what an answer may become has
/// none, but an answer longer than it was allowed to be is not the caller's fault, so they are told
/// apart.
///
/// Neither the limiter's accounts nor the gateway's are consulted. A judge that
/// never finds anything proves nothing, so `plant` sends one of each through the
/// same code, under a key of its own, and the report tells what became of them.
///
/// A plain value; times come in as arguments, never decreasing.
class judge {
public:
  struct options {
    duration grace = std::chrono::milliseconds{100};
    std::size_t evidence_max = 100;
    std::size_t window_arrivals_max = 1'000'000;
    std::size_t refusals_max = 1'000; ///< per key and model
  };

  static constexpr std::string_view planted_key = "sandbox-planted";

  judge();
  explicit judge(options o);

  /// A call that spends a quota arrived.
  void arrived(const std::vector<applied_limit>& limits, std::string_view key,
               std::string_view model, instant t, std::uint64_t input_tokens = 0);
  /// Its answer has ended, with so many tokens of output, or was refused.
  void ended(const std::vector<applied_limit>& limits, std::string_view key, std::string_view model,
             instant t, std::uint64_t output_tokens);
  /// A refusal of such a call was fully delivered; it announced `until`.
  void refused(std::string_view key, std::string_view model, instant delivered, instant until);

  void plant(bool violation, bool early, instant t);

  json report() const;
  void set_grace(duration grace) { options_.grace = grace; }
  void clear();

private:
  struct watch { ///< over one limit's domain
    applied_limit limit;
    sliding_sum seen; ///< of the present window
    std::uint64_t today = 0;
    std::uint64_t at_once = 0;
    instant day_begins{};
    instant day_ends{};
    std::uint64_t arrivals = 0;
    std::uint64_t most = 0; ///< in any one window
    std::uint64_t violations = 0;
    std::uint64_t overruns = 0;
    bool blind = false; ///< more arrivals than it can hold
  };
  struct announcement {
    instant delivered;
    instant until;
  };
  struct tally {
    std::uint64_t planted = 0;
    std::uint64_t found = 0;
  };

  watch& watched(const applied_limit& l, instant t);
  /// What the limit's present window, day or moment holds, with `amount` more.
  std::uint64_t add(watch& w, instant t, std::uint64_t amount);
  void check_limit(const applied_limit& l, std::string_view key, std::string_view model, instant t,
                   std::uint64_t input_tokens);
  void check_early(std::string_view key, std::string_view model, instant t);
  void note_limit(const char* kind, const watch& w, std::string_view key, std::string_view model,
                  instant t, std::uint64_t in_window);
  void note(json what);

  options options_;
  std::map<std::string, watch, std::less<>> watches_;
  std::map<std::string, std::vector<announcement>, std::less<>> announced_;
  std::uint64_t violations_ = 0;
  std::uint64_t overruns_ = 0;
  std::uint64_t early_ = 0;
  std::uint64_t refusals_ = 0;
  std::uint64_t forgotten_ = 0; ///< announcements dropped for want of room
  std::uint64_t plants_ = 0;
  tally planted_violations_;
  tally planted_early_;
  std::vector<std::string> evidence_; ///< JSON texts
};

} // namespace sandbox
