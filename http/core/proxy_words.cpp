#include "http/core/proxy_words.hpp"

#include "http/core/head_scan.hpp"

#include <openssl/evp.h>

#include <arpa/inet.h>

#include <algorithm>

namespace troupe::http {

namespace {

using state = proxy_answer::state;

constexpr char socks_version = 5;
constexpr char login_version = 1;

unsigned char byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

void append_base64(std::string& out, std::string_view text) {
  const auto begin = out.size();
  // OpenSSL ends what it writes with a null of its own.
  out.resize(begin + (text.size() + 2) / 3 * 4 + 1);
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + begin),
                  reinterpret_cast<const unsigned char*>(text.data()),
                  static_cast<int>(text.size()));
  out.pop_back();
}

/// The status of `HTTP/1.x NNN`; 0: it is not that.
int status_of(std::string_view head) {
  constexpr std::string_view begin = "HTTP/1.";
  if (head.size() < begin.size() + 6 || !head.starts_with(begin))
    return 0;
  head.remove_prefix(begin.size());
  const bool digits =
      std::all_of(head.begin() + 2, head.begin() + 5, [](char c) { return c >= '0' && c <= '9'; });
  if ((head[0] != '0' && head[0] != '1') || head[1] != ' ' || head[2] == '0' || !digits
      || (head[5] != ' ' && head[5] != '\r'))
    return 0;
  return (head[2] - '0') * 100 + (head[3] - '0') * 10 + (head[4] - '0');
}

/// An answer of SOCKS that is a version and a code.
proxy_answer read_pair(std::string_view bytes, char version) {
  if (!bytes.empty() && bytes[0] != version)
    return {state::malformed};
  if (bytes.size() < 2)
    return {state::more};
  return {state::done, 2, byte_at(bytes, 1)};
}

void append_counted(std::string& out, std::string_view text) {
  out += static_cast<char>(text.size());
  out += text;
}

} // namespace

void write_connect(std::string& out, std::string_view authority, const proxy_address& proxy) {
  out.assign("CONNECT ").append(authority).append(" HTTP/1.1\r\nhost: ").append(authority);
  if (proxy.has_login()) {
    out.append("\r\nproxy-authorization: Basic ");
    append_base64(out,
                  std::string{proxy.user.reveal()}.append(":").append(proxy.password.reveal()));
  }
  out.append("\r\n\r\n");
}

proxy_answer read_connect_answer(std::string_view bytes) {
  std::size_t used = 0;
  while (true) {
    const auto rest = bytes.substr(used);
    head_scan scan;
    switch (scan.look(rest)) {
    case head_scan::state::incomplete:
      return {state::more};
    case head_scan::state::malformed:
      return {state::malformed};
    case head_scan::state::complete:
      break;
    }
    const int status = status_of(rest.substr(scan.begin()));
    used += scan.end();
    // 101 would end HTTP here, but nobody asked for that.
    if (status == 0 || status == 101 || used > proxy_answer_bytes_max)
      return {state::malformed};
    if (status >= 300)
      return {state::done, bytes.size(), status}; // its body tells people more; we stop here
    if (status >= 200)
      return {state::done, used, status};
  }
}

namespace socks {

void write_greeting(std::string& out, const proxy_address& proxy) {
  out = {socks_version};
  if (proxy.has_login())
    out.append({2, no_login, user_and_password});
  else
    out.append({1, no_login});
}

proxy_answer read_choice(std::string_view bytes) {
  return read_pair(bytes, socks_version);
}

void write_login(std::string& out, const proxy_address& proxy) {
  out = {login_version};
  append_counted(out, proxy.user.reveal());
  append_counted(out, proxy.password.reveal());
}

proxy_answer read_login_answer(std::string_view bytes) {
  return read_pair(bytes, login_version);
}

bool write_connect(std::string& out, const std::string& host, std::uint16_t port) {
  constexpr char connect = 1;
  constexpr char ipv4 = 1;
  constexpr char name = 3;
  constexpr char ipv6 = 4;
  char address[sizeof(in6_addr)];
  out = {socks_version, connect, 0};
  if (inet_pton(AF_INET, host.c_str(), address) == 1) {
    out += ipv4;
    out.append(address, sizeof(in_addr));
  } else if (inet_pton(AF_INET6, host.c_str(), address) == 1) {
    out += ipv6;
    out.append(address, sizeof(in6_addr));
  } else {
    if (host.size() > 255)
      return false;
    out += name;
    append_counted(out, host);
  }
  out += static_cast<char>(port >> 8);
  out += static_cast<char>(port & 255);
  return true;
}

proxy_answer read_connect_answer(std::string_view bytes) {
  constexpr std::size_t before_address = 4;
  constexpr std::size_t port_bytes = 2;
  const auto begin = read_pair(bytes, socks_version);
  if (begin.is != state::done)
    return begin;
  // A refusal may end here: some proxies send no address with it.
  if (begin.code != 0)
    return {state::done, bytes.size(), begin.code};
  if (bytes.size() <= before_address)
    return {state::more};
  std::size_t whole = before_address + port_bytes;
  switch (bytes[3]) {
  case 1:
    whole += sizeof(in_addr);
    break;
  case 3:
    whole += 1 + std::size_t{byte_at(bytes, before_address)};
    break;
  case 4:
    whole += sizeof(in6_addr);
    break;
  default:
    return {state::malformed};
  }
  if (bytes.size() < whole)
    return {state::more};
  return {state::done, whole, 0};
}

} // namespace socks

std::string connect_refusal(int status, bool has_login) {
  const auto number = " (" + std::to_string(status) + ")";
  switch (status) {
  case 403:
    return "it is not allowed" + number;
  case 407:
    return (has_login ? "it refuses the user and the password"
                      : "it asks for a user and a password")
           + number;
  case 502:
  case 504:
    return "the upstream behind it cannot be reached" + number;
  case 503:
    return "it, or the upstream behind it, is not available" + number;
  default:
    return "it answers " + std::to_string(status);
  }
}

std::string socks_refusal(int reply) {
  switch (reply) {
  case 1:
    return "it failed and does not say why";
  case 2:
    return "it is not allowed";
  case 3:
    return "the upstream behind it cannot be reached (network unreachable)";
  case 4:
    return "the upstream behind it cannot be reached (host unreachable)";
  case 5:
    return "the upstream behind it cannot be reached (connection refused)";
  case 6:
    return "the upstream behind it cannot be reached (too many hops)";
  case 7:
    return "it makes no connections";
  case 8:
    return "it does not know addresses of this kind";
  default:
    return "it answers " + std::to_string(reply);
  }
}

} // namespace troupe::http
