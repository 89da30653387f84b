#pragma once

#include "protocol/config/load.hpp"

namespace troupe::config {

/// Checks what no single option can tell: options that contradict each other are problems,
/// and choices that are allowed but risky are warnings.
void check_relations(loaded_settings& loaded);

} // namespace troupe::config
