#include "actors/cli/configuration.hpp"

#include "actors/time_zone.hpp"

namespace troupe::cli {

namespace {

/// Which zones there are is not the configuration's but this machine's to say.
void refuse_unknown_zone(loaded_settings& loaded, wall_time now) {
  constexpr auto path = "pool.day_zone";
  const auto origin = loaded.origin_of(path);
  if (origin.layer == config_layer::defaults)
    return; // known everywhere; the database of zones takes a while to read
  if (const auto days = read_zone(loaded.values.pool.day_zone, now); !days)
    loaded.problems.push_back({origin.source, origin.line, path, days.error().text});
}

} // namespace

std::string variable(const cli_surroundings& around, const char* name) {
  const auto found = around.environment.find(name);
  return found == around.environment.end() ? std::string{} : found->second;
}

loaded_settings load_configuration(const configuration_flags& told, const cli_surroundings& around,
                                   config_sources& sources) {
  config_problems unreadable;
  const auto read = [&](std::string path, const char* otherwise, std::optional<config_text>& into) {
    if (path.empty())
      path = variable(around, otherwise);
    if (path.empty())
      return;
    auto text = around.read_file(path);
    if (text)
      into = config_text{path, std::move(*text)};
    else
      unreadable.push_back({{}, 0, {}, text.error().text});
  };
  read(told.config_path, "TROUPE_CONFIG", sources.file);
  read(told.env_path, "TROUPE_ENV_FILE", sources.env_file);
  sources.environment = around.environment;
  sources.command_line = {told.options.begin(), told.options.end()};
  sources.read_file = around.read_file;
  auto loaded = load_settings(sources);
  loaded.problems.insert(loaded.problems.begin(), unreadable.begin(), unreadable.end());
  refuse_unknown_zone(loaded, around.now());
  return loaded;
}

} // namespace troupe::cli
