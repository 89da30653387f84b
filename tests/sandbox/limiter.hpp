#pragma once

#include "sandbox/script.hpp"
#include "sandbox/window.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace sandbox {

/// One limit as it holds for one arrival: who shares it, and how much it allows.
struct applied_limit {
  std::string domain; ///< "key=K model=M" and the like
  std::uint64_t allowed = 0;
  duration window{};
  bool until_midnight = false;
  measure counts = measure::requests;
};

/// True for the limits that have something to learn when an answer has ended.
bool settles(const applied_limit& l);

/// Why a request is refused, and when the allowance has room again.
struct refusal {
  std::uint64_t allowed = 0;
  bool until_midnight = false;
  duration retry{}; ///< zero: nobody knows, as of requests at one time
  measure counts = measure::requests;
  std::uint64_t used = 0;
};

/// How much of a limit is left, for the headers that tell it.
struct standing {
  measure counts = measure::requests;
  bool until_midnight = false;
  std::uint64_t allowed = 0;
  std::uint64_t left = 0;
  duration reset{}; ///< until nothing of it is used
};

/// Enforces declared limits, as an upstream does: what it refuses does not
/// count. A value without a clock, guarded by its owner.
class limiter {
public:
  /// Takes the arrival into account of every limit, or into none and says which
  /// one is exhausted longest.
  std::optional<refusal> admit(const std::vector<applied_limit>& limits, std::uint64_t input_tokens,
                               instant t);
  /// An admitted request has ended; so many tokens were made for it.
  void ended(const std::vector<applied_limit>& limits, std::uint64_t output_tokens, instant t);
  std::vector<standing> standings(const std::vector<applied_limit>& limits, instant t);
  void clear() { taken_.clear(); }

private:
  struct account {
    sliding_sum within; ///< of the present window
    instant day_ends{};
    std::uint64_t today = 0;
    std::uint64_t in_flight = 0;
  };
  account& at(const applied_limit& l, instant t);
  static std::optional<refusal> ask(const account& a, const applied_limit& l, std::uint64_t input,
                                    instant t);
  static void charge(account& a, const applied_limit& l, std::uint64_t amount, instant t);

  std::unordered_map<std::string, account> taken_;
};

} // namespace sandbox
