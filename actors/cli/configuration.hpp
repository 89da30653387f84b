#pragma once

#include "actors/cli/cli.hpp"

#include <map>
#include <string>

namespace troupe::cli {

/// What flags say about the configuration of a node on this machine.
struct configuration_flags {
  std::string config_path;
  std::string env_path;
  std::map<std::string, std::string> options; ///< path and text
};

/// The variable of the environment; empty if it is not set.
std::string variable(const cli_surroundings& around, const char* name);

/// Reads what was named into `sources`. A file that cannot be read is one more problem.
loaded_settings load_configuration(const configuration_flags& told, const cli_surroundings& around,
                                   config_sources& sources);

} // namespace troupe::cli
