#pragma once

#include "tests/actors/core/quota_support.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// The upstream, as a test sees it: it counts what arrives, and shares nothing with the ledger.
class quota_judge {
public:
  struct used {
    duration at{}; ///< after noon, at the upstream
    std::string model;
    std::uint64_t amount = 0;
  };
  struct stay {
    duration from{};
    duration until{};
    std::string model;
  };

  void arrived(duration at, const std::string& model, std::uint64_t input) {
    calls_.push_back({at, model, 1});
    input_.push_back({at, model, input});
    tokens_.push_back({at, model, input});
  }
  void produced(duration at, const std::string& model, std::uint64_t output) {
    output_.push_back({at, model, output});
    tokens_.push_back({at, model, output});
  }
  void stayed(stay s) { stays_.push_back(std::move(s)); }

  std::size_t calls() const { return calls_.size(); }

  void expect_within(const limit& l) {
    SCOPED_TRACE(std::string{to_string(l.kind)} + " " + l.model + " " + std::to_string(l.amount));
    switch (l.kind) {
    case limit_kind::rpm:
      return expect_minutes(calls_, l);
    case limit_kind::tpm:
      return expect_minutes(tokens_, l);
    case limit_kind::input_tpm:
      return expect_minutes(input_, l);
    case limit_kind::output_tpm:
      return expect_minutes(output_, l);
    case limit_kind::rpd:
      return expect_days(calls_, l);
    case limit_kind::tpd:
      return expect_days(tokens_, l);
    case limit_kind::concurrency:
      return expect_stays(l);
    }
  }

private:
  static bool concerns(const limit& l, const std::string& model) {
    return l.model.empty() || l.model == model;
  }

  static void expect_minutes(std::vector<used> all, const limit& l) {
    std::erase_if(all, [&](const used& u) { return !concerns(l, u.model); });
    std::ranges::sort(all, {}, &used::at);
    std::uint64_t sum = 0;
    std::size_t first = 0;
    for (const auto& u : all) {
      sum += u.amount;
      while (all[first].at + 60s <= u.at)
        sum -= all[first++].amount;
      ASSERT_LE(sum, l.amount) << "in the minute before " << u.at.count() << " ns";
    }
  }

  static void expect_days(const std::vector<used>& all, const limit& l) {
    std::map<wall_time, std::uint64_t> days;
    for (const auto& u : all)
      if (concerns(l, u.model))
        days[day_clock{}.next_midnight(after(u.at).wall)] += u.amount;
    for (const auto& [end, sum] : days)
      ASSERT_LE(sum, l.amount) << "on the day that ends " << end.time_since_epoch().count();
  }

  void expect_stays(const limit& l) const {
    std::vector<std::pair<duration, int>> steps;
    for (const auto& s : stays_)
      if (concerns(l, s.model)) {
        steps.emplace_back(s.from, 1);
        steps.emplace_back(s.until, -1);
      }
    std::ranges::sort(steps); // who leaves at an instant leaves before another comes
    std::int64_t there = 0;
    for (const auto& [at, step] : steps)
      ASSERT_LE(there += step, static_cast<std::int64_t>(l.amount)) << at.count() << " ns";
  }

  std::vector<used> calls_, input_, output_, tokens_;
  std::vector<stay> stays_;
};

} // namespace troupe
