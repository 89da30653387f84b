// The low-level functions cost a tenth of what fetching an algorithm costs per call.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "http/core/credentials.hpp"

#include "http/core/percent.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

namespace troupe::http {

namespace {

std::uint64_t beginning(const sha256_hash& hash) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value = value << 8 | hash[i];
  return value;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

bool is_bearer(std::string_view scheme) {
  static constexpr std::string_view bearer = "bearer";
  return std::equal(scheme.begin(), scheme.end(), bearer.begin(), bearer.end(),
                    [](char a, char b) { return (a | 0x20) == b; });
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view bearer_in(std::string_view authorization) {
  const auto text = trimmed(authorization);
  const auto blank = text.find_first_of(" \t");
  if (blank == std::string_view::npos || !is_bearer(text.substr(0, blank)))
    return {};
  return trimmed(text.substr(blank));
}

/// Takes the next parameter from the front of `query`, without its `&`.
std::string_view take_parameter(std::string_view& query) {
  const auto end = std::min(query.find('&'), query.size());
  const auto parameter = query.substr(0, end);
  query.remove_prefix(std::min(end + 1, query.size()));
  return parameter;
}

bool is_key(std::string_view parameter) {
  // Decoded, as the upstream would read it: `k%65y` is `key` there.
  const auto name = parameter.substr(0, parameter.find('='));
  return name == "key"
         || (name.find('%') != std::string_view::npos && percent_decode(name) == "key");
}

std::string key_in(std::string_view query) {
  while (!query.empty()) {
    const auto parameter = take_parameter(query);
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos || !is_key(parameter))
      continue;
    auto value = percent_decode(parameter.substr(equals + 1));
    if (!value.empty())
      return value;
  }
  return {};
}

} // namespace

sha256_hash sha256(std::string_view text) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, text.data(), text.size());
  sha256_hash hash;
  SHA256_Final(hash.data(), &state);
  OPENSSL_cleanse(&state, sizeof state);
  return hash;
}

std::optional<sha256_hash> parse_sha256(std::string_view hex) {
  sha256_hash hash;
  if (hex.size() != 2 * hash.size())
    return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    hash[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return hash;
}

key_id fingerprint(std::string_view secret) {
  return key_id{beginning(sha256(secret))};
}

credential credential_of(std::string name, std::string_view secret) {
  credential c;
  c.name = std::move(name);
  c.hash = sha256(secret);
  return c;
}

bool matches(std::string_view pattern, std::string_view text) {
  const auto first = pattern.find('*');
  if (first == std::string_view::npos)
    return pattern == text;
  if (!text.starts_with(pattern.substr(0, first)))
    return false;
  text.remove_prefix(first);
  pattern.remove_prefix(first + 1);
  // Each piece between two stars is taken where it is found first: no later place serves better.
  for (auto star = pattern.find('*'); star != std::string_view::npos; star = pattern.find('*')) {
    const auto at = text.find(pattern.substr(0, star));
    if (at == std::string_view::npos)
      return false;
    text.remove_prefix(at + star);
    pattern.remove_prefix(star + 1);
  }
  return text.ends_with(pattern);
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& p) { return matches(p, text); });
}

credential_set::credential_set(std::vector<credential> list) : sorted_(std::move(list)) {
  std::stable_sort(sorted_.begin(), sorted_.end(), [](const credential& a, const credential& b) {
    return beginning(a.hash) < beginning(b.hash);
  });
}

const credential* credential_set::find(std::string_view presented) const {
  if (presented.empty() || sorted_.empty())
    return nullptr;
  const auto hash = sha256(presented);
  const auto begins = beginning(hash);
  auto it = std::lower_bound(
      sorted_.begin(), sorted_.end(), begins,
      [](const credential& c, std::uint64_t value) { return beginning(c.hash) < value; });
  for (; it != sorted_.end() && beginning(it->hash) == begins; ++it)
    if (CRYPTO_memcmp(it->hash.data(), hash.data(), hash.size()) == 0)
      return &*it;
  return nullptr;
}

std::string presented_in(const credential_places& places) {
  if (const auto token = bearer_in(places.authorization); !token.empty())
    return std::string{token};
  if (const auto key = trimmed(places.x_api_key); !key.empty())
    return std::string{key};
  if (const auto key = trimmed(places.x_goog_api_key); !key.empty())
    return std::string{key};
  return key_in(places.query);
}

std::string without_key(std::string_view query) {
  std::string out;
  out.reserve(query.size());
  bool first = true;
  for (std::size_t begin = 0, end = 0; end < query.size(); begin = end + 1) {
    end = std::min(query.find('&', begin), query.size());
    const auto parameter = query.substr(begin, end - begin);
    if (is_key(parameter))
      continue;
    if (!first)
      out += '&';
    out += parameter;
    first = false;
  }
  return out;
}

} // namespace troupe::http
