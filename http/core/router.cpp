#include "http/core/router.hpp"

namespace troupe::http {

namespace {

bool strip(std::string_view& path, std::string_view prefix) {
  if (!path.starts_with(prefix))
    return false;
  path.remove_prefix(prefix.size());
  return true;
}

route openai_route(std::string_view method, std::string_view rest) {
  const bool reads = method == "GET" || method == "HEAD";
  route r;
  if (rest == "/models") {
    r.what = reads ? endpoint::list_models : endpoint::wrong_method;
    r.allow = "GET, HEAD, OPTIONS";
  } else if (rest.starts_with("/models/") && rest.size() > 8) {
    r.what = reads ? endpoint::get_model : endpoint::wrong_method;
    r.allow = "GET, HEAD, OPTIONS";
    r.model = rest.substr(8);
  } else if (rest == "/chat/completions") {
    r.what = method == "POST" ? endpoint::chat_completions : endpoint::wrong_method;
    r.allow = "POST, OPTIONS";
  }
  return r;
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
  if (r.speaks == surface::openai && strip(rest, "/v1")) {
    if (rest.starts_with("/v1/"))
      strip(rest, "/v1");
    return openai_route(method, rest);
  }
  return r;
}

} // namespace troupe::http
