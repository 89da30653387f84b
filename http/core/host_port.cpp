#include "http/core/host_port.hpp"

#include "protocol/base/ascii.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::http {

namespace {

failure bad(std::string_view what) {
  return {errc::invalid_argument, std::string{what}};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool in_name(char c) {
  return (ascii::lower(c) >= 'a' && ascii::lower(c) <= 'z') || is_digit(c) || c == '-' || c == '.'
         || c == '_';
}

bool in_address(char c) {
  return is_digit(c) || (ascii::lower(c) >= 'a' && ascii::lower(c) <= 'f') || c == ':' || c == '.';
}

/// Takes `[address]` or `name` from the front of `authority`; what is left is the port.
result<std::string> take_host(std::string_view& authority) {
  const bool has_bracket = authority.starts_with('[');
  const auto end =
      has_bracket ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (end == std::string_view::npos)
    return bad("has an address without its closing bracket");
  const auto host = has_bracket ? authority.substr(1, end - 1) : authority.substr(0, end);
  authority.remove_prefix(has_bracket ? end + 1 : end);
  if (host.empty())
    return bad("names no host");
  const bool fine = has_bracket ? std::all_of(host.begin(), host.end(), in_address)
                                      && host.find(':') != std::string_view::npos
                                : std::all_of(host.begin(), host.end(), in_name);
  if (!fine)
    return bad("has a host that is neither a name nor an address");
  std::string lower{host};
  std::transform(lower.begin(), lower.end(), lower.begin(), &ascii::lower);
  return lower;
}

result<std::uint16_t> read_port(std::string_view text, std::uint16_t usual) {
  if (text.empty() || text == ":")
    return usual;
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 1, end, port);
  if (text.front() != ':' || error != std::errc{} || stop != end || port == 0)
    return bad("has a port that is not a number from 1 to 65535");
  return port;
}

} // namespace

bool take_scheme(std::string_view& url, std::string_view scheme) {
  if (!ascii::equal_any_case(url.substr(0, scheme.size()), scheme))
    return false;
  url.remove_prefix(scheme.size());
  return true;
}

result<host_port> read_host_port(std::string_view authority, std::uint16_t usual_port) {
  auto host = take_host(authority);
  if (!host)
    return host.error();
  const auto port = read_port(authority, usual_port);
  if (!port)
    return port.error();
  return host_port{std::move(*host), *port};
}

std::string bracketed(std::string_view host) {
  const bool brackets = host.find(':') != std::string_view::npos;
  std::string out;
  if (brackets)
    out += '[';
  out += host;
  if (brackets)
    out += ']';
  return out;
}

std::string join_host_port(std::string_view host, std::uint16_t port) {
  char digits[8];
  const auto* end = std::to_chars(digits, digits + sizeof digits, port).ptr;
  auto out = bracketed(host);
  out += ':';
  out.append(static_cast<const char*>(digits), end);
  return out;
}

} // namespace troupe::http
