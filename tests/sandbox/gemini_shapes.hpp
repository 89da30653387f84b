#pragma once

#include "sandbox/faults.hpp"
#include "sandbox/json.hpp"

#include <optional>
#include <string_view>

namespace sandbox {

/// Checks the form of a request as Google's JSON layer does: unknown names and
/// values of the wrong type are refused, whoever wrote them. A translator that
/// invents a field is found out here.
///
/// `message` names the shape, for example "GenerateContentRequest".
/// Source: docs/protocol/gemini.md, section 3.
std::optional<fault> check_shape(const json& body, std::string_view message, bool vertex);

/// `generationConfig` for `generation_config`; other names stay as they are.
std::string camel_of(std::string_view name);

/// The member under either spelling, or null when absent or null.
const json* member(const json& object, std::string_view camel_name);

} // namespace sandbox
