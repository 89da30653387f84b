#pragma once

#include "actors/cli/cli.hpp"
#include "actors/cli/configuration.hpp"

namespace CLI {
class App;
}

namespace troupe::cli {

/// What the flags of `serve` and `check` say.
struct serve_flags {
  configuration_flags configuration;
  bool show = false; ///< of `check`
};

/// Flags for every option that may stand on a command line.
void add_serve(CLI::App& command, serve_flags& told);
void add_check(CLI::App& command, serve_flags& told);

int run_serve(const serve_flags& told, const cli_surroundings& around, const serve_function& serve);
int run_check(const serve_flags& told, const cli_surroundings& around);

} // namespace troupe::cli
