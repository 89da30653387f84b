#pragma once

#include "protocol/base/result.hpp"
#include "storage/core/record_layout.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::storage {

struct key_states {
  std::unordered_map<std::uint64_t, key_state_record> of;
  /// Rows that could not be read, in words. Their keys start without a past: a gateway that
  /// will not start for one damaged row serves nobody.
  std::vector<std::string> unreadable;
};

/// The state of every key, for a start. Fails only if the column cannot be read.
result<key_states> load_key_states(const store& from);

} // namespace troupe::storage
