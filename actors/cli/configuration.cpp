#include "actors/cli/configuration.hpp"

namespace troupe::cli {

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
  return loaded;
}

} // namespace troupe::cli
