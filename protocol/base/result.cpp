#include "protocol/base/result.hpp"

namespace troupe {

std::string_view to_string(errc code) {
  switch (code) {
  case errc::invalid_argument:
    return "invalid argument";
  case errc::not_found:
    return "not found";
  case errc::already_exists:
    return "already exists";
  case errc::permission:
    return "permission denied";
  case errc::corrupt:
    return "corrupt data";
  case errc::storage_failed:
    return "storage failed";
  case errc::no_key_available:
    return "no key available";
  case errc::shutting_down:
    return "shutting down";
  case errc::cancelled:
    return "cancelled";
  case errc::connect_failed:
    return "connect failed";
  case errc::tls_failed:
    return "TLS failed";
  case errc::upstream_timeout:
    return "upstream timeout";
  case errc::upstream_broken:
    return "upstream connection broken";
  case errc::upstream_malformed:
    return "upstream answer malformed";
  case errc::storage_full:
    return "storage full";
  case errc::conflict:
    return "changed by somebody else";
  case errc::proxy_failed:
    return "proxy failed";
  }
  return "unknown";
}

} // namespace troupe
