#include "actors/cli/core/json_text.hpp"

#include "actors/cli/core/display.hpp"
#include "protocol/json/raw.hpp"
#include "protocol/json/tree.hpp"

#include <variant>

namespace troupe::cli {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// The string that begins at `at`, quotes included.
std::string_view string_at(std::string_view text, std::size_t at) {
  auto end = at + 1;
  while (end < text.size() && text[end] != '"')
    end += text[end] == '\\' ? 2 : 1;
  return text.substr(at, end + 1 - at);
}

std::size_t next_token(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at]))
    ++at;
  return at;
}

void new_line(std::string& out, std::size_t depth) {
  out += '\n';
  out.append(2 * depth, ' ');
}

} // namespace

std::string pretty_json(std::string_view text) {
  std::string out;
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"') {
      const auto string = string_at(text, at);
      out += shown(string);
      at += string.size();
      continue;
    }
    ++at;
    if (is_blank(c))
      continue;
    if (c == '{' || c == '[') {
      const auto next = next_token(text, at);
      if (next < text.size() && text[next] == (c == '{' ? '}' : ']')) {
        out += c;
        out += text[next];
        at = next + 1;
        continue;
      }
      out += c;
      new_line(out, ++depth);
    } else if (c == '}' || c == ']') {
      new_line(out, depth > 0 ? --depth : 0);
      out += c;
    } else if (c == ',') {
      out += c;
      new_line(out, depth);
    } else if (c == ':') {
      out += ": ";
    } else {
      out += shown(std::string_view{&c, 1});
    }
  }
  return out;
}

std::optional<std::string> joined_pages(const std::vector<std::string>& pages,
                                        std::string_view list) {
  std::string items;
  for (const auto& page : pages) {
    const auto read = json::read_tree(page); // places are found in valid JSON only
    const auto* tree = std::get_if<json::tree>(&read);
    if (tree == nullptr || tree->what != json::kind::object)
      return std::nullopt;
    const auto place = json::member_place(page, json::root_place(page), list);
    if (!place || page[place->begin] != '[')
      return std::nullopt;
    if (json::is_empty_at(page, *place))
      continue;
    items += items.empty() ? "" : ",";
    items += place->in(page).substr(1, place->end - place->begin - 2);
  }
  const auto& last = pages.back();
  const auto place = json::member_place(last, json::root_place(last), list);
  return last.substr(0, place->begin) + '[' + items + ']' + last.substr(place->end);
}

} // namespace troupe::cli
