#pragma once

#include <string_view>

namespace troupe {

/// Of this build, from the project's CMakeLists.txt.
inline constexpr std::string_view version = TROUPE_VERSION;

} // namespace troupe
