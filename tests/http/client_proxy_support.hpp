#pragma once

#include "client_support.hpp"

#include <mutex>

/// Outgoing proxies for tests. After it has opened the way a scripted proxy plays the upstream
/// itself, on the same connection: the client cannot tell.

namespace troupe::http::testing {

/// What the scripts of one server have read, in order.
class notes {
public:
  void add(std::string text) {
    const std::lock_guard lock{mutex_};
    all_.push_back(std::move(text));
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock{mutex_};
    return all_;
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::string> all_;
};

inline const std::string way_is_open = "HTTP/1.1 200 Connection established\r\n\r\n";

/// A reply of SOCKS with an address of four bytes.
inline std::string socks_reply(char code) {
  return std::string{"\x05", 1} + code + std::string{"\x00\x01\x00\x00\x00\x00\x00\x00", 8};
}

inline std::string proxy_url(const scripted_server& s, std::string_view scheme,
                             std::string_view login = {}, std::string_view host = "127.0.0.1") {
  return std::string{scheme} + "://" + std::string{login} + std::string{host} + ":"
         + std::to_string(s.port());
}

/// An upstream that exists only behind proxies.
inline origin behind(std::string host = "upstream.test", bool tls = false) {
  origin to;
  to.tls = tls;
  to.host = std::move(host);
  to.port = 8080;
  return to;
}

inline got call_through(bench& b, const origin& to, std::string_view proxy,
                        client_request request = {}) {
  request.proxy = proxy;
  return b.call(to, request);
}

/// Exactly `n` bytes; fewer if the client closed.
inline std::string read_bytes(peer& p, std::size_t n) {
  std::string all(n, '\0');
  std::size_t have = 0;
  while (have < n) {
    const auto got = ::recv(p.fd(), all.data() + have, n - have, 0);
    if (got <= 0)
      break;
    have += static_cast<std::size_t>(got);
  }
  all.resize(have);
  return all;
}

/// Expects the greeting without a login and the name `upstream.test`, and opens the way.
inline void socks_opens(peer& p) {
  read_bytes(p, 3);
  p.write({"\x05\x00", 2});
  read_bytes(p, 4 + 1 + 13 + 2);
  p.write(socks_reply(0));
}

inline void expect_in(const std::string& text, std::string_view part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

inline void expect_not_in(const std::string& text, std::string_view part) {
  EXPECT_EQ(text.find(part), std::string::npos) << text;
}

} // namespace troupe::http::testing
