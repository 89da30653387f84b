#pragma once

#include "actors/admin/credential_body.hpp"
#include "actors/inventory/inventory_messages.hpp"

#include <cstdint>
#include <string>
#include <vector>

// Credentials as JSON. `now_ms`: wall clock, to tell which have expired.

namespace troupe {

std::string credential_document(const credential_view& c, std::int64_t now_ms);

/// `{"credentials":[...]}`: those that `filter` takes.
std::string credential_list_document(const std::vector<credential_view>& all,
                                     const credential_filter& filter, std::int64_t now_ms);

/// `{"credential":{...},"secret":"..."}`: the one document that holds a secret.
std::string new_credential_document(const new_credential& made, std::int64_t now_ms);

} // namespace troupe
