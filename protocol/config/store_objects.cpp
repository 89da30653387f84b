#include "protocol/config/store_objects.hpp"

#include "protocol/config/names.hpp"
#include "protocol/config/values.hpp"

#include <algorithm>

namespace troupe::config {

namespace {

using faults_of = std::vector<value_fault>;

constexpr std::string_view no_model =
    "the name of a model must be 1 to 128 printable characters without spaces";

void refuse_kind(const node& value, const std::string& what, std::string_view wanted,
                 faults_of& faults) {
  faults.push_back(
      {value.line,
       what + " must be " + std::string{wanted} + "; this is " + std::string{describe(value.kind)},
       "wrong_type"});
}

/// Calls `take` with each member that says something and has the name of a model.
template <class Take>
void each_model(const node& object, faults_of& faults, Take take) {
  if (object.members.size() > members_max)
    return faults.push_back(
        {object.line, "holds more than " + std::to_string(members_max) + " names", "out_of_range"});
  for (const auto& m : object.members)
    if (!is_model_name(m.name))
      faults.push_back({m.line, std::string{no_model}});
    else if (m.value.kind != node_kind::null)
      take(m);
}

/// The limits that `object` declares for `model`; `section` may stand there besides.
void take_limits(const node& object, const std::string& model, std::string_view section,
                 faults_of& faults, std::vector<limit>& out) {
  std::vector<std::string_view> names;
  for (const auto kind : limit_kinds)
    names.push_back(to_string(kind));
  for (const auto& m : object.members) {
    const bool known = m.name == section || std::ranges::find(names, m.name) != names.end();
    if (known)
      continue;
    auto text = printable_name(m.name) + " is not a limit";
    if (const auto near = nearest_name(m.name, names); !near.empty())
      text += "; did you mean \"" + std::string{near} + "\"?";
    faults.push_back({m.line, std::move(text), "unknown_option"});
  }
  for (const auto kind : limit_kinds) {
    const auto* value = object.find(to_string(kind));
    if (value == nullptr || value->kind == node_kind::null)
      continue;
    const std::string name{to_string(kind)};
    if (value->kind != node_kind::integer)
      refuse_kind(*value, name, "a whole number", faults);
    else if (value->whole < 1 || value->whole > limit_amount_max)
      faults.push_back({value->line,
                        name + " must be from 1 to " + std::to_string(limit_amount_max)
                            + "; leave it out for no limit",
                        "out_of_range"});
    else
      out.push_back({model, kind, static_cast<std::uint64_t>(value->whole)});
  }
}

} // namespace

std::vector<limit> read_limits(const node& value, faults_of& faults) {
  constexpr std::string_view section = "models";
  std::vector<limit> all;
  take_limits(value, {}, section, faults, all);
  const auto* models = value.find(section);
  if (models == nullptr || models->kind == node_kind::null)
    return all;
  if (models->kind != node_kind::object) {
    refuse_kind(*models, std::string{section}, "an object of limits by model", faults);
    return all;
  }
  std::map<std::string, std::vector<limit>> by_model;
  each_model(*models, faults, [&](const member& m) {
    if (m.value.kind != node_kind::object)
      refuse_kind(m.value, shown_model(m.name), "an object of limits", faults);
    else
      take_limits(m.value, m.name, {}, faults, by_model[m.name]);
  });
  for (auto& [name, limits] : by_model)
    all.insert(all.end(), limits.begin(), limits.end());
  return all;
}

std::map<std::string, std::string> read_aliases(const node& value, faults_of& faults) {
  std::map<std::string, std::string> aliases;
  each_model(value, faults, [&](const member& m) {
    if (m.value.kind != node_kind::text)
      refuse_kind(m.value, shown_model(m.name), "the name of a model", faults);
    else if (!is_model_name(m.value.text))
      faults.push_back({m.value.line, std::string{no_model}});
    else
      aliases.emplace(m.name, m.value.text);
  });
  return aliases;
}

std::map<std::string, std::vector<std::string>> read_fallbacks(const node& value,
                                                               faults_of& faults) {
  std::map<std::string, std::vector<std::string>> fallbacks;
  each_model(value, faults, [&](const member& m) {
    if (m.value.kind != node_kind::list)
      return refuse_kind(m.value, shown_model(m.name), "a list of models", faults);
    if (m.value.items.empty() || m.value.items.size() > fallback_models_max)
      return faults.push_back({m.value.line,
                               "the list of " + shown_model(m.name) + " must hold 1 to "
                                   + std::to_string(fallback_models_max) + " models",
                               "out_of_range"});
    auto& models = fallbacks[m.name];
    for (const auto& item : m.value.items)
      if (item.kind != node_kind::text)
        refuse_kind(item, "an element of the list of " + shown_model(m.name), "the name of a model",
                    faults);
      else if (!is_model_name(item.text))
        faults.push_back({item.line, std::string{no_model}});
      else
        models.push_back(item.text);
  });
  return fallbacks;
}

std::map<std::string, secret> read_headers(const node& value, faults_of& faults) {
  std::map<std::string, secret> headers;
  for (const auto& m : value.members) {
    const auto name = lower(m.name);
    if (!is_header_name(name))
      faults.push_back({m.line, "holds a name that no header can have"});
    else if (is_reserved_header(name))
      faults.push_back({m.line, printable_name(name) + " is set by the gateway itself"});
    else if (m.value.kind != node_kind::text || !is_printable(m.value.text, true))
      faults.push_back(
          {m.line, "the value of " + printable_name(name) + " must be a text of printable ASCII",
           m.value.kind == node_kind::text ? "invalid_value" : "wrong_type"});
    else if (!headers.emplace(name, secret{m.value.text}).second)
      faults.push_back({m.line, printable_name(name) + " stands here twice", "duplicate"});
  }
  return headers;
}

} // namespace troupe::config
