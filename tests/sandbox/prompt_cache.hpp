#pragma once

#include "sandbox/clock.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sandbox {

/// Beginnings of prompts that a key has lately seen on a model, as an upstream's prompt cache
/// remembers them: each for so long after its last use. A value without a clock.
class prompt_cache {
public:
  static constexpr std::size_t entries_max = 200'000; ///< beyond it the oldest are forgotten

  /// True when this beginning was seen within `lasts`; it is seen now in any case.
  bool see(std::string_view key, std::string_view model, std::uint64_t prefix, instant t,
           duration lasts) {
    auto name = std::to_string(prefix);
    name += '\n';
    name += key;
    name += '\n';
    name += model;
    const auto [at, is_new] = seen_.try_emplace(std::move(name), t);
    if (!is_new) {
      const bool fresh = t - at->second < lasts;
      at->second = t;
      return fresh;
    }
    order_.push_back(at->first);
    if (order_.size() > entries_max) {
      seen_.erase(order_.front());
      order_.pop_front();
    }
    return false;
  }
  void clear() {
    seen_.clear();
    order_.clear();
  }

private:
  std::unordered_map<std::string, instant> seen_;
  std::deque<std::string> order_; ///< of first sight
};

} // namespace sandbox
