#pragma once

#include "sandbox/json.hpp"

#include <string_view>

namespace sandbox {

/// A value that satisfies a schema in the plainest way: every declared property
/// is there, strings are `word`, enumerations take their first value. Reads both
/// Gemini's Schema and JSON Schema (types in any case, `$ref` into `$defs`).
json sample(const json& schema, std::string_view word);

} // namespace sandbox
