#pragma once

#include "protocol/base/quota_record.hpp"
#include "protocol/base/result.hpp"
#include "storage/core/record_layout.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::storage {

/// The rows of quota ledgers stand in the same column, under names of their own: longer than those
/// of keys.
constexpr std::string_view quota_prefix = "quota/";

struct key_states {
  std::unordered_map<std::uint64_t, key_state_record> of;
  std::map<std::string, quota_record> quotas; ///< by row
  /// Rows that could not be read, in words. Their keys start without a past: a gateway that
  /// will not start for one damaged row serves nobody.
  std::vector<std::string> unreadable;
};

/// The state of every key and ledger, for a start. Fails only if the column cannot be read.
result<key_states> load_key_states(const store& from);

} // namespace troupe::storage
