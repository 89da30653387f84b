#pragma once

#include "actors/messages.hpp"

#include <string>
#include <vector>

namespace troupe {

/// `GET /admin/v1/keys` as JSON: `{"keys":[...]}`. Instants are RFC 3339 in UTC. Holds no
/// secret: keys are named by their fingerprints.
std::string key_list_document(const std::vector<key_status>& keys);

} // namespace troupe
