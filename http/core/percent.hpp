#pragma once

#include <string>
#include <string_view>

namespace troupe::http {

/// Decodes `%41`; a `%` that two hex digits do not follow stays as it is. `+` is not a blank.
std::string percent_decode(std::string_view text);

/// Encodes all but unreserved characters (RFC 3986, 2.3).
std::string percent_encode(std::string_view text);

} // namespace troupe::http
