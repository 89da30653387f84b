#pragma once

#include "protocol/base/result.hpp"
#include "protocol/config/load.hpp"

#include <functional>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

/// The command line: `troupe serve`, `check` and `version`. What it starts is given to it, so
/// that it knows nothing of actors and sockets.

namespace troupe {

/// Runs a node until it is told to stop; gives the exit code. `loaded`, which has no problem, is
/// what `sources` say; the warnings are for the node's log.
using serve_function =
    std::function<int(const config_sources& sources, const loaded_settings& loaded)>;

/// What the command line reads of the process, so that tests can give their own.
struct cli_surroundings {
  std::map<std::string, std::string> environment;
  std::function<result<std::string>(const std::string& path)> read_file;
  std::ostream& out;
  std::ostream& err;
};

/// Exit codes: 0 done, 1 the configuration has problems, 2 the command line has; else what
/// `serve` gave. Call it before threads are started: it reads the environment.
int run_cli(int argc, const char* const* argv, const serve_function& serve);

/// The same with everything given. `arguments` begin after the program's name.
int run_cli(const std::vector<std::string>& arguments, const cli_surroundings& around,
            const serve_function& serve);

/// All of a file, at most as long as a configuration may be. Fails with `not_found`,
/// `permission`, `invalid_argument` (a directory, too long); the text names the path.
result<std::string> read_config_file(const std::string& path);

} // namespace troupe
