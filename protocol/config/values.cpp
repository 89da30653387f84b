#include "protocol/config/values.hpp"

#include "protocol/config/names.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace troupe {

std::string to_string(const listen_address& where) {
  const bool v6 = where.address.find(':') != std::string::npos;
  return (v6 ? '[' + where.address + ']' : where.address) + ':' + std::to_string(where.port);
}

} // namespace troupe

namespace troupe::config {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t size;
};

// The largest first: formatting takes the first that divides.
constexpr std::array duration_units{
    unit{"d", 86'400'000}, unit{"h", 3'600'000}, unit{"m", 60'000}, unit{"s", 1'000}, unit{"ms", 1},
};
constexpr std::uint64_t duration_max_ms = 3'660ULL * 86'400'000ULL; // ten years

constexpr std::array byte_units{
    unit{"GiB", 1ULL << 30},
    unit{"MiB", 1ULL << 20},
    unit{"KiB", 1ULL << 10},
    unit{"GB", 1'000'000'000},
    unit{"MB", 1'000'000},
    unit{"kB", 1'000},
    unit{"KB", 1'000},
    unit{"B", 1},
    unit{"", 1},
};

std::optional<std::uint64_t> take_digits(std::string_view& text) {
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{})
    return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return port;
}

bool is_ipv4(std::string_view text) {
  const auto parts = split(text, '.');
  return parts.size() == 4 && is_printable(text, false)
         && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
              return !part.empty() && part.size() <= 3 && (part.size() == 1 || part[0] != '0')
                     && parse_port(part).value_or(256) <= 255;
            });
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

/// RFC 4291 section 2.2, without zones.
bool is_ipv6(std::string_view text) {
  const auto gap = text.find("::");
  if (!is_printable(text, false))
    return false;
  if (gap != std::string_view::npos && text.find("::", gap + 1) != std::string_view::npos)
    return false;
  std::size_t groups = 0;
  const auto count = [&](std::string_view half, bool last) {
    if (half.empty())
      return true;
    const auto parts = split(half, ':');
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (last && i + 1 == parts.size() && is_ipv4(parts[i]))
        ++groups;
      else if (parts[i].empty() || parts[i].size() > 4 || !is_hex(parts[i]))
        return false;
      ++groups;
    }
    return true;
  };
  if (gap == std::string_view::npos)
    return count(text, true) && groups == 8;
  return count(text.substr(0, gap), false) && count(text.substr(gap + 2), true) && groups < 8;
}

bool is_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']'))
    return is_ipv6(host.substr(1, host.size() - 2));
  return !host.empty() && host.size() <= 253 && !host.starts_with('.')
         && std::all_of(host.begin(), host.end(), [](char c) {
              return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                     || c == '-' || c == '.' || c == '_';
            });
}

/// What follows `scheme://` up to the first `/`, and the rest.
struct split_url {
  std::string_view scheme, authority, path;
};

std::optional<split_url> split_at_scheme(std::string_view url) {
  const auto colon = url.find("://");
  if (colon == std::string_view::npos)
    return std::nullopt;
  const auto rest = url.substr(colon + 3);
  const auto slash = std::min(rest.find('/'), rest.size());
  return split_url{url.substr(0, colon), rest.substr(0, slash), rest.substr(slash)};
}

bool is_authority(std::string_view authority) {
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket))
    return is_host(authority);
  return is_host(authority.substr(0, colon))
         && parse_port(authority.substr(colon + 1)).value_or(0) != 0;
}

} // namespace

std::optional<duration> parse_duration(std::string_view text) {
  text = trimmed(text);
  if (text == "0")
    return duration{0};
  std::uint64_t total_ms = 0;
  std::uint64_t last_unit = std::numeric_limits<std::uint64_t>::max();
  if (text.empty())
    return std::nullopt;
  while (!text.empty()) {
    const auto amount = take_digits(text);
    const auto length = std::min(text.find_first_of("0123456789"), text.size());
    const auto name = text.substr(0, length);
    const auto found = std::find_if(duration_units.begin(), duration_units.end(),
                                    [&](const unit& u) { return u.name == name; });
    // Larger units come first, each once: `1h30m`.
    if (!amount || found == duration_units.end() || found->size >= last_unit
        || *amount > duration_max_ms / found->size)
      return std::nullopt;
    last_unit = found->size;
    total_ms += *amount * found->size;
    text.remove_prefix(length);
  }
  if (total_ms > duration_max_ms)
    return std::nullopt;
  return std::chrono::milliseconds{total_ms};
}

std::string format_duration(duration span) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
  if (ms <= 0)
    return "0s";
  for (const auto& u : duration_units)
    if (static_cast<std::uint64_t>(ms) % u.size == 0)
      return std::to_string(static_cast<std::uint64_t>(ms) / u.size) + std::string{u.name};
  return {};
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  text = trimmed(text);
  const auto amount = take_digits(text);
  const auto name = trimmed(text);
  const auto found = std::find_if(byte_units.begin(), byte_units.end(),
                                  [&](const unit& u) { return u.name == name; });
  if (!amount || found == byte_units.end()
      || *amount > std::numeric_limits<std::int64_t>::max() / found->size)
    return std::nullopt;
  return *amount * found->size;
}

std::string format_bytes(std::uint64_t bytes) {
  for (const auto& u : std::span{byte_units}.first(3))
    if (bytes != 0 && bytes % u.size == 0)
      return std::to_string(bytes / u.size) + std::string{u.name};
  return std::to_string(bytes);
}

std::optional<listen_address> parse_listen_address(std::string_view text) {
  text = trimmed(text);
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  const auto port = parse_port(text.substr(colon + 1));
  auto host = text.substr(0, colon);
  if (!port)
    return std::nullopt;
  if (host.empty())
    return listen_address{"0.0.0.0", *port};
  if (host == "localhost")
    return listen_address{"127.0.0.1", *port};
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    return is_ipv6(host) ? std::optional{listen_address{std::string{host}, *port}} : std::nullopt;
  }
  return is_ipv4(host) ? std::optional{listen_address{std::string{host}, *port}} : std::nullopt;
}

std::string_view fault_of_base_url(std::string_view url) {
  const auto parts = split_at_scheme(url);
  if (!parts || (parts->scheme != "http" && parts->scheme != "https"))
    return "must begin with http:// or https://";
  if (parts->authority.find('@') != std::string_view::npos)
    return "must hold no user and no password";
  if (url.find_first_of("?#") != std::string_view::npos)
    return "must have no query and no fragment";
  if (!is_authority(parts->authority))
    return "must name a host, and a port from 1 to 65535 if any";
  if (!is_printable(parts->path, false))
    return "must hold no space and no control character";
  return {};
}

std::string normalized_base_url(std::string_view url) {
  const auto without_slashes = [](std::string_view s) {
    while (s.ends_with('/'))
      s.remove_suffix(1);
    return s;
  };
  url = without_slashes(url);
  for (const std::string_view tail :
       {"/v1beta", "/v1beta1/publishers/google", "/v1/publishers/google", "/v1"})
    if (url.ends_with(tail))
      return std::string{without_slashes(url.substr(0, url.size() - tail.size()))};
  return std::string{url};
}

std::string_view fault_of_proxy(std::string_view url) {
  constexpr std::array schemes{"http", "https", "socks5", "socks5h"};
  const auto parts = split_at_scheme(url);
  if (!parts || std::find(schemes.begin(), schemes.end(), parts->scheme) == schemes.end())
    return "must begin with http://, https://, socks5:// or socks5h://";
  if (url.find("***") != std::string_view::npos)
    return "is masked, which is no proxy";
  const auto at = parts->authority.rfind('@');
  const bool user = at != std::string_view::npos;
  const auto host = user ? parts->authority.substr(at + 1) : parts->authority;
  const auto who = user ? parts->authority.substr(0, at) : std::string_view{"u"};
  if (who.empty() || who.front() == ':' || who.find_first_of("@?#") != std::string_view::npos
      || !is_printable(who, false))
    return "must have a user before the password, and special characters of both as %40";
  const auto colon = host.rfind(':');
  if (!parts->path.empty() || colon == std::string_view::npos || host.ends_with(']')
      || !is_authority(host))
    return "must end with a host and a port from 1 to 65535";
  return {};
}

std::string masked_proxy(std::string_view url) {
  const auto scheme = url.find("://");
  const auto at = url.rfind('@');
  if (at == std::string_view::npos)
    return std::string{url};
  const auto shown = scheme == std::string_view::npos || scheme > at ? 0 : scheme + 3;
  return std::string{url.substr(0, shown)} + "***" + std::string{url.substr(at)};
}

bool is_zone_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.front() != '/' && text.back() != '/'
         && text.find("..") == std::string_view::npos
         && std::all_of(text.begin(), text.end(), [](char c) {
              return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                     || c == '/' || c == '_' || c == '-' || c == '+';
            });
}

bool is_model_name(std::string_view text) {
  constexpr std::size_t length_max = 128;
  return !text.empty() && text.size() <= length_max && is_printable(text, false);
}

bool is_origin(std::string_view text) {
  if (text == "*")
    return true;
  const auto parts = split_at_scheme(text);
  return parts && parts->path.empty() && is_authority(parts->authority)
         && (parts->scheme == "http" || parts->scheme == "https");
}

bool is_header_name(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || others.find(c) != std::string_view::npos;
  });
}

bool is_printable(std::string_view text, bool spaces) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return (c > ' ' && c <= '~') || (spaces && c == ' '); });
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && is_hex(text);
}

} // namespace troupe::config
