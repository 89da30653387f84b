#include "sandbox/fields.hpp"

#include <nlohmann/json.hpp>

namespace sandbox {

fields::fields(const json& from, std::string what) : from_(from), what_(std::move(what)) {
  if (!from.is_object())
    refuse("is an object");
}

void fields::refuse(const std::string& why) const {
  throw bad_field{what_ + ": " + why};
}

const json* fields::raw(const char* name) {
  asked_.insert(name);
  const auto found = from_.find(name);
  return found == from_.end() || found->is_null() ? nullptr : &*found;
}

void fields::take(const char* name, bool& to) {
  const auto* v = raw(name);
  if (v == nullptr)
    return;
  if (!v->is_boolean())
    refuse(std::string{name} + " is true or false");
  to = v->get<bool>();
}

void fields::take(const char* name, std::uint64_t& to) {
  const auto* v = raw(name);
  if (v == nullptr)
    return;
  if (!v->is_number_unsigned())
    refuse(std::string{name} + " is a whole number, not negative");
  to = v->get<std::uint64_t>();
}

void fields::take(const char* name, std::optional<std::uint64_t>& to) {
  if (raw(name) != nullptr)
    take(name, to.emplace());
}

void fields::take(const char* name, double& to) {
  const auto* v = raw(name);
  if (v == nullptr)
    return;
  if (!v->is_number())
    refuse(std::string{name} + " is a number");
  to = v->get<double>();
}

void fields::take(const char* name, std::optional<double>& to) {
  if (raw(name) != nullptr)
    take(name, to.emplace());
}

void fields::take(const char* name, std::string& to) {
  const auto* v = raw(name);
  if (v == nullptr)
    return;
  if (!v->is_string())
    refuse(std::string{name} + " is a string");
  to = v->get<std::string>();
}

void fields::take(const char* name, std::optional<std::string>& to) {
  if (raw(name) != nullptr)
    take(name, to.emplace());
}

const json& fields::list(const json& value, const char* name) {
  if (!value.is_array())
    refuse(std::string{name} + " is a list");
  return value;
}

void fields::done() {
  for (const auto& [name, value] : from_.items())
    if (!asked_.contains(name))
      refuse("unknown field \"" + name + "\"");
}

} // namespace sandbox
