#pragma once

#include <span>
#include <string_view>

namespace troupe::upstream {

/// One header field of an upstream's answer. Names compare without case.
struct header_field {
  std::string_view name;
  std::string_view value;
};

/// The first value of `name`, or an empty text.
std::string_view value_of(std::span<const header_field> fields, std::string_view name);

/// Whether `name` begins with `prefix` (lower case), whatever its case.
bool begins_with(std::string_view name, std::string_view prefix);

/// The same for its end.
bool ends_with(std::string_view name, std::string_view suffix);

} // namespace troupe::upstream
