#include "protocol/openai/schema.hpp"

#include "protocol/base/ascii.hpp"
#include "protocol/openai/schema_state.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace troupe::openai {

using json::element;
using json::element_type;

schema_writer::schema_writer() : state_(std::make_unique<state>()) {}
schema_writer::~schema_writer() = default;

schema_result schema_writer::write(json::writer& out, const element& root,
                                   const schema_target& target, schema_budget& budget) {
  return state_->write(out, root, target, budget);
}

schema_result schema_writer::state::write(json::writer& out, const element& root,
                                          const schema_target& target, schema_budget& budget) {
  out_ = &out;
  root_ = root;
  budget_ = &budget;
  recursive_.reset();
  searched_.clear();
  const auto begin = out.save();
  const auto attempt = [&](const json::plain_key& member, std::size_t nodes, auto convert) {
    trouble_ = trouble::none;
    nodes_left_ = std::min(nodes, budget.nodes);
    start_ = out.buffer().size();
    leave({});
    out.key(member);
    convert();
    if (!ok())
      out.restore(begin);
    else
      budget.bytes -= std::min(budget.bytes, out.buffer().size() - start_);
  };

  if (const auto object = json::as_object(root); object && target.optional) {
    trouble_ = trouble::none;
    may_change_form_ = false;
    nodes_left_ = std::min(subset_nodes, budget.nodes);
    schema_node node;
    leave({});
    if (gather(node, *object, references::follow) && lacks_properties(node))
      return schema_result::left_out;
  }
  const bool knows_json_schema = target.made >= gemini::generation{2, 5};
  bool full_form = target.mode == schema_mode::json_schema;
  if (!full_form) {
    may_change_form_ = target.mode == schema_mode::automatic && knows_json_schema;
    attempt(target.subset, may_change_form_ ? subset_nodes : budget.nodes,
            [&] { subset(root, 1); });
    full_form = may_change_form_ && trouble_ == trouble::unsupported;
  }
  if (full_form) {
    may_change_form_ = false;
    attempt(target.json_schema, budget.nodes, [&] { full(root, 1); });
  }
  return ok() ? schema_result::written : schema_result::too_large;
}

schema_writer::state::level schema_writer::state::enter() const {
  return {active_.size(), properties_.size(), property_sources_.size(), required_sources_.size()};
}

void schema_writer::state::leave(const level& at) {
  active_.resize(at.active);
  properties_.erase(properties_.begin() + static_cast<std::ptrdiff_t>(at.properties),
                    properties_.end());
  property_sources_.resize(at.property_sources);
  required_sources_.resize(at.required_sources);
}

bool schema_writer::state::fail(trouble why) {
  if (ok())
    trouble_ = why;
  return false;
}

bool schema_writer::state::spend() {
  if (!ok())
    return false;
  if (nodes_left_ == 0 || budget_->nodes == 0)
    return fail(may_change_form_ && budget_->nodes > 0 ? trouble::unsupported : trouble::too_large);
  if (out_->buffer().size() > start_ + budget_->bytes)
    return fail(trouble::too_large);
  --nodes_left_;
  --budget_->nodes;
  return true;
}

/// F2: the root describes an object, or nothing, and names no property.
bool schema_writer::state::lacks_properties(const schema_node& node) const {
  for (auto source = node.properties_begin; source < node.properties_end; ++source)
    for (const auto field : property_sources_[source])
      if (!field.value.is_null() && json::as_bool(field.value) != false)
        return false;
  for (const auto structure : {keyword::any_of, keyword::one_of, keyword::items,
                               keyword::prefix_items, keyword::enumeration, keyword::constant})
    if (node.has(structure))
      return false;
  const auto* type = node[keyword::type];
  if (type == nullptr)
    return !node.unresolved;
  if (const auto names = json::as_array(*type)) {
    for (const auto name : *names)
      if (const auto text = json::as_string(name);
          text && !ascii::equal_any_case(*text, "object") && !ascii::equal_any_case(*text, "null"))
        return false;
    return true;
  }
  const auto name = json::as_string(*type);
  return name && ascii::equal_any_case(*name, "object");
}

void schema_writer::state::copy_string(const json::plain_key& name, const element* value) {
  if (value != nullptr)
    if (const auto text = json::as_string(*value))
      out_->member(name, *text);
}

void schema_writer::state::copy_number(const json::plain_key& name, const element* value) {
  if (value == nullptr || !value->is_number())
    return;
  out_->key(name);
  out_->element(*value);
}

namespace {

/// The number next to an exclusive bound of integers, away from it.
std::int64_t next_integer(std::int64_t bound, int direction) {
  const auto limit = direction > 0 ? std::numeric_limits<std::int64_t>::max()
                                   : std::numeric_limits<std::int64_t>::min();
  return bound == limit ? bound : bound + direction;
}

/// One bound: the inclusive one as written, unless the exclusive one is stricter (J8).
/// @param direction  1 for a minimum, -1 for a maximum
void write_bound(json::writer& out, json::plain_key name, const element* inclusive,
                 const element* exclusive, int direction, bool of_integers) {
  if (inclusive != nullptr && !inclusive->is_number())
    inclusive = nullptr;
  if (exclusive != nullptr && !exclusive->is_number())
    exclusive = nullptr;
  if (inclusive == nullptr && exclusive == nullptr)
    return;
  const auto number = [](const element& value) { return value.get_double().value_unsafe(); };
  out.key(name);
  if (exclusive == nullptr
      || (inclusive != nullptr
          && number(*inclusive) * direction > number(*exclusive) * direction)) {
    out.element(*inclusive);
    return;
  }
  if (!of_integers) {
    out.element(*exclusive);
    return;
  }
  if (const auto bound = json::as_integer(*exclusive))
    out.integer(next_integer(*bound, direction));
  else if (exclusive->type() == element_type::DOUBLE
           && std::abs(number(*exclusive)) < 9007199254740992.0)
    // No integer itself: the first one beyond it is the bound.
    out.integer(static_cast<std::int64_t>(direction > 0 ? std::ceil(number(*exclusive))
                                                        : std::floor(number(*exclusive))));
  else
    out.element(*exclusive);
}

} // namespace

void schema_writer::state::write_bounds(const schema_node& node, bool of_integers) {
  write_bound(*out_, "minimum", node[keyword::minimum], node[keyword::exclusive_minimum], 1,
              of_integers);
  write_bound(*out_, "maximum", node[keyword::maximum], node[keyword::exclusive_maximum], -1,
              of_integers);
}

} // namespace troupe::openai
