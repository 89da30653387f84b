#include "protocol/openai/schema_state.hpp"

#include <algorithm>
#include <charconv>

// J1 and J2: what a node is once its references and `allOf` are merged into it. Where several
// schemas give one keyword, the first wins: the node itself, then what it refers to, then its
// `allOf` in order. Only `properties` and `required` of `allOf` are united.

namespace troupe::openai {

using json::element;
using simdjson::dom::array;
using simdjson::dom::object;

namespace {

/// Keywords that are not simply "first wins", as one schema itself has them.
struct own_keywords {
  std::optional<element> ref, all_of, properties, required;

  std::optional<element>* slot(keyword which) {
    switch (which) {
    case keyword::ref:
      return &ref;
    case keyword::all_of:
      return &all_of;
    case keyword::properties:
      return &properties;
    case keyword::required:
      return &required;
    default:
      return nullptr;
    }
  }
};

own_keywords read_keywords(schema_node& node, const object& schema) {
  own_keywords own;
  // A keyword of an earlier schema is not overwritten, one of this schema is: the last wins.
  const auto taken = node.present();
  const bool constant_taken = node.null_constant || node.has(keyword::constant);
  for (const auto field : schema) {
    const auto index = keyword_names.find(field.key);
    if (index == keyword_count)
      continue;
    const auto which = static_cast<keyword>(index);
    const bool is_null = field.value.is_null();
    if (auto* slot = own.slot(which)) {
      *slot = is_null ? std::optional<element>{} : std::optional<element>{field.value};
      continue;
    }
    if ((taken >> index & 1) != 0 || (which == keyword::constant && constant_taken))
      continue;
    if (which == keyword::constant)
      node.null_constant = is_null;
    if (is_null)
      node.clear(which);
    else
      node.set(which, field.value);
  }
  return own;
}

} // namespace

bool schema_writer::state::gather(schema_node& node, const object& schema, references how) {
  node.properties_begin = node.properties_end = property_sources_.size();
  node.required_begin = node.required_end = required_sources_.size();
  return absorb(node, schema, true, how, 0);
}

/// @param unite  whether `properties` and `required` join those that `node` has already
bool schema_writer::state::absorb(schema_node& node, object schema, bool unite, references how,
                                  int depth) {
  if (depth > merge_depth_max)
    return fail(trouble::too_large);
  bool wants_properties = unite || node.properties_begin == node.properties_end;
  bool wants_required = unite || node.required_begin == node.required_end;
  std::optional<array> all_of;
  for (;;) {
    if (!spend())
      return false;
    const auto own = read_keywords(node, schema);
    if (const auto found = own.properties ? json::as_object(*own.properties) : std::nullopt;
        found && wants_properties) {
      property_sources_.push_back(*found);
      node.properties_end = property_sources_.size();
      wants_properties = false;
    }
    if (const auto found = own.required ? json::as_array(*own.required) : std::nullopt;
        found && wants_required) {
      required_sources_.push_back(*found);
      node.required_end = required_sources_.size();
      wants_required = false;
    }
    if (own.all_of && !all_of)
      all_of = json::as_array(*own.all_of);
    const auto pointer = own.ref ? json::as_string(*own.ref) : std::nullopt;
    if (!pointer)
      break;
    if (how == references::keep && depth == 0) {
      node.kept_ref = pointer;
      return true;
    }
    if (!follow(node, *pointer, schema)) {
      if (!ok())
        return false;
      break;
    }
  }
  if (all_of)
    for (const auto branch : *all_of)
      if (const auto part = json::as_object(branch))
        if (!absorb(node, *part, true, how, depth + 1))
          return false;
  return true;
}

/// Sets `target` to what `pointer` names. False if that is no schema to merge.
bool schema_writer::state::follow(schema_node& node, std::string_view pointer, object& target) {
  if (is_recursive()) {
    if (may_change_form_)
      return fail(trouble::unsupported);
    if (std::find(active_.begin(), active_.end(), pointer) != active_.end()) {
      node.recursive_ref = pointer;
      return false;
    }
  }
  if (!ok())
    return false;
  const auto found = resolve(pointer);
  const auto schema = found ? json::as_object(*found) : std::nullopt;
  if (!schema) {
    node.unresolved = true;
    return false;
  }
  active_.push_back(pointer);
  target = *schema;
  return true;
}

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// One token of a JSON pointer in a URI fragment (RFC 6901 sections 4 and 6).
void decode_token(std::string_view token, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '%' && i + 2 < token.size() && hex_digit(token[i + 1]) >= 0
        && hex_digit(token[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(token[i + 1]) * 16 + hex_digit(token[i + 2]));
      i += 2;
    } else {
      out += token[i];
    }
  }
  for (std::size_t at = 0; (at = out.find('~', at)) != out.npos; ++at)
    if (at + 1 < out.size() && (out[at + 1] == '0' || out[at + 1] == '1'))
      out.replace(at, 2, out[at + 1] == '0' ? "~" : "/");
}

} // namespace

std::optional<element> schema_writer::state::resolve(std::string_view pointer) {
  if (!pointer.starts_with('#'))
    return std::nullopt;
  pointer.remove_prefix(1);
  std::optional<element> at = root_;
  while (at && !pointer.empty()) {
    if (pointer.front() != '/')
      return std::nullopt; // an anchor
    pointer.remove_prefix(1);
    const auto token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    if (token.find_first_of("%~") == token.npos) {
      at = step_into(*at, token);
    } else {
      decode_token(token, token_);
      at = step_into(*at, token_);
    }
  }
  return at;
}

std::optional<element> schema_writer::state::step_into(const element& from,
                                                       std::string_view token) {
  std::optional<element> found;
  std::size_t steps = 0;
  if (const auto members = json::as_object(from)) {
    for (const auto field : *members) {
      ++steps;
      if (field.key == token)
        found = field.value; // the last one wins
    }
  } else if (const auto items = json::as_array(from)) {
    std::size_t wanted = 0;
    const auto* const end = token.data() + token.size();
    if (const auto read = std::from_chars(token.data(), end, wanted);
        read.ec != std::errc{} || read.ptr != end)
      return std::nullopt;
    for (const auto item : *items)
      if (steps++ == wanted) {
        found = item;
        break;
      }
  }
  if (steps > budget_->steps) {
    budget_->steps = 0;
    fail(trouble::too_large);
    return std::nullopt;
  }
  budget_->steps -= steps;
  return found;
}

/// Whether some reference that a conversion would meet leads back to a schema around it.
/// Searched once for each root, when its first reference is met.
bool schema_writer::state::is_recursive() {
  if (!recursive_) {
    searched_.clear();
    recursive_ = leads_back(root_, 0);
  }
  return *recursive_;
}

bool schema_writer::state::any_leads_back(const element& schemas, int depth) {
  if (const auto list = json::as_array(schemas)) {
    for (const auto schema : *list)
      if (leads_back(schema, depth))
        return true;
  } else if (const auto map = json::as_object(schemas)) {
    for (const auto field : *map)
      if (leads_back(field.value, depth))
        return true;
  }
  return false;
}

bool schema_writer::state::reference_leads_back(const element& reference, int depth) {
  const auto pointer = json::as_string(reference);
  if (!pointer)
    return false;
  const auto [search, is_new] = searched_.try_emplace(*pointer, false);
  if (!is_new)
    return !search->second; // still being searched: we came from there
  const auto target = resolve(*pointer);
  if (target && leads_back(*target, depth))
    return true;
  searched_[*pointer] = true;
  return false;
}

bool schema_writer::state::leads_back(const element& schema, int depth) {
  const auto keywords = json::as_object(schema);
  if (!keywords)
    return false;
  if (depth > search_depth_max)
    return true; // deeper than any form is written: as bad as endless
  for (const auto field : *keywords) {
    if (budget_->steps == 0) {
      fail(trouble::too_large);
      return true;
    }
    --budget_->steps;
    const auto index = keyword_names.find(field.key);
    if (index == keyword_count)
      continue;
    switch (static_cast<keyword>(index)) {
    case keyword::ref:
      if (reference_leads_back(field.value, depth + 1))
        return true;
      break;
    case keyword::items:
      if (field.value.is_array() ? any_leads_back(field.value, depth + 1)
                                 : leads_back(field.value, depth + 1))
        return true;
      break;
    case keyword::properties:
    case keyword::prefix_items:
    case keyword::any_of:
    case keyword::one_of:
    case keyword::all_of:
      if (any_leads_back(field.value, depth + 1))
        return true;
      break;
    default:
      break;
    }
  }
  return false;
}

schema_writer::state::property_range
schema_writer::state::list_properties(const schema_node& node) {
  constexpr std::size_t linear_max = 16; // above it a search for doubles needs an index
  const auto begin = properties_.size();
  std::unordered_map<std::string_view, std::size_t> index;
  const auto find = [&](std::string_view name) {
    if (properties_.size() - begin <= linear_max) {
      for (auto i = begin; i < properties_.size(); ++i)
        if (properties_[i].name == name)
          return i;
      return properties_.size();
    }
    if (index.empty())
      for (auto i = begin; i < properties_.size(); ++i)
        index.emplace(properties_[i].name, i);
    const auto found = index.find(name);
    return found == index.end() ? properties_.size() : found->second;
  };
  for (auto source = node.properties_begin; source < node.properties_end; ++source)
    for (const auto field : property_sources_[source]) {
      if (field.value.is_null())
        continue;
      const auto at = find(field.key);
      if (at == properties_.size()) {
        properties_.push_back({field.key, field.value, source});
        if (!index.empty())
          index.emplace(field.key, at);
      } else if (properties_[at].source == source) {
        properties_[at].value = field.value;
      }
    }
  return {begin, properties_.size()};
}

/// J13: the names that exist, each once.
void schema_writer::state::write_required(const schema_node& node, property_range range) {
  constexpr std::size_t linear_max = 16;
  std::unordered_map<std::string_view, std::size_t> index;
  if (range.end - range.begin > linear_max && node.required_begin != node.required_end)
    for (auto i = range.begin; i < range.end; ++i)
      index.emplace(properties_[i].name, i);
  const auto find = [&](std::string_view name) {
    if (!index.empty()) {
      const auto found = index.find(name);
      return found == index.end() ? range.end : found->second;
    }
    auto i = range.begin;
    while (i < range.end && properties_[i].name != name)
      ++i;
    return i;
  };
  bool any = false;
  for (auto source = node.required_begin; source < node.required_end; ++source)
    for (const auto item : required_sources_[source]) {
      const auto name = json::as_string(item);
      const auto at = name ? find(*name) : range.end;
      if (at == range.end || properties_[at].required)
        continue;
      if (!any) {
        out_->key("required");
        out_->begin_array();
        any = true;
      }
      properties_[at].required = true;
      out_->string(*name);
    }
  if (any)
    out_->end_array();
}

} // namespace troupe::openai
