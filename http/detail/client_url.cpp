#include "http/client.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::http {

namespace {

failure bad_url(std::string_view what) {
  // The URL itself stays out of the text: people put secrets into URLs.
  return {errc::invalid_argument, "the base URL " + std::string{what}};
}

bool take_prefix(std::string_view& text, std::string_view lower_case) {
  if (text.size() < lower_case.size() || !same_name(text.substr(0, lower_case.size()), lower_case))
    return false;
  text.remove_prefix(lower_case.size());
  return true;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool in_name(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
}

bool in_address(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

bool in_path(char c) {
  return c > 0x20 && c < 0x7f;
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c | 0x20);
  return out;
}

/// Takes `[address]` or `name` from the front of `authority`; what is left is the port.
result<std::string> take_host(std::string_view& authority) {
  const bool bracketed = authority.starts_with('[');
  const auto end =
      bracketed ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (end == std::string_view::npos)
    return bad_url("has an address without its closing bracket");
  const auto host = bracketed ? authority.substr(1, end - 1) : authority.substr(0, end);
  authority.remove_prefix(bracketed ? end + 1 : end);
  if (host.empty())
    return bad_url("names no host");
  const bool fine = bracketed ? std::all_of(host.begin(), host.end(), in_address)
                                    && host.find(':') != std::string_view::npos
                              : std::all_of(host.begin(), host.end(), in_name);
  if (!fine)
    return bad_url("has a host that is neither a name nor an address");
  return lower(host);
}

result<std::uint16_t> read_port(std::string_view text, std::uint16_t usual) {
  if (text.empty() || text == ":")
    return usual;
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 1, end, port);
  if (text.front() != ':' || error != std::errc{} || stop != end || port == 0)
    return bad_url("has a port that is not a number from 1 to 65535");
  return port;
}

} // namespace

result<std::pair<origin, std::string>> parse_base_url(std::string_view url) {
  origin to;
  if (take_prefix(url, "http://"))
    to.tls = false;
  else if (!take_prefix(url, "https://"))
    return bad_url("begins with neither http:// nor https://");

  const auto path_begin = std::min(url.find_first_of("/?#"), url.size());
  auto authority = url.substr(0, path_begin);
  auto path = url.substr(path_begin);
  if (authority.find('@') != std::string_view::npos)
    return bad_url("may not hold a user or a password");
  if (path.find_first_of("?#") != std::string_view::npos)
    return bad_url("may not have a query or a fragment");
  if (!std::all_of(path.begin(), path.end(), in_path))
    return bad_url("has a path with characters that must be percent-encoded");

  auto host = take_host(authority);
  if (!host)
    return host.error();
  to.host = std::move(*host);
  auto port = read_port(authority, to.tls ? 443 : 80);
  if (!port)
    return port.error();
  to.port = *port;
  while (path.ends_with('/'))
    path.remove_suffix(1);
  return std::pair{std::move(to), std::string{path}};
}

} // namespace troupe::http
