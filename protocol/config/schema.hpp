#pragma once

#include <string>

namespace troupe::config {

/// A JSON Schema (2020-12) of the configuration file, made from the option table, for editors
/// and for programs that write configurations. It takes every file that loads; what it cannot
/// say (ranges of durations, relations between options) loading still refuses. Stands in
/// `configs/troupe.schema.json`.
std::string config_schema();

} // namespace troupe::config
