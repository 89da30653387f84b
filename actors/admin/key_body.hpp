#pragma once

#include "actors/admin/body.hpp"
#include "actors/admin/query.hpp"
#include "actors/inventory/inventory_messages.hpp"

#include <optional>
#include <vector>

// What bodies and queries say of keys. Everything wrong is told in `problems`; what is returned
// may be used only if there are none. Who asks has still to be filled in.

namespace troupe {

/// The fields that `PATCH` takes.
key_fields read_key_fields(body_reader& body);

add_one_key read_new_key(const json::tree& body, std::vector<field_problem>& problems);
edit_key read_key_edit(const json::tree& body, std::vector<field_problem>& problems);

/// `{"for":"10m"}`: milliseconds.
std::int64_t read_pause(const json::tree& body, std::vector<field_problem>& problems);

list_keys read_key_list(query_reader& query);

import_keys read_import(const json::tree& body, std::vector<field_problem>& problems);
/// For a body that is the text itself.
import_keys read_import(query_reader& query, std::string text);

/// What is to be done with many keys. `check` is no `bulk_action`: the upstream does it.
struct bulk_order {
  bool check = false;
  change_keys change;
};
bulk_order read_bulk(const json::tree& body, std::vector<field_problem>& problems);

} // namespace troupe
