#pragma once

#include "protocol/config/problem.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// JSON with comments, as operators write it: `//` to the end of the line and `/* */`.
///
/// A reader of its own, because every value must remember its line and every name that stands
/// twice must be told with both lines; a second parser that only counts lines would have to
/// agree with the first one in every corner. Bounded in bytes and in depth.

namespace troupe::config {

constexpr std::size_t document_bytes_max = std::size_t{16} * 1024 * 1024;
constexpr std::size_t document_depth_max = 32;

enum class node_kind : std::uint8_t { null, boolean, integer, number, text, list, object };

struct member;

struct node {
  node_kind kind = node_kind::null;
  std::size_t line = 0;
  bool truth = false;          ///< boolean
  std::int64_t whole = 0;      ///< integer
  std::string text;            ///< text, decoded; a number as it was written
  std::vector<node> items;     ///< list
  std::vector<member> members; ///< object, in the order of the text; each name once

  const node* find(std::string_view name) const;
};

struct member {
  std::string name;
  std::size_t line = 0;
  node value;
};

/// `a list`, `a text`, ...: what a value is, for error texts.
std::string_view describe(node_kind kind);

/// Reads the one value that `text` holds. A syntax error ends the reading and gives nothing;
/// a name that stands twice is a problem too, but the rest is still read (the first one counts)
/// so that everything wrong is told at once.
std::optional<node> read_document(std::string_view text, std::string_view source,
                                  config_problems& problems);

/// Compact JSON.
std::string write_json(const node& value);

/// `text` as a JSON string, quotes included.
std::string quoted(std::string_view text);

} // namespace troupe::config
