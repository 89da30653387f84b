#pragma once

#include <nlohmann/json_fwd.hpp>

namespace sandbox {

/// Keeps the order of members, as the real upstreams do.
using json = nlohmann::ordered_json;

} // namespace sandbox
