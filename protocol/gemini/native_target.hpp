#pragma once

// Private to protocol/gemini: what stands in a path and a query of the native surface.

#include "protocol/client_error.hpp"
#include "protocol/gemini/model_name.hpp"
#include "protocol/gemini/native.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace troupe::gemini {

/// A tuned model has a collection of its own.
constexpr std::string_view tuned = "tunedModels/";
constexpr std::string_view caches = "cachedContents";

/// What stands below `/v1beta/`, taken apart.
struct target {
  bool of_caches = false; ///< else of models
  std::string name; ///< of a model as asked, or the id of a cache; decoded; empty: the collection
  std::string verb; ///< after the last colon; empty: none
  bool has_verb = false;
};

std::optional<target> read_target(std::string_view path);

/// The query without the client's credential, and whether it asks for SSE.
struct read_query {
  std::string kept; ///< with the leading `?`, or empty
  bool sse = false;

  explicit read_query(std::string_view query);

private:
  void take(std::string_view pair);
};

/// Whether `name` is one segment of a path in visible ASCII, and nothing that a server between
/// us and the model could read as another path.
bool is_plain_name(std::string_view name);

/// What the client asked for, or what the configuration calls it.
std::string_view wanted_model(const native_call& call, const request_context& context);

/// `parse_model_name` with what the context knows.
model_name read_model(std::string_view wanted, const request_context& context);

client_error unknown_path();

/// Completes a call about caches: the body passes as it came, but for a model that has another
/// name upstream.
std::variant<native_call, client_error> cache_call(native_call call, const target& asked,
                                                   std::string_view query, std::string_view body,
                                                   const request_context& context);

} // namespace troupe::gemini
