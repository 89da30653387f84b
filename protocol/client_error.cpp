#include "protocol/client_error.hpp"

#include "protocol/base/result.hpp"
#include "protocol/json/writer.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace troupe {
namespace {

/// One row of the errors table (docs/protocol/mapping.md section 6).
struct row {
  int status;
  std::string_view type; ///< of OpenAI
  std::string_view code; ///< of OpenAI; empty: null
  int anthropic_status;
  std::string_view anthropic_type;
  std::string_view google_status; ///< canonical name
  std::string_view message;       ///< where the error has none of its own
};

constexpr std::string_view client_fault = "invalid_request_error";
constexpr std::string_view server_fault = "server_error";

/// A switch, so that a new fault does not compile before it has its row.
// clang-format off
row row_of(fault what) {
  switch (what) {
    case fault::bad_credential:
      return {401, client_fault, "invalid_api_key", 401, "authentication_error",
              "UNAUTHENTICATED", "The credential is missing or not valid."};
    case fault::no_usable_key:
      return {503, server_fault, "no_available_key", 529, "overloaded_error",
              "UNAVAILABLE", "No usable upstream key is available."};
    case fault::location:
      return {403, client_fault, "unsupported_country_region_territory", 403, "permission_error",
              "FAILED_PRECONDITION", "The upstream does not serve this location."};
    case fault::model_not_allowed:
      return {403, client_fault, "model_not_allowed", 403, "permission_error",
              "PERMISSION_DENIED", "The credential may not use this model."};
    case fault::invalid_request:
      return {400, client_fault, "", 400, client_fault,
              "INVALID_ARGUMENT", "The request is not valid."};
    case fault::not_found:
      return {404, client_fault, "model_not_found", 404, "not_found_error",
              "NOT_FOUND", "The model does not exist."};
    case fault::too_large:
      return {413, client_fault, "request_too_large", 413, "request_too_large",
              "INVALID_ARGUMENT", "The request is too large."};
    case fault::quota_day:
      return {429, "insufficient_quota", "insufficient_quota", 429, "rate_limit_error",
              "RESOURCE_EXHAUSTED", "The daily quota of every key is used up."};
    case fault::rate_limited:
      return {429, "rate_limit_error", "rate_limit_exceeded", 429, "rate_limit_error",
              "RESOURCE_EXHAUSTED", "Every key is at its rate limit."};
    case fault::overloaded:
      return {503, server_fault, "overloaded", 529, "overloaded_error",
              "UNAVAILABLE", "The upstream is overloaded."};
    case fault::upstream_timeout:
      return {504, server_fault, "upstream_timeout", 504, "timeout_error",
              "DEADLINE_EXCEEDED", "The upstream did not answer in time."};
    case fault::upstream_error:
      return {502, server_fault, "upstream_error", 500, "api_error",
              "UNAVAILABLE", "The upstream failed."};
    case fault::empty_response:
      return {502, server_fault, "empty_response", 500, "api_error",
              "UNAVAILABLE", "The upstream answered without content."};
    case fault::stream_truncated:
      return {502, server_fault, "stream_truncated", 500, "api_error",
              "UNAVAILABLE", "The upstream ended its answer before it was complete."};
    case fault::invalid_json:
      return {400, client_fault, "invalid_json", 400, client_fault,
              "INVALID_ARGUMENT", "The body is not valid JSON."};
    case fault::unknown_path:
      return {404, client_fault, "unknown_url", 404, "not_found_error",
              "NOT_FOUND", "There is nothing at this path."};
    case fault::wrong_method:
      return {405, client_fault, "method_not_allowed", 404, "not_found_error",
              "UNIMPLEMENTED", "This path does not take this method."};
    case fault::resource_not_found:
      return {404, client_fault, "resource_not_found", 404, "not_found_error",
              "NOT_FOUND", "The resource does not exist."};
    case fault::request_timeout:
      return {408, client_fault, "request_timeout", 408, client_fault,
              "DEADLINE_EXCEEDED", "The request did not arrive in time."};
    case fault::unsupported_encoding:
      return {415, client_fault, "unsupported_encoding", 415, client_fault,
              "INVALID_ARGUMENT", "This content encoding is not supported."};
    case fault::busy:
      return {503, server_fault, "overloaded", 529, "overloaded_error",
              "UNAVAILABLE", "The gateway is at its limit of concurrent work."};
    case fault::draining:
      return {503, server_fault, "overloaded", 529, "overloaded_error",
              "UNAVAILABLE", "The gateway is shutting down."};
    case fault::internal:
      return {500, server_fault, "internal_error", 500, "api_error",
              "INTERNAL", "The gateway failed."};
  }
  TROUPE_ASSERT(false);
}
// clang-format on

/// The same words on every surface: an upstream's own would blame the client for the pool's
/// key (E2, E3), and a client's mistake with a credential never comes from an upstream (E1).
bool hides_upstream(fault what) {
  return what == fault::bad_credential || what == fault::no_usable_key;
}

std::string message_of(const client_error& e, const row& r) {
  if (e.what == fault::no_usable_key || e.message.empty())
    return std::string{r.message};
  return mask_keys(e.message);
}

/// The time to wait that the client is told. A 429 always tells one.
std::optional<std::chrono::milliseconds> wait_of(const client_error& e) {
  switch (e.what) {
  case fault::rate_limited:
    return e.retry_after.value_or(std::chrono::seconds{60});
  case fault::quota_day:
  case fault::no_usable_key:
  case fault::overloaded:
  case fault::busy:
  case fault::draining:
    return e.retry_after;
  default:
    return std::nullopt;
  }
}

/// A client's own attempts would only add to the load: SDKs retry 429 and 5xx by themselves.
bool is_hopeless(const client_error& e) {
  return e.what == fault::no_usable_key
         || (e.what == fault::quota_day && e.retry_after > std::chrono::minutes{1});
}

std::string openai_body(const client_error& e, const row& r) {
  std::string body;
  json::writer w{body};
  w.begin_object();
  w.key("error");
  w.begin_object();
  w.member("message", message_of(e, r));
  w.member("type", r.type);
  w.key("param");
  e.param ? w.string(*e.param) : w.null();
  w.key("code");
  const auto code = e.code ? std::string_view{*e.code} : r.code;
  code.empty() ? w.null() : w.string(code);
  w.end_object();
  w.end_object();
  return body;
}

std::string anthropic_id(std::string_view request_id) {
  return request_id.starts_with("req_") ? std::string{request_id}
                                        : "req_" + std::string{request_id};
}

std::string anthropic_body(const client_error& e, const row& r, std::string_view request_id) {
  std::string body;
  json::writer w{body};
  w.begin_object();
  w.member("type", "error");
  w.key("error");
  w.begin_object();
  w.member("type", r.anthropic_type);
  w.member("message", message_of(e, r));
  w.end_object();
  w.member("request_id", anthropic_id(request_id));
  w.end_object();
  return body;
}

/// `google.rpc.Status`, which Google's SDK shows whole and gemini-cli reads `RetryInfo` from.
std::string gemini_body(const client_error& e, const row& r) {
  std::string body;
  json::writer w{body};
  w.begin_object();
  w.key("error");
  w.begin_object();
  w.key("code");
  w.integer(r.status);
  w.member("message", message_of(e, r));
  w.member("status", r.google_status);
  if (const auto wait = wait_of(e); wait && r.status == 429) {
    const auto ms = wait->count();
    std::string delay = std::to_string(ms / 1000);
    if (const auto rest = ms % 1000; rest != 0)
      delay += '.' + std::to_string(1000 + rest).substr(1);
    w.key("details");
    w.begin_array();
    w.begin_object();
    w.member("@type", "type.googleapis.com/google.rpc.RetryInfo");
    w.member("retryDelay", delay + 's');
    w.end_object();
    w.end_array();
  }
  w.end_object();
  w.end_object();
  return body;
}

/// Whether `text` is an error that a Gemini client can read. What a proxy on the way made of
/// one, often HTML, is not.
bool is_google_error(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(text.data(), text.size()).get(root))
    return false;
  if (simdjson::dom::array list; !root.get(list))
    return list.size() > 0 && list.at(0)["error"].is_object();
  return root.is_object() && root["error"].is_object();
}

bool passes_upstream(const client_error& e) {
  return !hides_upstream(e.what) && e.upstream_body && is_google_error(*e.upstream_body);
}

std::string fields_of(const client_error& e, surface s, std::string_view request_id) {
  std::string fields;
  if (const auto wait = wait_of(e)) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
    fields += "retry-after: " + std::to_string(seconds > 0 ? seconds : 0) + "\r\n";
  }
  if (is_hopeless(e))
    fields += "x-should-retry: false\r\n";
  if (s == surface::anthropic)
    fields += "request-id: " + anthropic_id(request_id) + "\r\n";
  return fields;
}

/// Characters of keys of today, `AIza...`.
bool is_key_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'
         || c == '-';
}

/// How much of `text` is the value of a label: newer keys hold other characters too. A full stop
/// at the end ends the sentence.
std::size_t labelled_bytes(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && (is_key_character(text[end]) || text[end] == '.'))
    ++end;
  while (end > 0 && text[end - 1] == '.')
    --end;
  return end;
}

} // namespace

client_error make_client_error(fault what, std::string message) {
  client_error e;
  e.what = what;
  e.message = std::move(message);
  return e;
}

rendered_error render(const client_error& e, surface s, std::string_view request_id) {
  row r = row_of(e.what);
  if (e.status)
    r.status = r.anthropic_status = *e.status;
  auto fields = fields_of(e, s, request_id);
  switch (s) {
  case surface::openai:
    return {r.status, std::move(fields), openai_body(e, r)};
  case surface::anthropic:
    return {r.anthropic_status, std::move(fields), anthropic_body(e, r, request_id)};
  case surface::gemini:
    break;
  }
  if (passes_upstream(e))
    return {e.upstream_status.value_or(r.status), std::move(fields), mask_keys(*e.upstream_body)};
  return {r.status, std::move(fields), gemini_body(e, r)};
}

std::string render_stream_error(const client_error& e, surface s, std::string_view request_id) {
  const row r = row_of(e.what);
  switch (s) {
  case surface::openai:
    return "data: " + openai_body(e, r) + "\n\n";
  case surface::anthropic:
    return "event: error\ndata: " + anthropic_body(e, r, request_id) + "\n\n";
  case surface::gemini:
    break;
  }
  return "data: " + gemini_body(e, r) + "\n\n";
}

std::string mask_keys(std::string_view text) {
  constexpr std::string_view start = "AIza", label = "api_key:";
  constexpr std::size_t key_bytes = 39, shown_bytes = 4;
  std::string masked;
  masked.reserve(text.size());
  const auto mask = [&](std::size_t before, std::size_t bytes) {
    masked.append(text.substr(0, before + std::min(shown_bytes, bytes))).append("***");
    text.remove_prefix(before + bytes);
  };
  while (!text.empty()) {
    const auto at = std::min(text.find(start), text.find(label));
    if (at == text.npos)
      break;
    if (text.substr(at).starts_with(label)) {
      const auto spaces = text.substr(at + label.size()).starts_with(' ') ? 1U : 0U;
      const auto before = at + label.size() + spaces;
      if (const auto bytes = labelled_bytes(text.substr(before)); bytes > 0) {
        mask(before, bytes);
        continue;
      }
    } else if (std::all_of(text.begin() + at, text.begin() + std::min(at + key_bytes, text.size()),
                           is_key_character)
               && text.size() - at >= key_bytes) {
      mask(at, key_bytes);
      continue;
    }
    masked.append(text.substr(0, at + 1));
    text.remove_prefix(at + 1);
  }
  return masked.append(text);
}

} // namespace troupe
