#pragma once

// Builds a whole database out of what can be read of a damaged one. See
// docs/decisions/0013-corruption-is-told-and-survived.md.

#include "storage/store.hpp"

#include <string>
#include <vector>

namespace troupe::storage {

/// Replaces the damaged database of a data directory by one of everything that could be read of
/// it, and keeps the damaged one beside it as `db.damaged-N`. Tells, in words for an operator,
/// what was lost. A failure leaves everything as it was: `corrupt` if nothing can be rescued.
result<std::vector<std::string>> salvage(const store_options& options, const std::string& why);

} // namespace troupe::storage
