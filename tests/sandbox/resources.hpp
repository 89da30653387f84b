#pragma once

#include "sandbox/clock.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

/// What a key has made and only that key may use: `resp_...`, `cachedContents/...`.
struct resource {
  std::string name;
  std::string key;
  std::string model;
  std::uint64_t tokens = 0;
  instant made{};
};

/// All of them, a bounded number. Guarded by its owner.
class resources {
public:
  static constexpr std::size_t count_max = 100'000; ///< beyond it the oldest are forgotten

  void keep(resource r) {
    order_.push_back(r.name);
    auto name = r.name;
    all_.insert_or_assign(std::move(name), std::move(r));
    if (order_.size() > count_max) {
      all_.erase(order_.front());
      order_.pop_front();
    }
  }
  std::optional<resource> find(std::string_view name, std::string_view key) const {
    const auto found = all_.find(name);
    if (found == all_.end() || found->second.key != key)
      return {};
    return found->second;
  }
  bool drop(std::string_view name, std::string_view key) {
    const auto found = all_.find(name);
    if (found == all_.end() || found->second.key != key)
      return false;
    all_.erase(found);
    return true;
  }
  std::vector<resource> of(std::string_view key, std::string_view prefix) const {
    std::vector<resource> list;
    for (auto at = all_.lower_bound(prefix); at != all_.end() && at->first.starts_with(prefix);
         ++at)
      if (at->second.key == key)
        list.push_back(at->second);
    return list;
  }
  void clear() {
    all_.clear();
    order_.clear();
  }

private:
  std::map<std::string, resource, std::less<>> all_;
  std::deque<std::string> order_;
};

} // namespace sandbox
