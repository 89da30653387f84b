#pragma once

#include "actors/admin/body.hpp"
#include "actors/admin/query.hpp"
#include "actors/inventory/inventory_messages.hpp"

#include <optional>
#include <string>
#include <vector>

// What bodies and queries say of credentials, as `key_body.hpp` does of keys.

namespace troupe {

add_credential read_new_credential(const json::tree& body, std::vector<field_problem>& problems);
edit_credential read_credential_edit(const json::tree& body, std::vector<field_problem>& problems);

struct credential_filter {
  std::optional<storage::role> what;
  std::string text; ///< in name, id and note; any case
};

credential_filter read_credential_list(query_reader& query);
bool matches(const credential_filter& f, const credential_view& v);

} // namespace troupe
