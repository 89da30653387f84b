#include "protocol/json/raw.hpp"

#include "protocol/base/result.hpp"

namespace troupe::json {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

std::size_t skip_spaces(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at]))
    ++at;
  return at;
}

/// The place after the string whose quote is at `at`.
std::size_t skip_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\')
      ++at;
    else if (text[at] == '"')
      return at + 1;
  }
  return text.size();
}

/// The place after the value that begins at `at`. Counts brackets instead of descending.
std::size_t skip_value(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    switch (text[at]) {
    case '"':
      at = skip_string(text, at);
      break;
    case '{':
    case '[':
      ++depth, ++at;
      break;
    case '}':
    case ']':
      if (depth == 0)
        return at; // the end of what holds a number or a name
      --depth, ++at;
      break;
    default:
      if (depth == 0 && (text[at] == ',' || is_space(text[at])))
        return at;
      ++at;
      continue; // within a number or a name
    }
    if (depth == 0)
      return at;
  }
  return at;
}

} // namespace

place root_place(std::string_view text) {
  const auto begin = skip_spaces(text, 0);
  return {begin, skip_value(text, begin)};
}

std::optional<place> member_place(std::string_view text, place object, std::string_view name,
                                  std::string_view other_name) {
  TROUPE_ASSERT(object.begin < object.end && text[object.begin] == '{');
  std::optional<place> found;
  auto at = skip_spaces(text, object.begin + 1);
  while (at < object.end && text[at] == '"') {
    const auto key_end = skip_string(text, at);
    const auto key = text.substr(at + 1, key_end - at - 2);
    at = skip_spaces(text, skip_spaces(text, key_end) + 1); // over the colon
    const auto value_end = skip_value(text, at);
    if (key == name || (!other_name.empty() && key == other_name))
      found = place{at, value_end};
    at = skip_spaces(text, value_end);
    if (at < object.end && text[at] == ',')
      at = skip_spaces(text, at + 1);
  }
  return found;
}

bool is_empty_at(std::string_view text, place container) {
  return skip_spaces(text, container.begin + 1) + 1 == container.end;
}

} // namespace troupe::json
