#include "http/client.hpp"
#include "http/core/host_port.hpp"

#include <algorithm>

namespace troupe::http {

namespace {

failure bad_url(std::string_view what) {
  // The URL itself stays out of the text: people put secrets into URLs.
  return {errc::invalid_argument, "the base URL " + std::string{what}};
}

bool in_path(char c) {
  return c > 0x20 && c < 0x7f;
}

} // namespace

result<std::pair<origin, std::string>> parse_base_url(std::string_view url) {
  origin to;
  if (take_scheme(url, "http://"))
    to.tls = false;
  else if (!take_scheme(url, "https://"))
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

  auto place = read_host_port(authority, to.tls ? 443 : 80);
  if (!place)
    return bad_url(place.error().text);
  to.host = std::move(place->host);
  to.port = place->port;
  while (path.ends_with('/'))
    path.remove_suffix(1);
  return std::pair{std::move(to), std::string{path}};
}

} // namespace troupe::http
