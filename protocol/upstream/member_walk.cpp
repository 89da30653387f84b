#include "protocol/upstream/member_walk.hpp"

#include "protocol/json/scan.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace troupe::upstream {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// Takes one character off a name as it is written; nothing if it is no ASCII one.
std::optional<char> take_character(std::string_view& name) {
  if (name.front() != '\\') {
    const char plain = name.front();
    name.remove_prefix(1);
    return plain;
  }
  // Names that we ask for hold no character of which there is a short escape.
  if (name.size() < 6 || name[1] != 'u')
    return std::nullopt;
  unsigned code = 0;
  const auto digits = name.substr(2, 4);
  if (std::from_chars(digits.data(), digits.data() + 4, code, 16).ptr != digits.data() + 4
      || code > 0x7F)
    return std::nullopt;
  name.remove_prefix(6);
  return static_cast<char>(code);
}

} // namespace

std::size_t skip_spaces(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at]))
    ++at;
  return at;
}

std::size_t skip_string(std::string_view text, std::size_t at) {
  const char* const end = text.data() + text.size();
  const char* p = text.data() + at + 1;
  while (p < end) {
    p = json::next_stop(p, end);
    if (p == end)
      break;
    if (*p == '"')
      return static_cast<std::size_t>(p + 1 - text.data());
    p += *p == '\\' ? 2 : 1;
  }
  return text.size();
}

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
      continue;
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
  return text.size();
}

member_walk::member_walk(std::string_view text) : text_(text), at_(skip_spaces(text, 0)) {
  at_ = at_ < text.size() && text[at_] == '{' ? at_ + 1 : text.size();
}

bool member_walk::next() {
  at_ = skip_spaces(text_, at_);
  if (at_ >= text_.size() || text_[at_] != '"')
    return false;
  const auto name_end = skip_string(text_, at_);
  const auto colon = skip_spaces(text_, name_end);
  if (colon >= text_.size() || text_[colon] != ':')
    return false;
  name_ = {at_ + 1, name_end - 1};
  const auto begin = skip_spaces(text_, colon + 1);
  value_ = {begin, skip_value(text_, begin)};
  at_ = skip_spaces(text_, value_.end);
  if (at_ < text_.size() && text_[at_] == ',')
    ++at_;
  else
    at_ = text_.size();
  return true;
}

bool member_walk::is_named(std::string_view wanted) const {
  auto rest = name();
  for (const char c : wanted)
    if (rest.empty() || take_character(rest) != c)
      return false;
  return rest.empty();
}

} // namespace troupe::upstream
