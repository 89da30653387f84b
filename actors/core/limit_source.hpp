#pragma once

#include <cstdint>
#include <string_view>

namespace troupe {

/// How a limit came to be known.
enum class limit_source : std::uint8_t {
  declared,  ///< by the operator
  told,      ///< by the upstream, in a header or an error; enforced unless declared
  estimated, ///< from the rate at which throttling began; shown, never enforced
};

std::string_view to_string(limit_source s); ///< `declared`, `told`, `estimated`

} // namespace troupe
