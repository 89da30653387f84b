#pragma once

#include "actors/core/quota.hpp"
#include "actors/key/key_types.hpp"
#include "actors/messages.hpp"

#include <caf/atom.hpp>

#include <cstdint>
#include <string>
#include <vector>

// Quotas as they travel and as they are kept.

namespace troupe {

/// To oneself: more is allowed now, look at who waits for it.
using allowed_atom = caf::atom_constant<caf::atom("allowed")>;

/// Milliseconds until `until`, rounded up; -1 for `quota_room::never`.
std::int64_t wait_word(time_point until, time_point now);
/// The inverse.
time_point instant_of(std::int64_t wait_ms, time_point now);

std::vector<room_word> to_words(const std::vector<quota_room>& rooms, time_point now);
std::vector<quota_room> from_words(const std::vector<room_word>& words, time_point now);

std::vector<limit_status> to_status(const std::vector<quota_use>& uses);

/// The row of a ledger: of a key, a named domain, a credential.
std::string quota_row_of_key(std::uint64_t key);
std::string quota_row_of_domain(const std::string& name);
std::string quota_row_of_credential(std::uint64_t id);

} // namespace troupe
