#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// A JSON text as a tree of values that anybody may hold: for bodies that are small and rare,
/// where it matters more to name each thing that is wrong than to read fast.

namespace troupe::json {

enum class kind : std::uint8_t { null, boolean, integer, number, text, list, object };

/// `a list`, `a text`, ...: for error texts.
std::string_view describe(kind k);

struct tree_member;

struct tree {
  kind what = kind::null;
  bool truth = false;               ///< boolean
  std::int64_t whole = 0;           ///< integer, also where it was written as `3.0`
  std::string text;                 ///< text, decoded
  std::vector<tree> items;          ///< list
  std::vector<tree_member> members; ///< object, in their order; each name once

  const tree* find(std::string_view name) const; ///< null: there is none
};

struct tree_member {
  std::string name;
  tree value;
};

/// What is wrong with a text, and where. Repeats nothing of the text but names of members.
struct tree_fault {
  std::size_t line = 0; ///< counted from 1
  std::size_t column = 0;
  std::string text;
};

constexpr std::size_t tree_depth_max = 32;
constexpr std::size_t tree_values_max = 1'000'000;

/// Reads `text` strictly: no comments, no name twice in one object, nothing after the value,
/// valid UTF-8, within the bounds above.
std::variant<tree, tree_fault> read_tree(std::string_view text);

} // namespace troupe::json
