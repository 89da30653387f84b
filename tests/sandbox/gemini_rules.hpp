#pragma once

#include "sandbox/faults.hpp"
#include "sandbox/json.hpp"

#include <optional>
#include <string_view>

namespace sandbox {

/// The rules that a well-formed GenerateContentRequest can still break, each
/// with a 400 worded as the real one. Source: docs/protocol/gemini.md, section 3.
std::optional<fault> check_rules(const json& body, std::string_view model);

/// Every signature that the sandbox gives out begins so, before base64.
inline constexpr std::string_view signature_mark = "sandbox-signature:";

/// "AAA=" and so on.
std::string base64(std::string_view bytes);

} // namespace sandbox
