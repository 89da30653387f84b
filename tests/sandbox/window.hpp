#pragma once

#include "sandbox/clock.hpp"

#include <cstdint>
#include <deque>

namespace sandbox {

/// Amounts with their times, added up exactly over a window that slides. A value without a clock.
class sliding_sum {
public:
  struct entry {
    instant at;
    std::uint64_t amount;
  };

  /// Forgets what is one window old. Windows are half open: what happened exactly one window ago
  /// is outside.
  void forget(instant t, duration window) {
    while (!entries_.empty() && entries_.front().at <= t - window)
      drop_oldest();
  }
  void add(instant t, std::uint64_t amount) {
    entries_.push_back({t, amount});
    sum_ += amount;
  }
  void drop_oldest() {
    sum_ -= entries_.front().amount;
    entries_.pop_front();
  }
  /// When the sum will be `most` or less, if nothing is added.
  instant falls_to(std::uint64_t most, duration window, instant t) const {
    auto left = sum_;
    for (const auto& e : entries_) {
      if (left <= most)
        break;
      left -= e.amount;
      t = e.at + window;
    }
    return t;
  }

  std::uint64_t sum() const { return sum_; }
  std::size_t size() const { return entries_.size(); }
  const std::deque<entry>& entries() const { return entries_; }

private:
  std::deque<entry> entries_;
  std::uint64_t sum_ = 0;
};

} // namespace sandbox
