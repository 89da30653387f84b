#include "http/core/proxy_address.hpp"

#include "http/core/host_port.hpp"
#include "http/core/percent.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace troupe::http {

namespace {

/// One byte counts them (RFC 1929, 2).
constexpr std::size_t socks_login_max = 255;

/// With both, and in base64, the head of a request is still far below what any proxy takes.
constexpr std::size_t http_login_max = 2'048;

struct scheme {
  std::string_view text;
  proxy_kind kind;
  std::uint16_t usual_port;
};

constexpr std::array<scheme, 4> schemes{{{"http://", proxy_kind::http, 1080},
                                         {"https://", proxy_kind::https, 443},
                                         {"socks5://", proxy_kind::socks5, 1080},
                                         {"socks5h://", proxy_kind::socks5h, 1080}}};

failure bad_proxy(std::string_view what) {
  return {errc::invalid_argument, "the proxy " + std::string{what}};
}

const scheme& scheme_of(proxy_kind kind) {
  return *std::find_if(schemes.begin(), schemes.end(),
                       [kind](const scheme& each) { return each.kind == kind; });
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// Reads `user[:password]`. What is wrong with it, if anything.
std::optional<std::string_view> take_login(std::string_view text, proxy_address& to) {
  const auto colon = std::min(text.find(':'), text.size());
  auto user = percent_decode(text.substr(0, colon));
  auto password = percent_decode(colon < text.size() ? text.substr(colon + 1) : "");
  const auto size_max = to.speaks_socks() ? socks_login_max : http_login_max;
  if (user.size() > size_max || password.size() > size_max)
    return "has a user or a password that is too long";
  if (has_control(user) || has_control(password))
    return "has a user or a password with control characters";
  if (to.speaks_socks() && user.empty() && !password.empty())
    return "has a password but no user";
  if (!to.speaks_socks() && user.find(':') != std::string::npos)
    return "has a user with a colon, which HTTP cannot tell from the password";
  to.user = secret{std::move(user)};
  to.password = secret{std::move(password)};
  return std::nullopt;
}

} // namespace

result<proxy_address> parse_proxy(std::string_view text) {
  const auto* const found =
      std::find_if(schemes.begin(), schemes.end(),
                   [&text](const scheme& each) { return take_scheme(text, each.text); });
  if (found == schemes.end())
    return bad_proxy("begins with none of http://, https://, socks5:// and socks5h://");
  proxy_address proxy;
  proxy.kind = found->kind;
  if (text.ends_with('/'))
    text.remove_suffix(1);
  if (text.find_first_of("/?#") != std::string_view::npos)
    return bad_proxy("has a path, a query or a fragment, or such a character in its user or "
                     "password that must be percent-encoded");
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    if (const auto wrong = take_login(text.substr(0, at), proxy))
      return bad_proxy(*wrong);
    text.remove_prefix(at + 1);
  }
  auto place = read_host_port(text, found->usual_port);
  if (!place)
    return bad_proxy(place.error().text);
  proxy.host = std::move(place->host);
  proxy.port = place->port;
  return proxy;
}

std::string to_string(const proxy_address& proxy) {
  return std::string{scheme_of(proxy.kind).text} + join_host_port(proxy.host, proxy.port);
}

} // namespace troupe::http
