#include "protocol/gemini/native.hpp"

#include "protocol/gemini/answer.hpp"
#include "protocol/gemini/model_name.hpp"
#include "protocol/gemini/native_body.hpp"

#include <algorithm>
#include <array>

namespace troupe::gemini {
namespace {

constexpr std::size_t model_bytes_max = 256;

int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  const char low = static_cast<char>(c | 0x20);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/// Nothing where a `%` is not followed by two hex digits.
std::optional<std::string> percent_decoded(std::string_view text) {
  if (text.find('%') == text.npos)
    return std::string{text};
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      return std::nullopt;
    plain += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return plain;
}

/// The query without the client's credential, and whether it asks for SSE.
struct read_query {
  std::string kept; ///< with the leading `?`, or empty
  bool sse = false;

  explicit read_query(std::string_view query) {
    if (query.starts_with('?'))
      query.remove_prefix(1);
    while (!query.empty()) {
      const auto end = std::min(query.find('&'), query.size());
      take(query.substr(0, end));
      query.remove_prefix(std::min(end + 1, query.size()));
    }
  }

private:
  void take(std::string_view pair) {
    const auto equals = std::min(pair.find('='), pair.size());
    // A name may hide behind percent signs, `k%65y`: the upstream decodes it, so do we.
    const auto name = percent_decoded(pair.substr(0, equals)).value_or("");
    if (pair.empty() || name == "key")
      return;
    if (name == "alt" || name == "$alt")
      sse = percent_decoded(pair.substr(std::min(equals + 1, pair.size()))) == "sse";
    kept += kept.empty() ? '?' : '&';
    kept += pair;
  }
};

client_error unknown_path() {
  return {.what = fault::unknown_path, .message = "There is no such path on this API."};
}

client_error wrong_method() {
  return {.what = fault::wrong_method, .message = "This path does not take this HTTP method."};
}

/// A tuned model has a collection of its own.
constexpr std::string_view tuned = "tunedModels/";

/// Whether `name` is one segment of a path in visible ASCII, and nothing that a server between
/// us and the model could read as another path.
bool is_plain_name(std::string_view name) {
  if (name.empty() || name.size() > model_bytes_max || name == "." || name == "..")
    return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F
           || c == '/' || c == '\\' || c == '%' || c == '?' || c == '#';
  });
}

/// What stands below `/v1beta/`, taken apart.
struct target {
  std::string model; ///< as asked, decoded; empty: the collection
  std::string verb;  ///< after the last colon; empty: none
  bool has_verb = false;
};

std::optional<target> read_target(std::string_view path) {
  if (path.starts_with("/gemini/"))
    path.remove_prefix(7);
  constexpr std::string_view base = "/v1beta/";
  if (!path.starts_with(base))
    return std::nullopt;
  auto below = percent_decoded(path.substr(base.size()));
  if (!below)
    return std::nullopt;
  if (below->ends_with('/'))
    below->pop_back();
  if (*below == "models")
    return target{};
  if (below->starts_with("models/"))
    below->erase(0, 7);
  else if (!below->starts_with(tuned))
    return std::nullopt;
  target t;
  if (const auto colon = below->rfind(':'); colon != std::string::npos) {
    t.verb = below->substr(colon + 1);
    t.has_verb = true;
    below->resize(colon);
  }
  t.model = std::move(*below);
  return t.model.empty() ? std::nullopt : std::optional{std::move(t)};
}

std::optional<method> method_of(const target& t) {
  if (t.model.empty())
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
  const bool reads = what == method::list_models || what == method::get_model;
  return reads ? http_method == "GET" || http_method == "HEAD" : http_method == "POST";
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

std::variant<native_call, client_error> route_native(std::string_view http_method,
                                                     std::string_view path, std::string_view query,
                                                     std::string_view body,
                                                     const translation_options& options,
                                                     const request_context& context) {
  const auto asked = read_target(path);
  const auto what = asked ? method_of(*asked) : std::nullopt;
  if (!what)
    return unknown_path();
  if (!takes(*what, http_method))
    return wrong_method();

  native_call call;
  call.what = *what;
  call.model_asked = asked->model;
  const read_query rest{query};
  if (*what == method::list_models) {
    call.path.assign(models_path(context.upstream));
    call.path.pop_back(); // the slash that a name would follow
    call.path += rest.kept;
    return call;
  }
  const auto& known = context.models ? *context.models : built_in_models();
  const auto name = parse_model_name(call.model_asked, known);
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
