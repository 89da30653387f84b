#include "protocol/base/ascii.hpp"
#include "protocol/openai/schema_state.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

// The subset of OpenAPI's schemas that every Gemini model accepts (J3 to J16).

namespace troupe::openai {

using ascii::equal_any_case;
using json::element;
using json::element_type;

namespace {

bool is_null_type(const element& type) {
  if (const auto names = json::as_array(type)) {
    for (const auto name : *names)
      if (json::as_string(name) != "null")
        return false;
    return names->begin() != names->end();
  }
  return json::as_string(type) == "null";
}

/// A schema that only `null` satisfies.
bool is_null_schema(const element& schema) {
  const auto keywords = json::as_object(schema);
  if (!keywords)
    return false;
  bool null = false;
  for (const auto field : *keywords) {
    if (field.key == "type")
      null = is_null_type(field.value);
    else if (field.key == "const")
      null = field.value.is_null();
    else if (field.key == "$ref")
      return false;
  }
  return null;
}

/// A schema that constrains in ways the subset does not know. As an alternative it would
/// accept everything.
bool says_no_structure(const element& schema) {
  const auto keywords = json::as_object(schema);
  if (!keywords)
    return false;
  for (const auto field : *keywords)
    switch (const auto index = keyword_names.find(field.key); static_cast<keyword>(index)) {
    case keyword::ref:
    case keyword::all_of:
    case keyword::any_of:
    case keyword::one_of:
    case keyword::type:
    case keyword::constant:
    case keyword::enumeration:
    case keyword::items:
    case keyword::prefix_items:
    case keyword::properties:
      return false;
    default:
      break;
    }
  return true;
}

bool is_false(const element& schema) {
  return json::as_bool(schema) == false;
}

/// J9.
bool keeps_format(std::string_view type, std::string_view format) {
  if (equal_any_case(type, "number"))
    return format == "float" || format == "double";
  if (equal_any_case(type, "integer"))
    return format == "int32" || format == "int64";
  return equal_any_case(type, "string") && (format == "enum" || format == "date-time");
}

std::string_view type_of_value(const element& value) {
  switch (value.type()) {
  case element_type::STRING:
    return "string";
  case element_type::INT64:
    return "integer";
  case element_type::UINT64:
    return "integer";
  case element_type::DOUBLE:
    return "number";
  case element_type::BOOL:
    return "boolean";
  case element_type::ARRAY:
    return "array";
  case element_type::OBJECT:
    return "object";
  case element_type::NULL_VALUE:
    return "null";
  }
  return {};
}

/// Calls `visit` with each allowed value. `const` is the narrower one and wins.
template <class Visit>
void for_each_value(const schema_node& node, const Visit& visit) {
  if (const auto* constant = node[keyword::constant]) {
    visit(*constant);
  } else if (const auto* list = node[keyword::enumeration]; list && !node.null_constant) {
    if (const auto values = json::as_array(*list))
      for (const auto value : *values)
        visit(value);
  }
}

} // namespace

void schema_writer::state::type_set::add(std::string_view name) {
  if (equal_any_case(name, "null")) {
    null = true;
    return;
  }
  for (std::size_t i = 0; i < count; ++i)
    if (names[i] == name)
      return;
  if (count < names.size())
    names[count++] = name;
}

schema_writer::state::type_set schema_writer::state::types_of(const schema_node& node) {
  type_set types;
  const auto* type = node[keyword::type];
  if (type == nullptr)
    return types;
  if (const auto name = json::as_string(*type)) {
    types.names[types.count++] = *name;
  } else if (const auto list = json::as_array(*type)) {
    for (const auto item : *list)
      if (const auto listed = json::as_string(item))
        types.add(*listed);
  }
  return types;
}

schema_writer::state::value_set schema_writer::state::values_of(const schema_node& node) {
  value_set values;
  values.null = node.null_constant;
  for_each_value(node, [&](const element& value) {
    const auto type = type_of_value(value);
    if (type == "null") {
      values.null = true;
      return;
    }
    values.all_strings = values.all_strings && type == "string";
    const auto is_number = [](std::string_view t) { return t == "integer" || t == "number"; };
    if (!values.any || values.type == type)
      values.type = type;
    else
      values.type = is_number(values.type) && is_number(type) ? "number" : "string";
    values.any = true;
  });
  return values;
}

void schema_writer::state::subset(const element& schema, int depth) {
  if (!ok())
    return;
  const auto keywords = json::as_object(schema);
  if (!keywords || depth > depth_max) {
    out_->raw(keywords ? R"({"type":"object"})" : R"({"type":"string"})");
    return;
  }
  const auto at = enter();
  schema_node node;
  if (gather(node, *keywords, references::follow) && settle_unions(node))
    emit_subset(node, depth);
  leave(at);
}

/// J3 and J5. Afterwards `anyOf` is a list of at least two alternatives, or absent.
bool schema_writer::state::settle_unions(schema_node& node) {
  for (int merges = 0; merges < merge_depth_max; ++merges) {
    if (const auto* one_of = node[keyword::one_of]; one_of && !node.has(keyword::any_of))
      node.set(keyword::any_of, *one_of);
    node.clear(keyword::one_of);
    const auto* any_of = node[keyword::any_of];
    const auto alternatives = any_of ? json::as_array(*any_of) : std::nullopt;
    if (!alternatives) {
      node.clear(keyword::any_of);
      return true;
    }
    std::size_t left = 0;
    bool vacuous = false;
    element last;
    for (const auto alternative : *alternatives) {
      if (is_null_schema(alternative)) {
        node.accepts_null = true;
      } else if (!is_false(alternative)) {
        last = alternative;
        vacuous = vacuous || says_no_structure(alternative);
        ++left;
      }
    }
    // `anyOf` of `required` lists and the like says nothing beside the node's own type.
    if (left == 0 || (left > 1 && vacuous && node.has(keyword::type))) {
      node.clear(keyword::any_of);
      return true;
    }
    if (left > 1)
      return true;
    node.clear(keyword::any_of);
    if (const auto only = json::as_object(last))
      if (!absorb(node, *only, false, references::follow, 0))
        return false;
  }
  return fail(trouble::too_large);
}

void schema_writer::state::emit_subset(const schema_node& node, int depth) {
  if (node.recursive_ref) {
    out_->begin_object();
    out_->member("type", "object");
    copy_string("description", node[keyword::description]);
    out_->end_object();
    return;
  }
  const auto* additional = node[keyword::additional_properties];
  const auto* items = node[keyword::items];
  if (may_change_form_
      && (node.has(keyword::prefix_items) || (items && items->is_array())
          || (additional && additional->is_object()))) {
    fail(trouble::unsupported);
    return;
  }
  auto types = types_of(node);
  const auto values = values_of(node);
  const bool has_union = node.has(keyword::any_of);
  const bool keeps_enum = values.any && values.all_strings;
  if (types.count > 1 && has_union)
    types.count = 0;
  if (types.count > 1 && values.any) { // the values are narrower than the list of types
    types.names[0] = values.type;
    types.count = 1;
  }
  if (types.count == 0 && values.any && (keeps_enum || !has_union))
    types.names[types.count++] = values.type;
  const bool several = types.count > 1;
  if (types.count == 0 && !has_union)
    types.names[types.count++] = node.properties_begin != node.properties_end          ? "object"
                                 : node.has(keyword::prefix_items) || items != nullptr ? "array"
                                                                                       : "string";
  const auto type = types.count == 1 ? types.names[0] : std::string_view{};

  out_->begin_object();
  if (!type.empty())
    out_->member("type", type);
  if (const auto* format = node[keyword::format])
    if (const auto name = json::as_string(*format); name && keeps_format(type, *name))
      out_->member("format", *name);
  copy_string("title", node[keyword::title]);
  write_description(node, values);
  const auto* nullable = node[keyword::nullable];
  if (values.null || types.null || node.accepts_null
      || (nullable && json::as_bool(*nullable) == true))
    out_->boolean_member("nullable", true);
  if (keeps_enum)
    write_enumeration(node, false);
  write_bounds(node, equal_any_case(type, "integer"));
  copy_number("minLength", node[keyword::min_length]);
  copy_number("maxLength", node[keyword::max_length]);
  copy_string("pattern", node[keyword::pattern]);
  copy_number("minItems", node[keyword::min_items]);
  copy_number("maxItems", node[keyword::max_items]);
  copy_number("minProperties", node[keyword::min_properties]);
  copy_number("maxProperties", node[keyword::max_properties]);
  if (has_union || several) {
    write_alternatives(node, types, depth);
  }
  if (!several) {
    if (equal_any_case(type, "array") || items != nullptr || node.has(keyword::prefix_items))
      write_items(node, depth);
    write_properties(node, depth);
  }
  out_->end_object();
}

/// `anyOf`: of the node's alternatives, or of its several types (J4), of which `array` takes
/// the items and `object` the properties.
void schema_writer::state::write_alternatives(const schema_node& node, const type_set& types,
                                              int depth) {
  out_->key("anyOf");
  out_->begin_array();
  if (const auto* any_of = node[keyword::any_of]) {
    for (const auto alternative : simdjson::dom::array(any_of->get_array().value_unsafe()))
      if (!is_null_schema(alternative) && !is_false(alternative))
        subset(alternative, depth + 1);
  } else {
    for (std::size_t i = 0; i < types.count; ++i) {
      out_->begin_object();
      out_->member("type", types.names[i]);
      if (equal_any_case(types.names[i], "array"))
        write_items(node, depth + 1);
      else if (equal_any_case(types.names[i], "object"))
        write_properties(node, depth + 1);
      out_->end_object();
    }
  }
  out_->end_array();
}

/// J10, J11.
void schema_writer::state::write_items(const schema_node& node, int depth) {
  const auto* items = node[keyword::items];
  const auto* tuple = node[keyword::prefix_items];
  out_->key("items");
  if (tuple != nullptr && tuple->is_array())
    write_tuple(*tuple, items, depth);
  else if (items != nullptr && items->is_array())
    write_tuple(*items, nullptr, depth);
  else if (items != nullptr)
    subset(*items, depth + 1);
  else
    out_->raw(R"({"type":"string"})");
}

/// The distinct members of a tuple, and of what may follow it.
void schema_writer::state::write_tuple(const element& members, const element* rest, int depth) {
  std::unordered_set<std::string> seen;
  std::string all;
  std::string text;
  auto* const outer = out_;
  const auto outer_start = start_;
  const auto add = [&](const element& member) {
    text.clear();
    json::writer inner{text};
    out_ = &inner;
    start_ = 0;
    subset(member, depth + 2);
    out_ = outer;
    start_ = outer_start;
    if (!seen.insert(text).second)
      return;
    if (!all.empty())
      all += ',';
    all += text;
    if (all.size() > budget_->bytes)
      fail(trouble::too_large);
  };
  for (const auto member : simdjson::dom::array(members.get_array().value_unsafe()))
    if (!is_false(member) && ok())
      add(member);
  if (rest != nullptr && rest->is_object())
    add(*rest);
  if (seen.empty())
    out_->raw(R"({"type":"string"})");
  else if (seen.size() == 1)
    out_->raw(all);
  else
    out_->raw(R"({"anyOf":[)" + all + "]}");
}

/// J12, J13.
void schema_writer::state::write_properties(const schema_node& node, int depth) {
  if (node.properties_begin == node.properties_end)
    return;
  auto range = list_properties(node);
  const auto first = properties_.begin() + static_cast<std::ptrdiff_t>(range.begin);
  properties_.erase(
      std::remove_if(first, properties_.end(), [](const property& p) { return is_false(p.value); }),
      properties_.end());
  range.end = properties_.size();
  if (range.begin == range.end)
    return;
  out_->key("properties");
  out_->begin_object();
  for (auto i = range.begin; i < range.end && ok(); ++i) {
    const auto [name, value] = std::pair{properties_[i].name, properties_[i].value};
    out_->foreign_key(name);
    subset(value, depth + 1);
  }
  out_->end_object();
  write_required(node, range);
  if (const auto* ordering = node[keyword::property_ordering]; ordering && ordering->is_array()) {
    out_->key("propertyOrdering");
    out_->element(*ordering);
  }
}

/// The description, and in it the values that an `enum` of strings cannot hold (J7).
void schema_writer::state::write_description(const schema_node& node, const value_set& values) {
  const auto* description = node[keyword::description];
  const auto text = description ? json::as_string(*description) : std::nullopt;
  if (!values.any || values.all_strings) {
    if (text)
      out_->member("description", *text);
    return;
  }
  std::string list;
  for_each_value(node, [&](const element& value) {
    if (value.is_null())
      return;
    if (!list.empty())
      list += ", ";
    json::append_element(list, value);
  });
  out_->key("description");
  out_->begin_string();
  if (text && !text->empty()) {
    out_->string_piece(*text);
    out_->string_piece(" ");
  }
  out_->string_piece("Allowed values: ");
  out_->string_piece(list);
  out_->string_piece(".");
  out_->end_string();
}

/// @param nulls  whether `null` stays a member
void schema_writer::state::write_enumeration(const schema_node& node, bool nulls) {
  out_->key("enum");
  out_->begin_array();
  if (nulls && node.null_constant)
    out_->null();
  for_each_value(node, [&](const element& value) {
    if (nulls || !value.is_null())
      out_->element(value);
  });
  out_->end_array();
}

} // namespace troupe::openai
