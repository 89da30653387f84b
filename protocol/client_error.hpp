#pragma once

#include "protocol/surface.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Everything a client can be told went wrong, one value per row of the errors table
/// (docs/api/errors.md) and one for each refusal of the HTTP server.
enum class fault : std::uint8_t {
  bad_credential,       ///< E1 401
  no_usable_key,        ///< E2, E3 503
  location,             ///< E4 403
  model_not_allowed,    ///< 403, not among the models of the credential
  invalid_request,      ///< E5 400
  not_found,            ///< E6 404 (the upstream's: model_not_found)
  too_large,            ///< E7 413
  quota_day,            ///< E8 429
  rate_limited,         ///< E9 429
  overloaded,           ///< E10 503
  upstream_timeout,     ///< E11 504
  upstream_error,       ///< E12 502
  empty_response,       ///< R16 502
  stream_truncated,     ///< ST10, in a stream only
  invalid_json,         ///< E13 400
  unknown_path,         ///< E14 404
  wrong_method,         ///< E14 405
  resource_not_found,   ///< E15 404
  unsupported_encoding, ///< 415
  busy,                 ///< 503, our own bounds: connections, waiting room
  draining,             ///< 503, this node is stopping
  request_timeout,      ///< 408, the request did not arrive in time
  internal,             ///< 500, our own fault
};

struct client_error {
  fault what = fault::internal;
  std::string message{};              ///< for people; secrets in it are masked when it is rendered
  std::optional<std::string> param{}; ///< path of the field at fault
  std::optional<std::string> code{};  ///< instead of the table's code, where a rule names one
  std::optional<std::chrono::milliseconds> retry_after{};
  /// The whole upstream body, passed on unchanged on the Gemini surface (E1 to E3 excepted).
  std::optional<std::string> upstream_body{};
  std::optional<int> upstream_status{};
  /// Instead of the table's status, for the HTTP server's own refusals (414, 417, 431, 501, ...).
  std::optional<int> status{};
};

/// An error that has no more to tell than its words.
client_error make_client_error(fault what, std::string message);

struct rendered_error {
  int status;
  std::string fields; ///< header lines: retry-after, x-should-retry, request-id
  std::string body;   ///< JSON; content type application/json
};

/// The answer that tells `e` in the words of `s`. On the Gemini surface a 429 of our own
/// carries `RetryInfo`.
rendered_error render(const client_error& e, surface s, std::string_view request_id);

/// The same as the last event of a stream that has begun: one whole SSE frame. On the Gemini
/// surface `data: {"error":...}`, which its SDK raises.
std::string render_stream_error(const client_error& e, surface s, std::string_view request_id);

/// Masks everything in `text` that looks like a key: `AIza` and 35 characters, what follows
/// `api_key:`; first four characters and `***` stay.
std::string mask_keys(std::string_view text);

} // namespace troupe
