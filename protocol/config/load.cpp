#include "protocol/config/load.hpp"

#include "protocol/config/builder.hpp"
#include "protocol/config/environment.hpp"
#include "protocol/config/names.hpp"
#include "protocol/config/relations.hpp"
#include "protocol/config/store.hpp"
#include "protocol/config/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_set>

namespace troupe {

namespace {

using namespace config;

constexpr std::array<std::string_view, log_areas> area_names{"http",    "upstream", "pool",
                                                             "storage", "cluster",  "security"};

/// Adds the keys of one keys file, one per line.
void add_keys(upstream_settings& u, const config_text& file, loaded_settings& out) {
  std::unordered_set<std::string> seen;
  for (const auto& key : u.keys)
    seen.emplace(key.reveal());
  std::size_t line = 0, repeated = 0;
  for (const auto text : split(file.text, '\n')) {
    ++line;
    if (text.empty() || text.starts_with('#'))
      continue;
    if (is_placeholder(text) || !is_printable(text, false))
      out.problems.push_back({file.name,
                              line,
                              {},
                              is_placeholder(text) ? "is a placeholder, not a key"
                                                   : "is not a key: a key has no space in it"});
    else if (seen.emplace(text).second)
      u.keys.emplace_back(std::string{text});
    else
      ++repeated;
    if (out.problems.size() > 100)
      return; // no file of keys
  }
  if (repeated > 0)
    out.warnings.push_back(file.name + ": " + std::to_string(repeated)
                           + " repeated keys, counted once");
}

void read_keys_files(const config_sources& sources, loaded_settings& out) {
  for (std::size_t i = 0; i < out.values.upstreams.size(); ++i) {
    auto& u = out.values.upstreams[i];
    if (u.keys_file.empty())
      continue;
    auto text = sources.read_file ? sources.read_file(u.keys_file)
                                  : failure{errc::not_found, "no files can be read here"};
    if (text && text->size() <= document_bytes_max) {
      add_keys(u, {u.keys_file, std::move(*text)}, out);
      continue;
    }
    const auto path = "upstreams[" + std::to_string(i) + "].keys_file";
    const auto origin = out.origin_of(path);
    out.problems.push_back({origin.source, origin.line, path,
                            text ? "names a file that is too long" : text.error().text});
  }
}

/// What the database layer has no say in, and who has.
std::string_view why_not_here(std::string_view path) {
  if (path == "data_dir" || path == "master_key_file")
    return "is needed before the database can be opened: set it in the file or the environment";
  if (path == "credentials.clients" || path == "credentials.admins")
    return "is no setting at run time: credentials are added with POST /admin/v1/credentials";
  if (path.ends_with("].keys") || path.ends_with("].keys_file"))
    return "is no setting at run time: keys are added with POST /admin/v1/keys";
  return {};
}

void apply_database(const config_text& text, builder& into, loaded_settings& out) {
  const place from{.layer = config_layer::database, .source = text.name};
  const auto root = read_document(text.text, text.name, out.problems);
  if (!root)
    return;
  // Its list of upstreams replaces the file's, but the keys of the file are still for them.
  const auto before = out.values.upstreams;
  const auto origins = out.origins;
  into.apply_object(*root, from);
  for (const auto& [path, origin] : out.origins)
    if (origin.layer == config_layer::database)
      if (const auto why = why_not_here(path); !why.empty())
        into.problem(from, 0, path, std::string{why}, "not_here");
  if (root->find("upstreams") == nullptr)
    return;
  for (std::size_t i = 0; i < out.values.upstreams.size(); ++i) {
    auto& u = out.values.upstreams[i];
    const auto old = std::ranges::find(before, u.name, &upstream_settings::name);
    if (old == before.end())
      continue;
    u.keys = old->keys;
    u.keys_file = old->keys_file;
    for (const auto* leaf : {"keys", "keys_file"}) {
      const auto at = std::to_string(old - before.begin());
      if (const auto known = origins.find("upstreams[" + at + "]." + leaf); known != origins.end())
        out.origins["upstreams[" + std::to_string(i) + "]." + leaf] = known->second;
    }
  }
}

/// The built-in upstream goes when nobody spoke of it and one of Vertex AI, which serves the same
/// models, has the keys.
void drop_unused_upstream(loaded_settings& out) {
  auto& all = out.values.upstreams;
  const auto spoken_of = [&](const char* path) { return out.origins.count(path) != 0; };
  const bool vertex = std::ranges::any_of(all, [](const upstream_settings& u) {
    return u.kind == upstream_kind::vertex && !u.keys.empty();
  });
  if (spoken_of("upstreams") || spoken_of("upstreams[0].base_url") || !vertex
      || !all.front().keys.empty())
    return;
  all.erase(all.begin());
  decltype(out.origins) moved;
  for (const auto& [path, origin] : out.origins) {
    std::size_t index = 0;
    constexpr std::string_view list = "upstreams[";
    const auto* end = path.data() + path.size();
    if (!path.starts_with(list))
      moved[path] = origin;
    else if (const auto read = std::from_chars(path.data() + list.size(), end, index); index > 0)
      moved[std::string{list} + std::to_string(index - 1) + std::string{read.ptr, end}] = origin;
  }
  out.origins = std::move(moved);
}

void fill_levels(loaded_settings& out) {
  for (std::size_t i = 0; i < log_areas; ++i)
    if (out.origin_of("log.levels." + std::string{area_names[i]}).layer == config_layer::defaults)
      out.values.log.levels[i] = out.values.log.level;
}

} // namespace

std::string to_string(const config_origin& origin) {
  if (origin.layer == config_layer::defaults)
    return "default";
  return origin.line == 0 ? origin.source : origin.source + ':' + std::to_string(origin.line);
}

config_origin loaded_settings::origin_of(std::string_view path) const {
  const auto found = origins.find(path);
  return found == origins.end() ? config_origin{} : found->second;
}

loaded_settings load_settings(const config_sources& sources) {
  loaded_settings out;
  builder into{out};
  if (sources.file) {
    const place from{.layer = config_layer::file, .source = sources.file->name, .lines = true};
    if (const auto root = read_document(sources.file->text, sources.file->name, out.problems))
      into.apply_object(*root, from);
  }
  if (sources.database)
    apply_database(*sources.database, into, out);
  const auto environment = merged_environment(sources, out.problems);
  apply_upstreams_variable(environment, into);
  apply_gemini_balance(environment, into);
  apply_key_variables(environment, into);
  apply_troupe_variables(environment, into);
  warn_of_unknown_entries(environment, into);
  for (const auto& [path, text] : sources.command_line) {
    auto flag = "--" + path;
    std::replace(flag.begin(), flag.end(), '_', '-');
    std::replace(flag.begin(), flag.end(), '.', '-');
    into.apply_text(path, text, {.layer = config_layer::command_line, .source = flag});
  }
  drop_unused_upstream(out);
  fill_levels(out);
  read_keys_files(sources, out);
  check_relations(out);
  return out;
}

} // namespace troupe
