#include "protocol/config/environment.hpp"

#include "protocol/config/env_file.hpp"
#include "protocol/config/names.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::config {

namespace {

constexpr std::array key_variables{"GEMINI_API_KEYS", "API_KEYS", "GEMINI_API_KEY",
                                   "GOOGLE_API_KEY"};

constexpr std::array<std::pair<std::string_view, upstream_kind>, 2> other_key_variables{
    {{"OPENAI_API_KEYS", upstream_kind::openai}, {"ANTHROPIC_API_KEYS", upstream_kind::anthropic}}};

bool is_key_variable(std::string_view name) {
  return std::find(key_variables.begin(), key_variables.end(), name) != key_variables.end()
         || std::any_of(other_key_variables.begin(), other_key_variables.end(),
                        [&](const auto& other) { return other.first == name; });
}

// Read by the command line, by scripts/dev, or by later versions: no options.
constexpr std::array reserved{"TROUPE_CONFIG",
                              "TROUPE_ENV_FILE",
                              "TROUPE_SANDBOX",
                              "TROUPE_MASTER_KEY",
                              "TROUPE_MASTER_KEY_PREVIOUS",
                              "TROUPE_ADMIN_URL",
                              "TROUPE_ADMIN_CREDENTIAL"};

/// Kubernetes gives every container such names for a service called troupe.
bool is_service_variable(std::string_view name) {
  return name.starts_with("TROUPE_SERVICE_") || name.starts_with("TROUPE_PORT");
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

} // namespace

variables merged_environment(const config_sources& sources, config_problems& problems) {
  variables all;
  if (sources.env_file) {
    for (auto& e : read_env_file(sources.env_file->text, sources.env_file->name, problems)) {
      place where{.layer = config_layer::environment,
                  .source = sources.env_file->name,
                  .variable = e.name,
                  .line = e.line};
      all[e.name] = {std::move(e.value), std::move(where)};
    }
  }
  for (const auto& [name, value] : sources.environment)
    all[name] = {value, {.layer = config_layer::environment, .source = name}};
  return all;
}

const variable* find_set(const variables& all, std::string_view name) {
  const auto found = all.find(name);
  return found == all.end() || trimmed(found->second.value).empty() ? nullptr : &found->second;
}

std::vector<secret> secrets_of(const variable& v, builder& out) {
  loaded_settings scratch; // read and checked as the keys of an upstream are
  builder parsing{scratch};
  auto where = v.where;
  where.lenient = true;
  parsing.apply_text("upstreams[].keys", v.value, where);
  for (auto& p : scratch.problems) {
    p.option = v.where.variable;
    out.out().problems.push_back(std::move(p));
  }
  for (auto& w : scratch.warnings)
    out.warn(std::move(w));
  return std::move(scratch.values.upstreams[0].keys);
}

void apply_upstreams_variable(const variables& all, builder& out) {
  if (const auto* v = find_set(all, "TROUPE_UPSTREAMS"))
    out.apply_text("upstreams", v->value, v->where);
}

namespace {

/// False: the variable holds no key.
bool give_keys(std::string_view name, const variable& v, upstream_kind kind, builder& out) {
  auto keys = secrets_of(v, out);
  if (keys.empty()) {
    out.warn(std::string{name} + " holds no key");
    return false;
  }
  const auto index = out.upstream_of(kind);
  const auto& upstream = out.out().values.upstreams[index];
  if (!upstream.keys.empty())
    out.warn("the keys configured for upstream \"" + upstream.name + "\" are replaced by those of "
             + std::string{name});
  out.set_keys(index, std::move(keys), v.where);
  return true;
}

} // namespace

void apply_key_variables(const variables& all, builder& out) {
  std::string used;
  std::vector<std::string> unused;
  for (const std::string_view name : key_variables) {
    const auto* v = find_set(all, name);
    if (v == nullptr)
      continue;
    if (!used.empty())
      unused.emplace_back(name);
    else if (give_keys(name, *v, upstream_kind::gemini, out))
      used = name;
  }
  if (!unused.empty())
    out.warn(joined(unused) + " not used, because " + used + " is set");
  for (const auto& [name, kind] : other_key_variables)
    if (const auto* v = find_set(all, name))
      give_keys(name, *v, kind, out);
}

void apply_troupe_variables(const variables& all, builder& out) {
  std::vector<std::string> names;
  for (const auto& o : options()) {
    const auto name = environment_name(o);
    if (name.empty())
      continue;
    names.push_back(name);
    if (const auto* v = find_set(all, name); v != nullptr && o.path != "upstreams")
      out.apply_text(o.path, v->value, v->where);
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  for (const auto& [name, v] : all) {
    if (!name.starts_with("TROUPE_") || is_service_variable(name)
        || std::find(reserved.begin(), reserved.end(), name) != reserved.end()
        || std::find(names.begin(), names.end(), name) != names.end())
      continue;
    std::string text = printable_name(name) + " sets no option";
    if (const auto near = nearest_name(name, known); !near.empty())
      text += "; did you mean " + std::string{near} + '?';
    out.warn(text);
  }
}

void warn_of_unknown_entries(const variables& all, builder& out) {
  std::vector<std::string> unknown;
  for (const auto& [name, v] : all)
    if (!v.where.variable.empty() && !name.starts_with("TROUPE_") && !is_gemini_balance_name(name)
        && !is_key_variable(name))
      unknown.push_back(printable_name(name));
  if (!unknown.empty())
    out.warn("not known here and left alone: " + joined(unknown));
}

} // namespace troupe::config
