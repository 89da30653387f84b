#pragma once

#include "protocol/base/secret.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The shortest and the longest text that is taken for a key.
constexpr std::size_t key_bytes_min = 8;
constexpr std::size_t key_bytes_max = 512;

/// What was found in a text that somebody pasted.
struct key_text {
  struct refusal {
    std::size_t line; ///< counted from 1
    std::string_view reason;
  };

  std::vector<secret> keys; ///< in order, each once
  std::size_t repeated = 0;
  std::size_t refused = 0;
  std::vector<refusal> refusals; ///< the first `refusals_max` of them; never the text itself

  static constexpr std::size_t refusals_max = 1'000;
};

/// Finds keys with anything between them that no key has: white space, commas, semicolons,
/// quotes, brackets, bars. Lines that begin with `#` or `//` are comments. A piece counts as a
/// key if it has at least one digit and one letter and only letters, digits, `-`, `_`, `.`;
/// words around keys (`keys`, `null`) are told as refused, and placeholders of examples too.
key_text find_keys(std::string_view text);

/// Why `text` cannot be a key, for people; empty: it can.
std::string_view fault_of_key(std::string_view text);

} // namespace troupe
