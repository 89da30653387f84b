#pragma once

#include "protocol/base/result.hpp"
#include "protocol/base/secret.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::http {

enum class proxy_kind : std::uint8_t {
  http,   ///< CONNECT over TCP
  https,  ///< CONNECT over TLS; the proxy's certificate is verified like an upstream's
  socks5, ///< RFC 1928; the upstream's name is looked up here
  socks5h ///< RFC 1928; the upstream's name is looked up by the proxy
};

/// An outgoing proxy: how it is spoken to, where it is, and who we are to it.
struct proxy_address {
  proxy_kind kind = proxy_kind::http;
  std::string host; ///< name or address, without brackets
  std::uint16_t port = 0;
  secret user; ///< empty, as the password: none is shown
  secret password;

  bool has_login() const { return !user.empty() || !password.empty(); }
  bool speaks_socks() const { return kind == proxy_kind::socks5 || kind == proxy_kind::socks5h; }

  friend bool operator==(const proxy_address&, const proxy_address&) = default;
};

/// Reads `scheme://[user[:password]@]host[:port]` with the schemes `http`, `https`, `socks5` and
/// `socks5h`. User and password are percent-decoded. Without a port it is that of curl: 443 for
/// `https`, 1080 for all others (CURLOPT_PROXYPORT(3), read 2026-11-25). Fails with
/// `invalid_argument` and a text that repeats nothing of `text`.
result<proxy_address> parse_proxy(std::string_view text);

/// `scheme://host:port`, without user and password.
std::string to_string(const proxy_address& proxy);

} // namespace troupe::http
