#include "protocol/config/change.hpp"

#include "protocol/config/builder.hpp"
#include "protocol/config/compare.hpp"
#include "protocol/config/database_document.hpp"
#include "protocol/config/database_secrets.hpp"
#include "protocol/config/tolerate.hpp"
#include "protocol/config/values.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace troupe::config {

namespace {

bool is_fixed(const config_origin& origin) {
  return origin.layer == config_layer::environment || origin.layer == config_layer::command_line;
}

void add_fixed(config_problems& problems, const std::string& path, const config_origin& origin) {
  add_problem(problems, path, "fixed", "is fixed by " + to_string(origin) + ": change it there");
}

config_sources with_database(const config_sources& sources, std::string text) {
  auto all = sources;
  all.database.reset();
  if (!text.empty())
    all.database = config_text{std::string{database_name}, std::move(text)};
  return all;
}

/// What the layer says without the others. Its relations do not matter.
loaded_settings load_alone(const std::string& text) {
  return load_settings(with_database({}, text));
}

void refuse_fixed(const node& patch, const loaded_settings& now, config_problems& problems) {
  for_each_leaf(patch, [&](const std::string& path, const node&) {
    if (const auto origin = now.origin_of(path); is_fixed(origin))
      add_fixed(problems, path, origin);
  });
}

/// What `upstream` is said to be in the present layer; null: nothing.
const node* said_of(const node& document, std::string_view upstream, std::string_view option) {
  const auto* list = document.find("upstreams");
  if (list == nullptr)
    return nullptr;
  for (const auto& item : list->items)
    if (const auto* name = item.find("name"); name != nullptr && name->text == upstream)
      return item.find(option);
  return nullptr;
}

/// A list of upstreams is one option to a patch, but the environment may fix parts of it: what
/// the patch says newly of them must be what they are.
void refuse_fixed_parts(const node& present, const node& wanted, const loaded_settings& alone,
                        const loaded_settings& after, config_problems& problems) {
  constexpr std::string_view prefix = "upstreams[].";
  const auto* list = wanted.find("upstreams");
  if (list == nullptr || is_fixed(after.origin_of("upstreams")))
    return;
  for (std::size_t i = 0; i < list->items.size(); ++i)
    for (const auto& o : options()) {
      if (!o.path.starts_with(prefix))
        continue;
      const auto name = o.path.substr(prefix.size());
      const auto* value = list->items[i].find(name);
      const auto path = path_of(o, i);
      const auto origin = after.origin_of(path);
      if (value == nullptr || value->kind == node_kind::null || !is_fixed(origin)
          || !differs(o, alone.values, after.values, i))
        continue;
      const auto* upstream = list->items[i].find("name");
      const auto* said = upstream == nullptr ? nullptr : said_of(present, upstream->text, name);
      if (said == nullptr || write_json(*said) != write_json(*value))
        add_fixed(problems, path, origin);
    }
}

/// A merge drops `null` and `{}`, so a wrong name with one of them must be found before. Names
/// that the layer has may be taken out, whatever they are.
void refuse_unknown(const node& change, const node& document, config_problems& problems) {
  auto patch = change;
  for_each_leaf(change, [&](const std::string& path, const node& value) {
    if (value.kind == node_kind::null && says(document, path))
      take_out(patch, path);
  });
  loaded_settings scratch;
  builder{scratch}.apply_object(
      patch, {.layer = config_layer::database, .source = std::string{database_name}});
  std::ranges::copy_if(scratch.problems, std::back_inserter(problems),
                       [](const config_problem& p) { return p.code == "unknown_option"; });
}

struct planning {
  const config_sources& sources;
  tolerated now; ///< without what has no place in the present layer
  node present;  ///< its layer
  config_problems problems = {};
};

/// Loads with `wanted` as the whole new layer, and compares.
settings_change plan(planning p, node wanted, bool upstreams_are_new) {
  settings_change out;
  unmask_secrets(wanted, p.now.loaded.values, p.problems);
  out.document = written(wanted);
  if (out.document.size() > database_bytes_max)
    add_problem(p.problems, {}, "out_of_range",
                "all settings together would be longer than " + format_bytes(database_bytes_max));
  out.loaded = load_settings(with_database(p.sources, out.document));
  const auto alone = load_alone(out.document);
  if (upstreams_are_new && out.loaded.problems.empty())
    refuse_fixed_parts(p.present, wanted, alone, out.loaded, p.problems);
  out.problems = std::move(p.problems);
  for (const auto& one : out.loaded.problems)
    if (std::ranges::find(out.problems, one) == out.problems.end())
      out.problems.push_back(one);
  auto& warnings = out.loaded.warnings;
  warnings.insert(warnings.end(), p.now.left_out.begin(), p.now.left_out.end());
  if (out.problems.empty())
    out.changes = changes_between({p.now.loaded, load_alone(p.now.document)}, {out.loaded, alone});
  return out;
}

planning begin(const config_sources& sources, std::string_view document) {
  planning p{sources, tolerate(with_database(sources, std::string{document})), {}};
  config_problems none; // it has just been read
  p.present = read_strict(p.now.document, none).value_or(node{});
  p.present.kind = node_kind::object;
  return p;
}

settings_change refused(config_problems problems) {
  settings_change out;
  out.problems = std::move(problems);
  return out;
}

std::map<std::string, std::string> leaves_of(const node& tree) {
  std::map<std::string, std::string> leaves;
  for_each_leaf(
      tree, [&](const std::string& path, const node& value) { leaves[path] = write_json(value); });
  return leaves;
}

/// A document that does not read says nothing.
node read_or_nothing(std::string_view document) {
  config_problems ignored;
  return read_strict(document, ignored).value_or(node{});
}

node masked(node tree) {
  mask_secrets(tree);
  return tree;
}

} // namespace

settings_change plan_change(const config_sources& sources, std::string_view document,
                            std::string_view patch) {
  config_problems problems;
  const auto change = read_strict(patch, problems);
  if (!change)
    return refused(std::move(problems));
  auto p = begin(sources, document);
  refuse_fixed(*change, p.now.loaded, p.problems);
  refuse_unknown(*change, read_or_nothing(document), p.problems);
  auto wanted = merged(p.present, *change);
  return plan(std::move(p), std::move(wanted), change->find("upstreams") != nullptr);
}

settings_change plan_document(const config_sources& sources, std::string_view document,
                              std::string_view next) {
  config_problems problems;
  auto wanted = read_strict(next, problems);
  if (!wanted)
    return refused(std::move(problems));
  return plan(begin(sources, document), *std::move(wanted), false);
}

loaded_settings load_with_database(const config_sources& sources) {
  return tolerate(sources).loaded;
}

std::string masked_document(std::string_view document) {
  const auto text = written(masked(read_or_nothing(document)));
  return text.empty() ? "{}" : text;
}

std::vector<document_difference> diff_documents(std::string_view from, std::string_view to) {
  const auto tree_before = read_or_nothing(from);
  const auto tree_after = read_or_nothing(to);
  const auto before = leaves_of(tree_before), shown_before = leaves_of(masked(tree_before));
  const auto after = leaves_of(tree_after), shown_after = leaves_of(masked(tree_after));
  const auto value = [](const auto& leaves, const std::string& path) {
    const auto at = leaves.find(path);
    return at == leaves.end() ? std::string{"null"} : at->second;
  };
  std::set<std::string> paths;
  for (const auto* leaves : {&before, &after})
    for (const auto& [path, text] : *leaves)
      paths.insert(path);
  std::vector<document_difference> differences;
  for (const auto& path : paths)
    if (value(before, path) != value(after, path))
      differences.push_back({path, value(shown_before, path), value(shown_after, path)});
  return differences;
}

} // namespace troupe::config
