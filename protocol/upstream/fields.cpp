#include "protocol/upstream/fields.hpp"

#include "protocol/base/ascii.hpp"

#include <algorithm>

namespace troupe::upstream {

std::string_view value_of(std::span<const header_field> fields, std::string_view name) {
  const auto found = std::find_if(fields.begin(), fields.end(), [name](const header_field& f) {
    return ascii::equal_any_case(f.name, name);
  });
  return found == fields.end() ? std::string_view{} : found->value;
}

bool begins_with(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size()
         && ascii::equal_any_case(name.substr(0, prefix.size()), prefix);
}

bool ends_with(std::string_view name, std::string_view suffix) {
  return name.size() >= suffix.size()
         && ascii::equal_any_case(name.substr(name.size() - suffix.size()), suffix);
}

} // namespace troupe::upstream
