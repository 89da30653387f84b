#pragma once

#include "protocol/client_error.hpp"
#include "protocol/translation_options.hpp"
#include "tests/vector_runner/matcher.hpp"

#include <map>
#include <string>

namespace troupe::vectors {

/// What a vector's `context` says, in the product's types.
struct vector_context {
  translation_options options;
  request_context request;
  known_models models;
  std::map<std::string, fetched_media, std::less<>> fetched;
  std::string error; ///< a name or value that we do not know

  explicit vector_context(const json& context);
  vector_context(const vector_context&) = delete;
  vector_context& operator=(const vector_context&) = delete;
};

/// Runs one vector through the product and notes in `found` where it differs. False if there
/// is nothing yet that could run it.
bool run(const json& vector, matcher& found);

// One for each direction; the same result.
bool run_request(const json& vector, matcher& found);
bool run_response(const json& vector, matcher& found);
bool run_stream(const json& vector, matcher& found);
bool run_round_trip(const json& vector, matcher& found);
bool run_error(const json& vector, matcher& found);
bool run_sse(const json& vector, matcher& found);
bool run_native(const json& vector, matcher& found);

/// Compares an error that the product made with the expected `{status, body, headers?}`.
void match_error(const json& expected, const client_error& error, surface s, matcher& found);

/// Compares text that must be JSON.
void match_text(const json& expected, const std::string& text, const std::string& path,
                matcher& found);

} // namespace troupe::vectors
