#pragma once

#include "protocol/surface.hpp"

#include <cstdint>
#include <string_view>

namespace troupe::http {

/// What a client may ask of this node.
enum class endpoint : std::uint8_t {
  list_models,      ///< GET /v1/models
  get_model,        ///< GET /v1/models/{id}
  chat_completions, ///< POST /v1/chat/completions
  forward_openai,   ///< POST /v1/responses, /v1/completions, /v1/embeddings; one response by its id
  messages,         ///< POST /v1/messages, /v1/messages/count_tokens
  native,           ///< below /v1beta, with any method: `gemini::route_native` looks closer
  preflight,        ///< OPTIONS anywhere
  unknown,          ///< 404
  wrong_method,     ///< 405; `allow` says what would do
};

/// All views look into the path that was matched.
struct route {
  endpoint what = endpoint::unknown;
  surface speaks = surface::openai;
  std::string_view model; ///< of `get_model`, percent-encoded
  /// Of `chat_completions`, `forward_openai` and `messages`: what stands below `/v1`, with its
  /// leading slash, for calls in the client's own protocol. No percent signs, no dots.
  std::string_view below;
  /// The response that GET and DELETE are about, which pins the call to its key; else empty.
  std::string_view response;
  std::string_view allow; ///< of `wrong_method`
};

/// Matches a request. `/hf/v1` is `/v1`; a trailing `/` and a doubled `/v1/v1` are tolerated,
/// because clients with a mistaken base URL send them.
route match(std::string_view method, std::string_view path);

} // namespace troupe::http
