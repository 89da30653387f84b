#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// The loggable fingerprint of a key: 64 bits of a SHA-256 over its secret, made by
/// `http/core/credentials`. Prints as `key_` and 16 hex digits.
struct key_id {
  std::uint64_t value = 0;

  friend auto operator<=>(const key_id&, const key_id&) = default;
};

std::string to_string(key_id id);

/// The inverse of `to_string`; nothing for any other text.
std::optional<key_id> parse_key_id(std::string_view text);

} // namespace troupe

template <>
struct std::hash<troupe::key_id> {
  std::size_t operator()(troupe::key_id id) const noexcept { return id.value; }
};
