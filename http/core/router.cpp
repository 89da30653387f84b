#include "http/core/router.hpp"

#include <algorithm>

namespace troupe::http {

namespace {

constexpr std::string_view responses = "/responses/";

bool strip(std::string_view& path, std::string_view prefix) {
  if (!path.starts_with(prefix))
    return false;
  path.remove_prefix(prefix.size());
  return true;
}

/// Ids that upstreams give are made of these. Any other could name another path.
bool is_plain_id(std::string_view id) {
  return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '-';
  });
}

/// `what` if the method will do.
void decide(route& r, bool method_will_do, endpoint what, std::string_view allow) {
  r.what = method_will_do ? what : endpoint::wrong_method;
  r.allow = allow;
}

bool is_forwarded(std::string_view rest) {
  return rest == "/responses" || rest == "/completions" || rest == "/embeddings";
}

bool is_message(std::string_view rest) {
  return rest == "/messages" || rest == "/messages/count_tokens";
}

/// Below `/v1`. OpenAI's and Anthropic's paths do not meet there.
void match_v1(route& r, std::string_view method, std::string_view rest) {
  const bool reads = method == "GET" || method == "HEAD";
  const bool posts = method == "POST";
  r.below = rest;
  if (rest == "/models") {
    decide(r, reads, endpoint::list_models, "GET, HEAD, OPTIONS");
  } else if (rest.starts_with("/models/") && rest.size() > 8) {
    decide(r, reads, endpoint::get_model, "GET, HEAD, OPTIONS");
    r.model = rest.substr(8);
  } else if (rest == "/chat/completions") {
    decide(r, posts, endpoint::chat_completions, "POST, OPTIONS");
  } else if (is_forwarded(rest)) {
    decide(r, posts, endpoint::forward_openai, "POST, OPTIONS");
  } else if (rest.starts_with(responses) && is_plain_id(rest.substr(responses.size()))) {
    decide(r, method == "GET" || method == "DELETE", endpoint::forward_openai,
           "GET, DELETE, OPTIONS");
    r.response = rest.substr(responses.size());
  } else if (is_message(rest)) {
    r.speaks = surface::anthropic;
    decide(r, posts, endpoint::messages, "POST, OPTIONS");
  }
}

} // namespace

route match(std::string_view method, std::string_view path) {
  route r;
  r.speaks = surface_of(path);
  if (method == "OPTIONS") {
    r.what = endpoint::preflight;
    return r;
  }
  while (path.size() > 1 && path.ends_with('/'))
    path.remove_suffix(1);
  if (r.speaks == surface::gemini) {
    if (path.starts_with("/v1beta/") || path.starts_with("/gemini/v1beta/"))
      r.what = endpoint::native;
    return r;
  }
  auto rest = path;
  strip(rest, "/hf");
  if (strip(rest, "/v1")) {
    if (rest.starts_with("/v1/"))
      strip(rest, "/v1");
    match_v1(r, method, rest);
  }
  return r;
}

} // namespace troupe::http
