#include "protocol/base/key_id.hpp"

#include <charconv>
#include <system_error>

namespace troupe {

namespace {
constexpr std::string_view prefix = "key_";
constexpr std::size_t digits = 16;
} // namespace

std::string to_string(key_id id) {
  std::string text{prefix};
  text.resize(prefix.size() + digits, '0');
  char buffer[digits];
  const auto end = std::to_chars(buffer, buffer + digits, id.value, 16).ptr;
  const auto length = static_cast<std::size_t>(end - buffer);
  text.replace(text.size() - length, length, buffer, length);
  return text;
}

std::optional<key_id> parse_key_id(std::string_view text) {
  if (text.size() != prefix.size() + digits || !text.starts_with(prefix))
    return std::nullopt;
  text.remove_prefix(prefix.size());
  key_id id;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), id.value, 16);
  if (code != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return id;
}

} // namespace troupe
