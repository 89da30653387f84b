#include "actors/cli/cli.hpp"

#include "actors/cli/files.hpp"
#include "actors/cli/groups.hpp"
#include "actors/cli/serve_commands.hpp"
#include "actors/version.hpp"
#include "protocol/config/document.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <iostream>

namespace troupe {

namespace {

using namespace cli;

struct group {
  const char* name;
  const char* doc;
  void (*describe)(command);
};

constexpr std::array<group, 12> groups{
    {{"keys", "Upstream keys of a running node", &add_keys},
     {"credentials", "Credentials of clients and of admins of a running node", &add_credentials},
     {"config", "Options of a running node, changed while it runs", &add_config},
     {"pool", "What the pool of a running node is doing", &add_pool},
     {"upstreams", "Upstreams of a running node, their keys and breakers", &add_upstreams},
     {"explain", "Which keys a recent request could have had, and what was tried", &add_explain},
     {"audit", "What was changed, when, by whom and from where", &add_audit},
     {"jobs", "Long work of a running node", &add_jobs},
     {"backup", "Copy all that a running node keeps into a directory", &add_backup},
     {"restore", "Bring back a backup, into a running node or a data directory", &add_restore},
     {"secrets", "The keys that seal secrets on the disk", &add_secrets},
     {"whoami", "Who the node takes us for", &add_whoami}}};

constexpr const char* exit_codes =
    "Exit codes: 0 done; 1 refused, or an item of many failed; 2 wrong usage; 3 serve only: "
    "requests were cut; 4 node not reachable; 5 not allowed; 6 not found; 7 somebody else "
    "changed it first.";

/// Only the group that is named describes its commands: `serve` starts as fast as it did alone.
void add_groups(CLI::App& app, const std::vector<std::string>& arguments, chosen_command& chosen) {
  for (const auto& g : groups) {
    auto* described = app.add_subcommand(g.name, g.doc)->group("Talking to a running node");
    described->footer(exit_codes);
    if (std::find(arguments.begin(), arguments.end(), g.name) != arguments.end())
      g.describe({*described, chosen});
  }
}

void wait_for(duration span) {
  const auto count = span.count();
  timespec left{static_cast<time_t>(count / 1'000'000'000),
                static_cast<long>(count % 1'000'000'000)};
  nanosleep(&left, nullptr); // a signal ends it early, which is wanted
}

std::map<std::string, std::string> environment_of_process() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const auto equals = text.find('=');
    if (equals != std::string_view::npos)
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

std::string working_directory() {
  std::string path(4096, '\0');
  return getcwd(path.data(), path.size()) == nullptr ? std::string{} : std::string{path.c_str()};
}

} // namespace

result<std::string> read_config_file(const std::string& path) {
  return read_file(path, config::document_bytes_max);
}

int run_cli(const std::vector<std::string>& arguments, const cli_surroundings& around,
            const serve_function& serve) {
  CLI::App app{"An actor-model gateway for LLM APIs: one address for many keys.", "troupe"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "troupe " + std::string{version});
  app.footer(exit_codes);
  serve_flags serving_told, checking_told;
  auto* serving = app.add_subcommand("serve", "Run a node until SIGTERM or Ctrl-C");
  auto* checking = app.add_subcommand("check", "Check the configuration without starting");
  auto* versioning = app.add_subcommand("version", "Print the version");
  add_serve(*serving, serving_told);
  add_check(*checking, checking_told);
  chosen_command chosen;
  add_groups(app, arguments, chosen);
  try {
    app.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()});
  } catch (const CLI::ParseError& e) {
    const auto code = app.exit(e, around.out, around.err);
    return code == 0 ? done : wrong_usage;
  }
  if (versioning->parsed())
    around.out << "troupe " << version << '\n';
  if (serving->parsed())
    return run_serve(serving_told, around, serve);
  if (checking->parsed())
    return run_check(checking_told, around);
  if (!chosen.run)
    return done;
  session s{around, chosen.node};
  return chosen.run(s);
}

int run_cli(int argc, const char* const* argv, const serve_function& serve) {
  const std::vector<std::string> arguments{argv + (argc > 0 ? 1 : 0), argv + argc};
  cli_surroundings around{environment_of_process(), read_config_file, std::cout, std::cerr};
  around.terminal = {isatty(STDIN_FILENO) != 0, isatty(STDOUT_FILENO) != 0,
                     isatty(STDERR_FILENO) != 0, terminal_columns()};
  around.directory = working_directory();
  around.read_input = &read_input;
  around.read_line = &read_line;
  around.now = [] {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
  };
  around.wait = &wait_for;
  around.watch_interrupts = &watch_interrupts;
  return run_cli(arguments, around, serve);
}

} // namespace troupe
