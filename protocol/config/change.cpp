#include "protocol/config/change.hpp"

#include "protocol/config/compare.hpp"
#include "protocol/config/document.hpp"
#include "protocol/config/options.hpp"
#include "protocol/config/values.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <optional>

namespace troupe::config {

namespace {

constexpr std::size_t patch_bytes_max = std::size_t{1024} * 1024;
constexpr std::string_view source_name = "database";
constexpr std::string_view mask = "***";

void add(config_problems& problems, std::string option, std::string code, std::string text) {
  problems.push_back(
      {std::string{source_name}, 0, std::move(option), std::move(text), std::move(code)});
}

/// Strict JSON as a tree; an empty object for an empty text.
std::optional<node> read_object(std::string_view text, config_problems& problems) {
  if (text.empty())
    text = "{}";
  if (text.size() > patch_bytes_max) {
    add(problems, {}, "invalid_json", "longer than " + format_bytes(patch_bytes_max));
    return std::nullopt;
  }
  config_problems unread;
  auto tree = read_document(text, source_name, unread);
  for (auto& p : unread)
    add(problems, std::move(p.option), "invalid_json",
        "line " + std::to_string(p.line) + ": " + p.text);
  if (!unread.empty() || !tree)
    return std::nullopt;
  // The reader takes comments, for files that people write; what a program sends has none.
  if (!nlohmann::json::accept(text.begin(), text.end())) {
    add(problems, {}, "invalid_json", "is not strict JSON: comments are for files");
    return std::nullopt;
  }
  if (tree->kind != node_kind::object) {
    add(problems, {}, "invalid_json",
        "must be an object; this is " + std::string{describe(tree->kind)});
    return std::nullopt;
  }
  return tree;
}

node* member_of(node& object, std::string_view name) {
  for (auto& m : object.members)
    if (m.name == name)
      return &m.value;
  return nullptr;
}

node empty_object() {
  node n;
  n.kind = node_kind::object;
  return n;
}

/// RFC 7396. Sections that become empty go, so that a document says no more than it must.
void merge(node& target, const node& patch) {
  for (const auto& m : patch.members) {
    auto* present = member_of(target, m.name);
    if (m.value.kind == node_kind::null) {
      std::erase_if(target.members, [&](const member& each) { return each.name == m.name; });
    } else if (m.value.kind != node_kind::object) {
      if (present != nullptr)
        *present = m.value;
      else
        target.members.push_back(m);
    } else {
      const bool section = present != nullptr && present->kind == node_kind::object;
      auto merged = section ? *present : empty_object();
      merge(merged, m.value);
      std::erase_if(target.members, [&](const member& each) { return each.name == m.name; });
      if (!merged.members.empty())
        target.members.push_back({m.name, m.line, std::move(merged)});
    }
  }
}

void sort_members(node& n) {
  std::ranges::sort(n.members, {}, &member::name);
  for (auto& m : n.members)
    sort_members(m.value);
  for (auto& item : n.items)
    sort_members(item);
}

/// `path` and value of everything that an object says, down to what is no section.
template <class Visit>
void for_each_leaf(const node& object, const std::string& prefix, const Visit& visit) {
  for (const auto& m : object.members) {
    const auto path = prefix + m.name;
    const bool option =
        m.name.find_first_of(".[]") == std::string::npos && find_option(path) != nullptr;
    if (!option && m.value.kind == node_kind::object)
      for_each_leaf(m.value, path + '.', visit);
    else
      visit(path, m.value);
  }
}

void refuse_fixed(const node& patch, const loaded_settings& now, config_problems& problems) {
  for_each_leaf(patch, {}, [&](const std::string& path, const node&) {
    const auto origin = now.origin_of(path);
    if (origin.layer == config_layer::environment || origin.layer == config_layer::command_line)
      add(problems, path, "fixed", "is fixed by " + to_string(origin) + ": change it there");
  });
}

bool is_masked(std::string_view value) {
  return !value.empty()
         && (value.find(mask) != std::string_view::npos
             || value.find_first_not_of('*') == std::string_view::npos);
}

/// A masked header means the one that is there.
void unmask_headers(node& document, const settings& now, config_problems& problems) {
  auto* upstreams = member_of(document, "upstreams");
  if (upstreams == nullptr)
    return;
  for (std::size_t i = 0; i < upstreams->items.size(); ++i) {
    auto& item = upstreams->items[i];
    auto* headers = member_of(item, "headers");
    const auto* name = item.find("name");
    if (headers == nullptr || name == nullptr)
      continue;
    const auto known = std::ranges::find(now.upstreams, name->text, &upstream_settings::name);
    for (auto& h : headers->members) {
      if (h.value.kind != node_kind::text || !is_masked(h.value.text))
        continue;
      const bool kept = known != now.upstreams.end() && known->headers.contains(h.name);
      if (kept)
        h.value.text = known->headers.at(h.name).reveal();
      else
        add(problems, "upstreams[" + std::to_string(i) + "].headers", "masked_secret",
            "a masked value keeps the one that is there, and there is none");
    }
  }
}

/// Loads both and compares. `wanted` is the whole new document.
settings_change plan(const config_sources& sources, std::string_view before, node wanted,
                     config_problems problems) {
  settings_change out;
  auto with = sources;
  if (!before.empty())
    with.database = config_text{std::string{source_name}, std::string{before}};
  const auto now = load_with_database(with);
  unmask_headers(wanted, now.values, problems);
  sort_members(wanted);
  out.document = wanted.members.empty() ? std::string{} : write_json(wanted);
  with.database.reset();
  if (!out.document.empty())
    with.database = config_text{std::string{source_name}, out.document};
  out.loaded = load_settings(with);
  out.problems = std::move(problems);
  for (const auto& p : out.loaded.problems)
    out.problems.push_back(p);
  if (out.problems.empty())
    out.changes = changes_between(now, out.loaded);
  return out;
}

void mask_headers(node& document) {
  auto* upstreams = member_of(document, "upstreams");
  if (upstreams == nullptr)
    return;
  for (auto& item : upstreams->items)
    if (auto* headers = member_of(item, "headers"))
      for (auto& h : headers->members)
        if (h.value.kind == node_kind::text)
          h.value.text = mask;
}

std::map<std::string, std::string> leaves_of(std::string_view document, bool masked) {
  config_problems ignored;
  std::map<std::string, std::string> leaves;
  auto tree = read_object(document, ignored);
  if (!tree)
    return leaves;
  if (masked)
    mask_headers(*tree);
  for_each_leaf(*tree, {}, [&](const std::string& path, const node& value) {
    leaves[path] = write_json(value);
  });
  return leaves;
}

/// Takes out names that are no options (any more, or not yet), and says which.
void leave_out_unknown(node& object, const std::string& prefix,
                       std::vector<std::string>& left_out) {
  std::erase_if(object.members, [&](member& m) {
    const auto path = prefix + m.name;
    const bool plain = m.name.find_first_of(".[]") == std::string::npos;
    if (plain && find_option(path) != nullptr)
      return false;
    if (plain && m.value.kind == node_kind::object) {
      leave_out_unknown(m.value, path + '.', left_out);
      if (!m.value.members.empty())
        return false;
    }
    left_out.push_back(path);
    return true;
  });
}

/// Takes the option that a problem is about out of the document. False: it is not there.
bool leave_out(node& document, std::string_view option) {
  const auto path = option.substr(0, option.find('['));
  auto* at = &document;
  std::string_view rest = path;
  for (auto dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
    at = member_of(*at, rest.substr(0, dot));
    if (at == nullptr)
      return false;
    rest.remove_prefix(dot + 1);
  }
  return !rest.empty()
         && std::erase_if(at->members, [&](const member& m) { return m.name == rest; }) != 0;
}

} // namespace

settings_change plan_change(const config_sources& sources, std::string_view document,
                            std::string_view patch) {
  config_problems problems;
  const auto change = read_object(patch, problems);
  auto wanted = read_object(document, problems);
  if (!change || !wanted) {
    settings_change out;
    out.problems = std::move(problems);
    return out;
  }
  refuse_fixed(*change, load_settings(sources), problems);
  merge(*wanted, *change);
  return plan(sources, document, *std::move(wanted), std::move(problems));
}

settings_change plan_document(const config_sources& sources, std::string_view document,
                              std::string_view next) {
  config_problems problems;
  auto wanted = read_object(next, problems);
  if (!wanted) {
    settings_change out;
    out.problems = std::move(problems);
    return out;
  }
  return plan(sources, document, *std::move(wanted), std::move(problems));
}

loaded_settings load_with_database(const config_sources& sources) {
  constexpr int rounds_max = 64;
  if (!sources.database)
    return load_settings(sources);
  auto loaded = load_settings(sources);
  if (loaded.problems.empty())
    return loaded;
  auto without = sources;
  without.database.reset();
  auto base = load_settings(without);
  if (!base.problems.empty())
    return base;
  config_problems unread;
  auto document = read_object(sources.database->text, unread);
  std::vector<std::string> warnings;
  auto with = sources;
  if (document) {
    std::vector<std::string> unknown;
    leave_out_unknown(*document, {}, unknown);
    for (const auto& path : unknown)
      warnings.push_back("a setting that was changed at run time is left out: " + path
                         + " is no option of this version");
    with.database->text = write_json(*document);
    loaded = load_settings(with);
  }
  for (int round = 0; document && round < rounds_max && !loaded.problems.empty(); ++round) {
    const auto& p = loaded.problems.front();
    if (!leave_out(*document, p.option))
      break;
    warnings.push_back("a setting that was changed at run time is left out: " + p.option + ' '
                       + p.text);
    with.database->text = write_json(*document);
    loaded = load_settings(with);
  }
  if (!loaded.problems.empty()) {
    warnings.push_back("all settings that were changed at run time are left out: "
                       + to_string(loaded.problems.front()));
    loaded = std::move(base);
  }
  loaded.warnings.insert(loaded.warnings.end(), warnings.begin(), warnings.end());
  return loaded;
}

std::string masked_document(std::string_view document) {
  config_problems ignored;
  auto tree = read_object(document, ignored);
  if (!tree)
    return "{}";
  mask_headers(*tree);
  return write_json(*tree);
}

std::vector<document_difference> diff_documents(std::string_view from, std::string_view to) {
  std::vector<document_difference> differences;
  const auto before = leaves_of(from, false);
  const auto after = leaves_of(to, false);
  const auto shown_before = leaves_of(from, true);
  const auto shown_after = leaves_of(to, true);
  const auto value = [](const auto& leaves, const std::string& path) {
    const auto at = leaves.find(path);
    return at == leaves.end() ? std::string{"null"} : at->second;
  };
  std::map<std::string, bool> paths;
  for (const auto& [path, text] : before)
    paths[path] = true;
  for (const auto& [path, text] : after)
    paths[path] = true;
  for (const auto& [path, there] : paths)
    if (value(before, path) != value(after, path))
      differences.push_back({path, value(shown_before, path), value(shown_after, path)});
  return differences;
}

} // namespace troupe::config
