#include "protocol/gemini/native_target.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace troupe::gemini {
namespace {

constexpr std::size_t name_bytes_max = 256;

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

std::optional<target> read_cache_target(std::string_view below) {
  target t;
  t.of_caches = true;
  if (below == caches)
    return t;
  below.remove_prefix(caches.size());
  if (!below.starts_with('/') || !is_plain_name(below.substr(1)) || below.find(':') != below.npos)
    return std::nullopt;
  t.name = below.substr(1);
  return t;
}

} // namespace

read_query::read_query(std::string_view query) {
  if (query.starts_with('?'))
    query.remove_prefix(1);
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    take(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
}

void read_query::take(std::string_view pair) {
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

bool is_plain_name(std::string_view name) {
  if (name.empty() || name.size() > name_bytes_max || name == "." || name == "..")
    return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F
           || c == '/' || c == '\\' || c == '%' || c == '?' || c == '#';
  });
}

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
  if (below->starts_with(caches))
    return read_cache_target(*below);
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
  t.name = std::move(*below);
  return t.name.empty() ? std::nullopt : std::optional{std::move(t)};
}

std::string_view wanted_model(const native_call& call, const request_context& context) {
  return context.model.empty() ? std::string_view{call.model_asked} : context.model;
}

model_name read_model(std::string_view wanted, const request_context& context) {
  return parse_model_name(wanted, context.models ? *context.models : built_in_models());
}

client_error unknown_path() {
  return {.what = fault::unknown_path, .message = "There is no such path on this API."};
}

} // namespace troupe::gemini
