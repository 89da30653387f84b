#pragma once

// Private to the schema_*.cpp files.

#include "protocol/json/reader.hpp"
#include "protocol/openai/schema.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::openai {

enum class keyword : std::uint8_t {
  ref,
  all_of,
  any_of,
  one_of,
  type,
  constant,
  enumeration,
  format,
  title,
  description,
  nullable,
  minimum,
  maximum,
  exclusive_minimum,
  exclusive_maximum,
  items,
  prefix_items,
  properties,
  required,
  additional_properties,
  min_items,
  max_items,
  min_properties,
  max_properties,
  min_length,
  max_length,
  pattern,
  property_ordering,
  id,
  anchor,
  defs,
  definitions,
};

inline constexpr std::size_t keyword_count = 32;

inline constexpr json::member_names<keyword_count> keyword_names{{{
    "$ref",
    "allOf",
    "anyOf",
    "oneOf",
    "type",
    "const",
    "enum",
    "format",
    "title",
    "description",
    "nullable",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "items",
    "prefixItems",
    "properties",
    "required",
    "additionalProperties",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "propertyOrdering",
    "$id",
    "$anchor",
    "$defs",
    "definitions",
}}};

/// One schema after its references and `allOf` are merged into it (J1, J2): for each keyword
/// the value that wins. `properties` and `required` are united from several schemas; those
/// are ranges of the stacks in `state`.
class schema_node {
public:
  const json::element* operator[](keyword which) const {
    return has(which) ? &values_[static_cast<std::size_t>(which)] : nullptr;
  }
  bool has(keyword which) const { return (present_ & bit(which)) != 0; }
  void set(keyword which, const json::element& value) {
    values_[static_cast<std::size_t>(which)] = value;
    present_ |= bit(which);
  }
  void clear(keyword which) { present_ &= ~bit(which); }
  std::uint32_t present() const { return present_; } ///< one bit for each keyword

  bool null_constant = false;               ///< `const: null`, which is not the same as no `const`
  bool accepts_null = false;                ///< a null alternative was taken out (J5)
  bool unresolved = false;                  ///< a `$ref` led nowhere
  std::optional<std::string_view> kept_ref; ///< JSON Schema form: written as a reference
  std::optional<std::string_view> recursive_ref; ///< a `$ref` that leads back here
  std::size_t properties_begin = 0, properties_end = 0;
  std::size_t required_begin = 0, required_end = 0;

private:
  static constexpr std::uint32_t bit(keyword which) {
    return std::uint32_t{1} << static_cast<unsigned>(which);
  }

  std::array<json::element, keyword_count> values_;
  std::uint32_t present_ = 0;
};

/// The conversion at work. One method for each form, and what both need.
class schema_writer::state {
public:
  schema_result write(json::writer& out, const json::element& root, const schema_target& target,
                      schema_budget& budget);

private:
  static constexpr int depth_max = 32;                ///< J16
  static constexpr int merge_depth_max = 64;          ///< of `allOf` in `allOf`
  static constexpr int search_depth_max = 200;        ///< of the search for recursion
  static constexpr std::size_t subset_nodes = 10'000; ///< before the other form is preferred

  enum class trouble : std::uint8_t { none, unsupported, too_large };
  enum class references : std::uint8_t { follow, keep };

  struct property {
    std::string_view name;
    json::element value;
    std::size_t source;
    bool required = false;
  };

  /// A position in the working stacks; leaving a node drops what it pushed.
  struct level {
    std::size_t active, properties, property_sources, required_sources;
  };
  level enter() const;
  void leave(const level& at);

  // schema.cpp: budget
  bool spend();
  bool fail(trouble why);
  bool ok() const { return trouble_ == trouble::none; }

  // schema_merge.cpp: J1, J2
  bool gather(schema_node& node, const simdjson::dom::object& schema, references how);
  bool absorb(schema_node& node, simdjson::dom::object schema, bool unite, references how,
              int depth);
  bool follow(schema_node& node, std::string_view pointer, simdjson::dom::object& target);
  std::optional<json::element> resolve(std::string_view pointer);
  std::optional<json::element> step_into(const json::element& from, std::string_view token);
  bool is_recursive();
  bool leads_back(const json::element& schema, int depth);
  bool reference_leads_back(const json::element& reference, int depth);
  bool any_leads_back(const json::element& schemas, int depth);

  // schema_merge.cpp: properties
  struct property_range {
    std::size_t begin, end;
  };
  property_range list_properties(const schema_node& node);
  void write_required(const schema_node& node, property_range range);

  // schema_subset.cpp
  /// What `type` allows (J4).
  struct type_set {
    std::array<std::string_view, 7> names; ///< without `null` of a list
    std::size_t count = 0;
    bool null = false;

    void add(std::string_view name);
  };
  /// What `enum` or `const` allows (J6, J7).
  struct value_set {
    bool any = false; ///< some value besides null
    bool null = false;
    bool all_strings = true;
    std::string_view type; ///< of all values
  };
  void subset(const json::element& schema, int depth);
  bool settle_unions(schema_node& node);
  void emit_subset(const schema_node& node, int depth);
  void write_alternatives(const schema_node& node, const type_set& types, int depth);
  void write_items(const schema_node& node, int depth);
  void write_tuple(const json::element& members, const json::element* rest, int depth);
  void write_properties(const schema_node& node, int depth);
  void write_description(const schema_node& node, const value_set& values);
  static type_set types_of(const schema_node& node);
  static value_set values_of(const schema_node& node);

  // schema_full.cpp
  void full(const json::element& schema, int depth);
  void emit_full(const schema_node& node, int depth);
  void write_definitions(const schema_node& node, int depth);
  void write_schemas(const json::plain_key& name, const json::element* schemas, int depth);

  // both forms
  void write_enumeration(const schema_node& node, bool nulls);
  void write_bounds(const schema_node& node, bool of_integers);
  void copy_string(const json::plain_key& name, const json::element* value);
  void copy_number(const json::plain_key& name, const json::element* value);
  bool lacks_properties(const schema_node& node) const;

  json::writer* out_ = nullptr;
  json::element root_;
  schema_budget* budget_ = nullptr;
  std::size_t start_ = 0; ///< size of the buffer when this schema began
  std::size_t nodes_left_ = 0;
  bool may_change_form_ = false;
  trouble trouble_ = trouble::none;
  std::optional<bool> recursive_;                       ///< known once a reference was met
  std::unordered_map<std::string_view, bool> searched_; ///< reference -> search is done

  std::vector<std::string_view> active_; ///< references between the root and here
  std::vector<property> properties_;
  std::vector<simdjson::dom::object> property_sources_;
  std::vector<simdjson::dom::array> required_sources_;
  std::string token_; ///< a decoded part of a pointer
};

} // namespace troupe::openai
