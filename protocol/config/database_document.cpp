#include "protocol/config/database_document.hpp"

#include "protocol/config/names.hpp"
#include "protocol/config/values.hpp"
#include "protocol/json/tree.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>
#include <variant>

namespace troupe::config {

namespace {

node empty_object() {
  node n;
  n.kind = node_kind::object;
  return n;
}

void sort_members(node& n) {
  std::ranges::sort(n.members, {}, &member::name);
  for (auto& m : n.members)
    sort_members(m.value);
  for (auto& item : n.items)
    sort_members(item);
}

/// The option that a member is, if its name may be a part of a path at all.
const option* option_of(const member& m, const std::string& path) {
  return m.name.find_first_of(".[]") == std::string::npos ? find_option(path) : nullptr;
}

void visit_leaves(const node& object, const std::string& prefix,
                  const std::function<void(const std::string&, const node&)>& visit) {
  for (const auto& m : object.members) {
    const auto path = prefix + m.name;
    const bool plain = m.name.find_first_of(".[]") == std::string::npos;
    if (plain && option_of(m, path) == nullptr && m.value.kind == node_kind::object)
      visit_leaves(m.value, path + '.', visit);
    else
      visit(path, m.value);
  }
}

/// A name as a part of a path that is shown.
std::string shown(const std::string& name) {
  return printable_name(name).starts_with('"') ? name : "a name";
}

/// `prefix` is looked up, `place` is shown.
void take_out_unknown_below(node& object, const std::string& prefix, const std::string& place,
                            const std::function<void(const std::string&)>& told) {
  std::erase_if(object.members, [&](member& m) {
    const auto path = prefix + m.name;
    const auto here = place + shown(m.name);
    if (const auto* o = option_of(m, path)) {
      if (o->type == option_type::objects)
        for (std::size_t i = 0; i < m.value.items.size(); ++i)
          take_out_unknown_below(m.value.items[i], path + "[].",
                                 here + '[' + std::to_string(i) + "].", told);
      return false;
    }
    if (m.name.find_first_of(".[]") == std::string::npos && m.value.kind == node_kind::object) {
      take_out_unknown_below(m.value, path + '.', here + '.', told);
      return m.value.members.empty();
    }
    told(here);
    return true;
  });
}

/// `upstreams[2]` as name and index; no index for a plain name.
struct path_part {
  std::string_view name;
  std::optional<std::size_t> index;
};

path_part part_of(std::string_view text) {
  const auto open = text.find('[');
  if (open == std::string_view::npos)
    return {text, std::nullopt};
  std::size_t index = 0;
  std::from_chars(text.data() + open + 1, text.data() + text.size(), index);
  return {text.substr(0, open), index};
}

bool erase_member(node& object, std::string_view name) {
  return std::erase_if(object.members, [&](const member& m) { return m.name == name; }) != 0;
}

} // namespace

void add_problem(config_problems& problems, std::string option, std::string code,
                 std::string text) {
  problems.push_back(
      {std::string{database_name}, 0, std::move(option), std::move(text), std::move(code)});
}

std::optional<node> read_strict(std::string_view text, config_problems& problems) {
  const auto refuse = [&](std::string why) {
    add_problem(problems, {}, "invalid_json", std::move(why));
    return std::nullopt;
  };
  if (text.empty())
    return empty_object();
  if (text.size() > database_bytes_max)
    return refuse("longer than " + format_bytes(database_bytes_max));
  // The reader of files takes comments, which a program does not send, and knows only lines.
  const auto strict = json::read_tree(text);
  if (const auto* fault = std::get_if<json::tree_fault>(&strict))
    return refuse("line " + std::to_string(fault->line) + ", column "
                  + std::to_string(fault->column) + ": " + fault->text);
  config_problems unread;
  auto tree = read_document(text, database_name, unread);
  for (const auto& p : unread)
    (void)refuse("line " + std::to_string(p.line) + ": " + p.text);
  if (!unread.empty() || !tree)
    return std::nullopt;
  if (tree->kind != node_kind::object)
    return refuse("must be an object; this is " + std::string{describe(tree->kind)});
  return tree;
}

std::string written(const node& whole) {
  auto object = merged(empty_object(), whole); // without nulls and empty sections
  sort_members(object);
  return object.members.empty() ? std::string{} : write_json(object);
}

node merged(node target, const node& patch) {
  std::map<std::string, member> by_name; // a patch may hold very many names
  for (auto& m : target.members)
    by_name.insert_or_assign(m.name, std::move(m));
  for (const auto& m : patch.members) {
    if (m.value.kind == node_kind::null) {
      by_name.erase(m.name);
    } else if (m.value.kind != node_kind::object) {
      by_name.insert_or_assign(m.name, m);
    } else {
      const auto present = by_name.find(m.name);
      const bool section =
          present != by_name.end() && present->second.value.kind == node_kind::object;
      auto below = merged(section ? std::move(present->second.value) : empty_object(), m.value);
      by_name.erase(m.name);
      if (!below.members.empty())
        by_name.insert_or_assign(m.name, member{m.name, m.line, std::move(below)});
    }
  }
  target.members.clear();
  for (auto& [name, m] : by_name)
    target.members.push_back(std::move(m));
  return target;
}

bool says(const node& document, std::string_view path) {
  const auto* at = &document;
  while (at != nullptr && !path.empty()) {
    const auto dot = std::min(path.find('.'), path.size());
    at = at->find(path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return at != nullptr;
}

node* member_of(node& object, std::string_view name) {
  const auto found = std::ranges::find(object.members, name, &member::name);
  return found == object.members.end() ? nullptr : &found->value;
}

void for_each_leaf(const node& object,
                   const std::function<void(const std::string& path, const node&)>& visit) {
  visit_leaves(object, {}, visit);
}

bool take_out(node& document, std::string_view path) {
  const auto dot = path.find('.');
  if (dot == std::string_view::npos)
    return erase_member(document, part_of(path).name);
  const auto part = part_of(path.substr(0, dot));
  const auto rest = path.substr(dot + 1);
  auto* below = member_of(document, part.name);
  if (below == nullptr)
    return false;
  if (part.index) {
    const bool within = *part.index < below->items.size()
                        && erase_member(below->items[*part.index], part_of(rest).name);
    return within || erase_member(document, part.name);
  }
  if (!take_out(*below, rest))
    return false;
  if (below->members.empty())
    erase_member(document, part.name);
  return true;
}

void take_out_unknown(node& document, const std::function<void(const std::string&)>& told) {
  take_out_unknown_below(document, {}, {}, told);
}

} // namespace troupe::config
