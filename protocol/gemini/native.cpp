#include "protocol/gemini/native.hpp"

#include "protocol/gemini/answer.hpp"
#include "protocol/gemini/model_name.hpp"
#include "protocol/gemini/native_body.hpp"
#include "protocol/gemini/native_target.hpp"

#include <algorithm>
#include <array>

namespace troupe::gemini {
namespace {

client_error wrong_method() {
  return {.what = fault::wrong_method, .message = "This path does not take this HTTP method."};
}

/// Of a cache the HTTP method decides. None: there is no such path.
std::optional<method> cache_method_of(const target& t, std::string_view http_method) {
  const bool reads = http_method == "GET" || http_method == "HEAD";
  if (t.name.empty())
    return reads ? std::nullopt : std::optional{method::create_cache};
  if (http_method == "PATCH")
    return method::update_cache;
  if (http_method == "DELETE")
    return method::delete_cache;
  return method::get_cache;
}

std::optional<method> method_of(const target& t, std::string_view http_method) {
  if (t.of_caches)
    return cache_method_of(t, http_method);
  if (t.name.empty())
    return method::list_models;
  if (!t.has_verb)
    return method::get_model;
  if (t.verb == "generateContent")
    return method::generate_content;
  if (t.verb == "streamGenerateContent")
    return method::stream_generate_content;
  if (t.verb == "countTokens")
    return method::count_tokens;
  return std::nullopt;
}

bool takes(method what, std::string_view http_method) {
  const auto wanted = http_method_of(what);
  return http_method == wanted || (wanted == "GET" && http_method == "HEAD");
}

/// The upstream's path of a model, or nothing if the name is none.
std::optional<std::string> model_path(std::string_view upstream, upstream_kind kind) {
  std::string path{models_path(kind)};
  if (upstream.starts_with(tuned)) {
    upstream.remove_prefix(tuned.size());
    path = "/v1beta/tunedModels/";
  }
  if (!is_plain_name(upstream))
    return std::nullopt;
  append_path_segment(path, upstream);
  return path;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return low(x) == low(y);
  });
}

} // namespace

std::string_view http_method_of(method what) {
  switch (what) {
  case method::list_models:
  case method::get_model:
  case method::get_cache:
    return "GET";
  case method::generate_content:
  case method::stream_generate_content:
  case method::count_tokens:
  case method::create_cache:
    return "POST";
  case method::update_cache:
    return "PATCH";
  case method::delete_cache:
    return "DELETE";
  }
  return "";
}

std::variant<native_call, client_error> route_native(std::string_view http_method,
                                                     std::string_view path, std::string_view query,
                                                     std::string_view body,
                                                     const translation_options& options,
                                                     const request_context& context) {
  const auto asked = read_target(path);
  const auto what = asked ? method_of(*asked, http_method) : std::nullopt;
  if (!what)
    return unknown_path();
  if (!takes(*what, http_method))
    return wrong_method();

  native_call call;
  call.what = *what;
  if (asked->of_caches)
    return cache_call(std::move(call), *asked, query, body, context);
  call.model_asked = asked->name;
  const read_query rest{query};
  if (*what == method::list_models) {
    call.path.assign(models_path(context.upstream));
    call.path.pop_back(); // the slash that a name would follow
    call.path += rest.kept;
    return call;
  }
  const auto name = read_model(wanted_model(call, context), context);
  auto upstream_path = model_path(name.upstream, context.upstream);
  if (!upstream_path)
    return unknown_path();
  call.model = name.upstream;
  call.path = std::move(*upstream_path);
  if (asked->has_verb)
    call.path.append(":").append(asked->verb);
  call.path += rest.kept;
  call.sse = *what == method::stream_generate_content && rest.sse;

  if (asked->has_verb && (name.search || name.non_thinking || name.image)) {
    auto changed = apply_suffixes(*what, body, name, options);
    if (auto* error = std::get_if<client_error>(&changed))
      return std::move(*error);
    call.body = std::move(*std::get_if<std::string>(&changed));
    call.body_changed = call.body != body;
  }
  return call;
}

bool forwards_header(std::string_view name) {
  static constexpr std::array<std::string_view, 20> dropped{
      // about this connection (RFC 9110 section 7.6.1)
      "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization",
      "te", "trailer", "transfer-encoding", "upgrade", "http2-settings", "expect",
      // made anew for the upstream
      "host", "content-length", "accept-encoding",
      // the client's
      "cookie", "cookie2", "authorization", "x-goog-api-key", "x-api-key", "api-key"};
  return std::none_of(dropped.begin(), dropped.end(),
                      [name](std::string_view d) { return same_name(name, d); });
}

answer_scan scan_answer(std::string_view json) {
  answer_scan scan;
  const auto* read = read_answer(json);
  if (!read)
    return scan;
  scan.well_formed = true;
  scan.is_error = read->is_error;
  scan.error_status = read->error_status;
  scan.has_candidates = !read->candidates.empty();
  scan.blocked = !read->block_reason.empty();
  scan.finished = std::any_of(read->candidates.begin(), read->candidates.end(),
                              [](const auto& c) { return !c.finish_reason.empty(); });
  scan.usage = read->usage.summed();
  return scan;
}

} // namespace troupe::gemini
