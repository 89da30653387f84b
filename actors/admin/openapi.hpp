#pragma once

#include <string_view>

namespace troupe {

/// docs/api/openapi.json, as it was when this binary was built.
std::string_view openapi_document();

} // namespace troupe
