#pragma once

#include "actors/core/quota.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

using namespace std::chrono_literals;

constexpr time_point quota_t0{10h};
/// Noon in Los Angeles, in winter.
constexpr wall_time quota_noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 25} + 20h};
constexpr wall_time quota_midnight = quota_noon + 12h;

/// So long after noon, on both clocks.
inline instants after(duration d) {
  return {quota_t0 + d, quota_noon + std::chrono::floor<std::chrono::milliseconds>(d)};
}

/// A ledger whose records are safe on disk as soon as they are asked for.
class ledger_on_disk {
public:
  explicit ledger_on_disk(std::vector<limit> limits, quota_policy policy = {})
      : ledger(std::move(policy)) {
    ledger.declare(std::move(limits), after(0s));
  }

  quota_verdict admit(duration at, std::string_view model = "m", std::uint64_t input = 0,
                      std::uint64_t output = 0) {
    const auto verdict = ledger.admit({model, input, output}, after(at));
    if (!verdict.must_write)
      return verdict;
    ledger.allow(ledger.record(after(at)));
    return ledger.admit({model, input, output}, after(at));
  }

  /// Grants one after the other until one is refused.
  int granted(duration at, std::string_view model = "m") {
    int count = 0;
    while (admit(at, model).granted)
      ++count;
    return count;
  }

  void end(const quota_verdict& v, duration at, quota_end how = {}) {
    ledger.end(v.ticket, how, after(at));
  }

  /// What the limit of this kind has used.
  std::uint64_t used(duration at, limit_kind kind, std::string_view model = "") {
    for (const auto& use : ledger.uses(after(at)))
      if (use.limit.what.kind == kind && use.limit.what.model == model)
        return use.used;
    ADD_FAILURE() << "no such limit";
    return 0;
  }

  quota_ledger ledger;
};

} // namespace troupe
