#pragma once

#include "protocol/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::http {

struct host_port {
  std::string host; ///< in lower case, an address without its brackets
  std::uint16_t port;
};

/// Takes `scheme`, given in lower case, from the front of `url`. False: `url` begins otherwise.
bool take_scheme(std::string_view& url, std::string_view scheme);

/// Reads `name`, `name:port` or either with an `[address]`. Fails with `invalid_argument` and
/// half a sentence ("names no host"), which never repeats `authority`: people put secrets there.
result<host_port> read_host_port(std::string_view authority, std::uint16_t usual_port);

/// `host:port`, an IPv6 address in brackets.
std::string join_host_port(std::string_view host, std::uint16_t port);

/// As it stands in a URL: an IPv6 address in brackets.
std::string bracketed(std::string_view host);

} // namespace troupe::http
