#pragma once

#include <cstdint>
#include <string_view>

namespace troupe {

/// The protocol that a client speaks to us; decides the shape of every answer, also of
/// errors.
enum class surface : std::uint8_t { openai, anthropic, gemini };

/// The surface that owns `path` (percent-encoded, without query), for answers to requests
/// that match no route or never became one. `/v1/messages...` is Anthropic's,
/// `/v1beta/...`, `/gemini/...`, `/vertex-express/...` and `/upload/...` Gemini's, all
/// else OpenAI's.
surface surface_of(std::string_view path);

} // namespace troupe
