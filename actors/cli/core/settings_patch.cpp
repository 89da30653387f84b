#include "actors/cli/core/settings_patch.hpp"

#include "protocol/config/builder.hpp"
#include "protocol/config/document.hpp"
#include "protocol/config/options.hpp"

#include <algorithm>
#include <string_view>

namespace troupe::cli {

namespace {

using config::node;
using config::node_kind;

failure fault(const std::string& path, std::string_view why) {
  return {errc::invalid_argument, path + ": " + std::string{why}};
}

/// Puts `value` at `path` below `root`.
result<void> put(node& root, const std::string& path, node value) {
  if (path.find('[') != std::string::npos)
    return fault(path, "what is in a list is changed with the whole list; see `config patch`");
  node* at = &root;
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('.', begin), path.size());
    const auto name = path.substr(begin, end - begin);
    if (name.empty())
      return fault(path, "is not the path of an option");
    const auto known = std::find_if(at->members.begin(), at->members.end(),
                                    [&](const auto& m) { return m.name == name; });
    const bool last = end == path.size();
    if (known != at->members.end()) {
      if (last || known->value.kind != node_kind::object)
        return fault(path, "stands twice, or inside another");
      at = &known->value;
    } else {
      node inner;
      inner.kind = node_kind::object;
      at->members.push_back({name, 0, last ? std::move(value) : std::move(inner)});
      at = &at->members.back().value;
    }
    if (last)
      return {};
    begin = end + 1;
  }
  return fault(path, "is not the path of an option");
}

result<node> node_of(const std::string& path, const std::string& text) {
  config_problems problems;
  if (const auto* option = config::find_option(path)) {
    auto value = config::node_from_text(*option, text, problems);
    if (value)
      return std::move(*value);
    return fault(path,
                 problems.empty() ? "must be " + config::allowed(*option) : problems.front().text);
  }
  if (auto value = config::read_document(text, {}, problems); value && problems.empty())
    return std::move(*value);
  node value;
  value.kind = node_kind::text;
  value.text = text;
  return value;
}

node empty_object() {
  node root;
  root.kind = node_kind::object;
  return root;
}

} // namespace

result<std::string>
patch_of(const std::vector<std::pair<std::string, std::string>>& paths_and_texts) {
  auto root = empty_object();
  for (const auto& [path, text] : paths_and_texts) {
    auto value = node_of(path, text);
    if (!value)
      return value.error();
    if (auto done = put(root, path, std::move(*value)); !done)
      return done.error();
  }
  return config::write_json(root);
}

result<std::string> patch_without(const std::vector<std::string>& paths) {
  auto root = empty_object();
  for (const auto& path : paths)
    if (auto done = put(root, path, node{}); !done)
      return done.error();
  return config::write_json(root);
}

} // namespace troupe::cli
