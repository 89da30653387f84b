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
  native,           ///< below /v1beta: `gemini::route_native` looks closer
  preflight,        ///< OPTIONS anywhere
  unknown,          ///< 404
  wrong_method,     ///< 405; `allow` says what would do
};

struct route {
  endpoint what = endpoint::unknown;
  surface speaks = surface::openai;
  std::string_view model; ///< of `get_model`, percent-encoded
  std::string_view allow; ///< of `wrong_method`
};

/// Matches a request. `/hf/v1` is `/v1`; a trailing `/` and a doubled `/v1/v1` are tolerated,
/// because clients with a mistaken base URL send them.
route match(std::string_view method, std::string_view path);

} // namespace troupe::http
