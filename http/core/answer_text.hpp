#pragma once

#include "protocol/base/time.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace troupe::http {

/// The reason phrase of a status, or an empty text for one that has none here.
std::string_view status_text(int status);

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
constexpr std::size_t http_date_bytes = 29;
std::array<char, http_date_bytes> http_date(wall_time when);

/// No body follows such an answer, whatever its head says (RFC 9112, 6.3).
constexpr bool never_has_body(int status) {
  return status / 100 == 1 || status == 204 || status == 304;
}

} // namespace troupe::http
