#pragma once

#include "actors/cli/command.hpp"

namespace troupe::cli {

/// `keys edit|delete|enable|disable|pause|check|reset`: one key by its id, several by their ids,
/// or many by a filter.
void add_key_changes(command c);

} // namespace troupe::cli
