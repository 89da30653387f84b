#include "sandbox/app.hpp"

#include <nlohmann/json.hpp>

namespace sandbox {

namespace {

std::string key_of(const request& r) {
  if (const auto k = r.get("x-goog-api-key"); !k.empty())
    return std::string{k};
  if (auto k = query_value(r.query, "key"); !k.empty())
    return k;
  if (const auto k = r.get("x-api-key"); !k.empty())
    return std::string{k};
  auto bearer = r.get("authorization");
  constexpr std::string_view scheme = "bearer ";
  if (bearer.size() > scheme.size() && same_word(bearer.substr(0, scheme.size()), scheme))
    return std::string{bearer.substr(scheme.size())};
  return {};
}

bool strip(std::string_view& path, std::string_view prefix) {
  if (!path.starts_with(prefix))
    return false;
  path.remove_prefix(prefix.size());
  return true;
}

/// "models", "models/x" or "models/x:verb" below a Gemini base.
bool read_gemini(const request& r, std::string_view rest, call& c) {
  const bool get = r.method == "GET" || r.method == "HEAD";
  if (rest == "models") {
    c.what = method::models;
    return get && c.spoken == dialect::gemini; // Vertex Express has no list
  }
  if (rest == "cachedContents" || rest.starts_with("cachedContents/")) {
    c.what = method::caches;
    if (rest != "cachedContents")
      c.resource = percent_decoded(rest);
    return c.spoken == dialect::gemini;
  }
  if (!strip(rest, "models/"))
    return false;
  const auto colon = rest.find(':');
  c.model = percent_decoded(rest.substr(0, colon));
  if (colon == rest.npos) {
    c.what = method::model;
    return get;
  }
  const auto verb = rest.substr(colon + 1);
  if (verb == "generateContent") {
    c.what = method::generate;
  } else if (verb == "streamGenerateContent") {
    c.what = method::stream;
    c.streams = true;
    c.sse = query_value(r.query, "alt") == "sse";
  } else if (verb == "countTokens") {
    c.what = method::count;
  } else {
    return false;
  }
  return r.method == "POST";
}

bool read_openai(const request& r, std::string_view rest, call& c) {
  c.spoken = dialect::openai;
  if (rest == "chat/completions") {
    c.what = method::chat;
    return r.method == "POST";
  }
  if (rest == "responses" || rest == "embeddings") {
    c.what = rest == "responses" ? method::responses : method::embeddings;
    return r.method == "POST";
  }
  if (rest == "messages") {
    c.spoken = dialect::anthropic;
    c.what = method::messages;
    return r.method == "POST";
  }
  if (rest == "models") {
    c.what = method::models;
    return r.method == "GET";
  }
  if (!strip(rest, "models/"))
    return false;
  c.what = method::model;
  c.model = percent_decoded(rest);
  return r.method == "GET";
}

/// The value of `"name":` near the top of a JSON text, found without a parser:
/// the fixed answers are for measuring, and must cost next to nothing.
std::string_view scan(std::string_view body, std::string_view name) {
  const auto at = body.find(name);
  if (at == body.npos)
    return {};
  auto rest = body.substr(at + name.size());
  const auto begin = rest.find_first_not_of(" \t\r\n:");
  if (begin == rest.npos)
    return {};
  rest.remove_prefix(begin);
  if (rest.front() == '"')
    return rest.substr(1, rest.find('"', 1) - 1);
  return rest.substr(0, rest.find_first_of(",} \r\n"));
}

} // namespace

std::optional<call> read_call(const request& r) {
  call c;
  c.key = key_of(r);
  c.query = r.query;
  c.body = r.body;
  c.verb = r.method;
  auto rest = r.path;
  bool known = false;
  if (strip(rest, "/v1beta1/publishers/google/") || strip(rest, "/v1/publishers/google/")) {
    c.spoken = dialect::vertex;
    known = read_gemini(r, rest, c);
  } else if (strip(rest, "/v1beta/openai/")) {
    known = read_openai(r, rest, c);
  } else if (strip(rest, "/v1beta/")) {
    known = read_gemini(r, rest, c);
  } else if (strip(rest, "/v1/")) {
    known = read_openai(r, rest, c);
  }
  if (!known)
    return {};
  if (c.what == method::chat || c.what == method::messages || c.what == method::responses
      || c.what == method::embeddings) {
    c.model = scan(c.body, "\"model\"");
    c.streams = scan(c.body, "\"stream\"") == "true";
  }
  return c;
}

} // namespace sandbox
