#pragma once

#include <string_view>

namespace troupe::gemini {

/// The Gemini voice for `name`: a Gemini voice in any letter case, or the counterpart of one
/// of OpenAI's voices (docs/protocol/openai.md section 6); any other name gets `Kore`.
std::string_view voice_for(std::string_view name);

} // namespace troupe::gemini
