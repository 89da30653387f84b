#pragma once

#include "actors/key/pool_key.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// What has to happen in the node after a change was stored, before it is answered.
struct effects {
  std::vector<pool_key> added;          ///< new to the pool, or changed
  std::vector<std::uint64_t> removed;   ///< deleted: their state goes too
  std::vector<std::uint64_t> set_aside; ///< they have no upstream now: their state stays
  bool settings = false;
  bool credentials = false;

  bool none() const {
    return added.empty() && removed.empty() && set_aside.empty() && !settings && !credentials;
  }
};

/// The numbers under which pool and fronts know upstreams: a name has the same one while the
/// process runs, and no other name ever gets it.
class upstream_numbers {
public:
  std::uint32_t of(const std::string& name) {
    const auto at = std::ranges::find(names_, name);
    if (at == names_.end()) {
      names_.push_back(name);
      return static_cast<std::uint32_t>(names_.size() - 1);
    }
    return static_cast<std::uint32_t>(at - names_.begin());
  }

private:
  std::vector<std::string> names_;
};

} // namespace troupe
