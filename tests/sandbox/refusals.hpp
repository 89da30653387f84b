#pragma once

#include "sandbox/limiter.hpp"
#include "sandbox/surface.hpp"

#include <string>
#include <vector>

namespace sandbox {

/// The 429 of a declared limit, shaped and worded as the dialect's own.
answer refuse(const call& c, const refusal& why, const std::string& project, bool in_array);

/// Says in headers what is left of the limits, as OpenAI (`x-ratelimit-...`) and Anthropic
/// (`anthropic-ratelimit-...`) do. Google says nothing.
void tell(const call& c, const std::vector<standing>& left, instant t, answer& a);

/// "6m0s", "1.5s", "120ms": how OpenAI writes a wait, rounded up to milliseconds.
std::string spoken_duration(duration d);

} // namespace sandbox
