#pragma once

#include "sandbox/answer.hpp"
#include "sandbox/exchange.hpp"
#include "sandbox/world.hpp"

namespace sandbox {

/// The control path `/_sandbox/...`, described in docs/sandbox.md.
answer control(world& w, const request& r);

/// Puts one script, or a list of them, in place; all or none. Returns the
/// trouble, or an empty string. Also used for the file given at the start.
std::string put_scripts(world& w, std::string_view text);

} // namespace sandbox
