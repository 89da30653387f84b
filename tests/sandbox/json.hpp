#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace sandbox {

/// Keeps the order of members, as the real upstreams do.
using json = nlohmann::ordered_json;

/// What a client sent; discarded if it is no JSON, or nested deeper than 100 levels, which the
/// checks that descend into it would not survive.
json parse_sent(std::string_view text);

} // namespace sandbox
