#pragma once

#include "protocol/json/raw.hpp"

#include <cstddef>
#include <string_view>

namespace troupe::upstream {

/// Walks over the members of the outermost object of a text, reading each byte about once and
/// building nothing. Made for bodies that nobody has checked: of text that is not JSON it finds
/// less, or nonsense, but never reads outside it. What it finds in JSON is exact.
class member_walk {
public:
  explicit member_walk(std::string_view text);

  /// Goes to the next member; false: there is none.
  bool next();

  /// Its name as written, between the quotes.
  std::string_view name() const { return name_.in(text_); }
  /// Whether its name is `wanted` (ASCII), also where it is written with escapes.
  bool is_named(std::string_view wanted) const;

  json::place value() const { return value_; }

private:
  std::string_view text_;
  std::size_t at_;
  json::place name_, value_;
};

/// The place after the string whose quote is at `at`, or the end of the text.
std::size_t skip_string(std::string_view text, std::size_t at);

/// The place after the value at `at`, or the end of the text.
std::size_t skip_value(std::string_view text, std::size_t at);

std::size_t skip_spaces(std::string_view text, std::size_t at);

} // namespace troupe::upstream
