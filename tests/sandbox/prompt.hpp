#pragma once

#include "sandbox/json.hpp"
#include "sandbox/surface.hpp"

#include <cstdint>

namespace sandbox {

/// What a request's body weighs.
struct prompt {
  std::uint64_t tokens = 0;
  /// A hash of its first `prefix_bytes`: the system text, then the contents in order. 0: it is
  /// shorter.
  std::uint64_t prefix = 0;
};

/// Reads a body of that dialect; one that is none weighs nothing.
prompt weigh(dialect spoken, method what, const json& body);

} // namespace sandbox
