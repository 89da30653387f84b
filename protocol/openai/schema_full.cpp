#include "protocol/base/ascii.hpp"
#include "protocol/openai/schema_state.hpp"

// The JSON Schema form, for what the subset cannot hold: references stay references, maps
// and tuples stay what they are.

namespace troupe::openai {

using json::element;

namespace {

/// `definitions` became `$defs`, so pointers through it change too; a *property* named
/// `definitions` keeps its name.
void write_pointer(json::writer& out, std::string_view pointer) {
  if (!pointer.starts_with("#/") || pointer.find("definitions") == pointer.npos) {
    out.string(pointer);
    return;
  }
  out.begin_string();
  out.string_piece("#");
  pointer.remove_prefix(1);
  bool is_name = false; // the token is a name that somebody chose, not a keyword
  while (!pointer.empty()) {
    pointer.remove_prefix(1); // the slash
    const auto token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    out.string_piece("/");
    out.string_piece(!is_name && token == "definitions" ? "$defs" : token);
    is_name = !is_name && (token == "properties" || token == "definitions" || token == "$defs");
  }
  out.end_string();
}

} // namespace

void schema_writer::state::full(const element& schema, int depth) {
  if (!ok())
    return;
  if (const auto accepts_all = json::as_bool(schema)) {
    out_->boolean(*accepts_all);
    return;
  }
  const auto keywords = json::as_object(schema);
  if (!keywords || depth > depth_max) {
    out_->raw(keywords ? R"({"type":"object"})" : R"({"type":"string"})");
    return;
  }
  const auto at = enter();
  schema_node node;
  if (gather(node, *keywords, references::keep))
    emit_full(node, depth);
  leave(at);
}

void schema_writer::state::emit_full(const schema_node& node, int depth) {
  out_->begin_object();
  copy_string("$id", node[keyword::id]);
  copy_string("$anchor", node[keyword::anchor]);
  if (const auto pointer = node.kept_ref ? node.kept_ref : node.recursive_ref) {
    out_->key("$ref");
    write_pointer(*out_, *pointer);
    write_definitions(node, depth);
    out_->end_object();
    return;
  }
  const auto types = types_of(node);
  if (const auto* type = node[keyword::type]; type && (type->is_string() || type->is_array())) {
    out_->key("type");
    out_->element(*type);
  }
  copy_string("format", node[keyword::format]);
  copy_string("title", node[keyword::title]);
  copy_string("description", node[keyword::description]);
  if (values_of(node).any || values_of(node).null)
    write_enumeration(node, true);
  write_bounds(node, types.count == 1 && ascii::equal_any_case(types.names[0], "integer"));
  copy_number("minItems", node[keyword::min_items]);
  copy_number("maxItems", node[keyword::max_items]);
  const auto* items = node[keyword::items];
  if (items != nullptr && items->is_array()) { // a tuple as it was written before 2020-12
    write_schemas("prefixItems", items, depth);
  } else {
    write_schemas("prefixItems", node[keyword::prefix_items], depth);
    if (items != nullptr) {
      out_->key("items");
      full(*items, depth + 1);
    }
  }
  write_schemas("anyOf", node[keyword::any_of], depth);
  write_schemas("oneOf", node[keyword::one_of], depth);
  const auto range = list_properties(node);
  if (range.begin != range.end) {
    out_->key("properties");
    out_->begin_object();
    for (auto i = range.begin; i < range.end && ok(); ++i) {
      const auto [name, value] = std::pair{properties_[i].name, properties_[i].value};
      out_->foreign_key(name);
      full(value, depth + 1);
    }
    out_->end_object();
  }
  if (const auto* additional = node[keyword::additional_properties]) {
    out_->key("additionalProperties");
    full(*additional, depth + 1);
  }
  write_required(node, range);
  if (const auto* ordering = node[keyword::property_ordering]; ordering && ordering->is_array()) {
    out_->key("propertyOrdering");
    out_->element(*ordering);
  }
  write_definitions(node, depth);
  out_->end_object();
}

void schema_writer::state::write_schemas(const json::plain_key& name, const element* schemas,
                                         int depth) {
  const auto list = schemas ? json::as_array(*schemas) : std::nullopt;
  if (!list || list->begin() == list->end())
    return;
  out_->key(name);
  out_->begin_array();
  for (const auto schema : *list)
    full(schema, depth + 1);
  out_->end_array();
}

/// `$defs` and `definitions` in one; where both define a name, `$defs` has it.
void schema_writer::state::write_definitions(const schema_node& node, int depth) {
  const auto at = enter();
  schema_node united;
  united.properties_begin = property_sources_.size();
  for (const auto which : {keyword::defs, keyword::definitions})
    if (const auto* definitions = node[which])
      if (const auto map = json::as_object(*definitions))
        property_sources_.push_back(*map);
  united.properties_end = property_sources_.size();
  const auto range = list_properties(united);
  if (range.begin != range.end) {
    out_->key("$defs");
    out_->begin_object();
    for (auto i = range.begin; i < range.end && ok(); ++i) {
      const auto [name, value] = std::pair{properties_[i].name, properties_[i].value};
      out_->foreign_key(name);
      full(value, depth + 1);
    }
    out_->end_object();
  }
  leave(at);
}

} // namespace troupe::openai
