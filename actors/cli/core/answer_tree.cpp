#include "actors/cli/core/answer_tree.hpp"

namespace troupe::cli {

using config::node;
using config::node_kind;

std::string value_text(const node& value) {
  switch (value.kind) {
  case node_kind::null:
    return {};
  case node_kind::text:
    return value.text;
  case node_kind::boolean:
  case node_kind::integer:
  case node_kind::number:
  case node_kind::list:
  case node_kind::object:
    break;
  }
  return config::write_json(value);
}

std::string text_in(const node& object, std::string_view name) {
  const auto* found = object.find(name);
  return found == nullptr ? std::string{} : value_text(*found);
}

std::int64_t whole_in(const node& object, std::string_view name) {
  const auto* found = object.find(name);
  return found != nullptr && found->kind == node_kind::integer ? found->whole : 0;
}

bool truth_in(const node& object, std::string_view name) {
  const auto* found = object.find(name);
  return found != nullptr && found->kind == node_kind::boolean && found->truth;
}

std::string texts_in(const node& object, std::string_view name) {
  std::string out;
  for (const auto& item : part_of(object, name).items)
    out += (out.empty() ? "" : ", ") + value_text(item);
  return out;
}

const node& part_of(const node& object, std::string_view name) {
  static const node none;
  const auto* found = object.find(name);
  return found == nullptr ? none : *found;
}

} // namespace troupe::cli
