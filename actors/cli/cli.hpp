#pragma once

#include "protocol/base/result.hpp"
#include "protocol/base/time.hpp"
#include "protocol/config/load.hpp"

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// The command line: `troupe serve`, `check` and `version`, and the commands that talk to a running
/// node over its admin API (docs/cli.md). How a node is run is given to it, so that it knows
/// nothing of actors.

namespace troupe {

/// Runs a node until it is told to stop; gives the exit code. `loaded`, which has no problem, is
/// what `sources` say; the warnings are for the node's log.
using serve_function =
    std::function<int(const config_sources& sources, const loaded_settings& loaded)>;

/// Which ends of the process are terminals.
struct cli_terminal {
  bool in = false;
  bool out = false;
  bool err = false;
  std::size_t columns = 0; ///< of `out`; 0: not known, nothing is cut
};

/// What the command line knows of the process and does to it, so that tests can give their own.
struct cli_surroundings {
  std::map<std::string, std::string> environment;
  std::function<result<std::string>(const std::string& path)> read_file; ///< of configurations
  std::ostream& out;
  std::ostream& err;
  cli_terminal terminal = {};
  std::string directory = {}; ///< in which relative paths begin
  /// Standard input to its end.
  std::function<result<std::string>(std::size_t bytes_max)> read_input =
      [](std::size_t) -> result<std::string> { return std::string{}; };
  /// Asks on the terminal, and gives the line that is typed; nothing at its end. `hidden`: it is
  /// not shown while it is typed, from before `prompt` is to be seen.
  std::function<std::optional<std::string>(const std::string& prompt, bool hidden)> read_line =
      [](const std::string&, bool) -> std::optional<std::string> { return std::nullopt; };
  std::function<wall_time()> now = [] { return wall_time{}; };
  std::function<void(duration)> wait = [](duration) {}; ///< ends early when interrupted
  /// Until what it gives is gone, Ctrl-C does not end the process but makes that say true.
  std::function<std::function<bool()>()> watch_interrupts = [] { return [] { return false; }; };
};

/// Exit codes: docs/cli.md; of `serve` what it gave, of `check` 1 if the configuration has
/// problems. Call it before threads are started: it reads the environment.
int run_cli(int argc, const char* const* argv, const serve_function& serve);

/// The same with everything given. `arguments` begin after the program's name.
int run_cli(const std::vector<std::string>& arguments, const cli_surroundings& around,
            const serve_function& serve);

/// All of a file, at most as long as a configuration may be. Fails with `not_found`,
/// `permission`, `invalid_argument` (a directory, too long); the text names the path.
result<std::string> read_config_file(const std::string& path);

} // namespace troupe
