#pragma once

#include "http/core/proxy_address.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// What is said to an outgoing proxy, and what its answers mean: CONNECT of HTTP (RFC 9110,
/// 9.3.6), SOCKS 5 (RFC 1928) with user and password (RFC 1929). Every `write_` replaces `out`.

namespace troupe::http {

/// The most that a proxy may say in one answer, not counting the body of a refusal.
constexpr std::size_t proxy_answer_bytes_max = 8 * 1024;

struct proxy_answer {
  enum class state : std::uint8_t { more, done, malformed };

  state is;
  std::size_t used = 0; ///< once `done`
  int code = 0;         ///< once `done`: HTTP's status, SOCKS' method, status or reply
};

/// All bytes that have come since the question, from the first.
using proxy_answer_reader = proxy_answer (*)(std::string_view bytes);

/// `authority`: `host:port` of the upstream.
void write_connect(std::string& out, std::string_view authority, const proxy_address& proxy);

/// Interim answers are skipped. Fields are not looked at: nothing follows the head of an answer
/// that opens the way, and any other, which uses up all that came with it, ends the connection.
proxy_answer read_connect_answer(std::string_view bytes);

namespace socks {

constexpr int no_login = 0;
constexpr int user_and_password = 2;
constexpr int none_of_these = 255;

/// Which ways to log in there are: with a login that, and in any case none.
void write_greeting(std::string& out, const proxy_address& proxy);
proxy_answer read_choice(std::string_view bytes);

void write_login(std::string& out, const proxy_address& proxy);
proxy_answer read_login_answer(std::string_view bytes);

/// `host`: an address, or a name of at most 255 characters. False: it is longer.
bool write_connect(std::string& out, const std::string& host, std::uint16_t port);
proxy_answer read_connect_answer(std::string_view bytes);

} // namespace socks

/// Why a proxy does not lead to the upstream, for people. Nothing of the proxy's own words is in
/// it, as they may repeat the login.
std::string connect_refusal(int status, bool has_login);
std::string socks_refusal(int reply);

} // namespace troupe::http
