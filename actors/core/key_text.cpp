#include "actors/core/key_text.hpp"

#include "protocol/config/store.hpp"
#include "protocol/config/values.hpp"

#include <algorithm>
#include <unordered_set>

namespace troupe {

namespace {

bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool digit(char c) {
  return c >= '0' && c <= '9';
}

bool between_keys(char c) {
  return std::string_view{" \t\r\n\f\v,;|\"'`[]{}()<>"}.find(c) != std::string_view::npos;
}

/// A piece of pasted text: stricter than what is taken when one key is named on purpose.
std::string_view fault_of_piece(std::string_view piece) {
  if (const auto fault = fault_of_key(piece); !fault.empty())
    return fault;
  const bool plain = std::ranges::all_of(
      piece, [](char c) { return letter(c) || digit(c) || c == '-' || c == '_' || c == '.'; });
  if (!plain)
    return "has characters that no key has";
  if (std::ranges::none_of(piece, digit) || std::ranges::none_of(piece, letter))
    return "is a word or a number, not a key";
  return {};
}

} // namespace

std::string_view fault_of_key(std::string_view text) {
  if (text.size() < key_bytes_min)
    return "is too short for a key";
  if (text.size() > key_bytes_max)
    return "is too long for a key";
  if (!config::is_printable(text, false))
    return "has characters that no key has";
  if (text.find_first_not_of('*') == std::string_view::npos
      || text.find("***") != std::string_view::npos)
    return "is a masked secret, not a key";
  if (config::is_placeholder(text))
    return "is a placeholder, not a key";
  return {};
}

key_text find_keys(std::string_view text) {
  key_text out;
  std::unordered_set<std::string_view> seen;
  std::size_t line = 1;
  for (std::size_t at = 0; at < text.size();) {
    if (between_keys(text[at])) {
      line += text[at] == '\n' ? 1 : 0;
      ++at;
      continue;
    }
    const bool comment =
        (text[at] == '#' || text.substr(at, 2) == "//")
        && (at == 0 || text.find_last_not_of(" \t", at - 1) == std::string_view::npos
            || text[text.find_last_not_of(" \t", at - 1)] == '\n');
    if (comment) {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    const auto begin = at;
    while (at < text.size() && !between_keys(text[at]))
      ++at;
    const auto piece = text.substr(begin, at - begin);
    if (const auto fault = fault_of_piece(piece); !fault.empty()) {
      if (++out.refused <= key_text::refusals_max)
        out.refusals.push_back({line, fault});
    } else if (seen.insert(piece).second) {
      out.keys.emplace_back(std::string{piece});
    } else {
      ++out.repeated;
    }
  }
  return out;
}

} // namespace troupe
