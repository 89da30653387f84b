#pragma once

#include "sandbox/script.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

namespace sandbox {

/// One limit as it holds for one arrival: who shares it, and how much it allows.
struct applied_limit {
  std::string domain; ///< "key=K model=M" and the like
  std::uint64_t requests = 0;
  duration window{};
  bool until_midnight = false;
};

/// Why a request is refused, and when the allowance has room again.
struct refusal {
  std::uint64_t allowed = 0;
  bool until_midnight = false;
  duration retry{};
};

/// Enforces declared limits, as an upstream does: what it refuses does not
/// count. A value without a clock, guarded by its owner.
class limiter {
public:
  /// Takes the arrival into account of every limit, or into none and says which
  /// one is exhausted longest.
  std::optional<refusal> admit(const std::vector<applied_limit>& limits, instant t);
  void clear() { taken_.clear(); }

private:
  struct account {
    std::deque<instant> within; ///< of the present window
    instant day_ends{};
    std::uint64_t today = 0;
  };
  static std::optional<refusal> ask(account& a, const applied_limit& l, instant t);

  std::unordered_map<std::string, account> taken_;
};

} // namespace sandbox
