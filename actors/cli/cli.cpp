#include "actors/cli/cli.hpp"

#include "actors/cli/check.hpp"
#include "actors/version.hpp"
#include "protocol/config/document.hpp"
#include "protocol/config/options.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>

namespace troupe {

namespace {

using config::option;
using config::option_type;

/// What one run of the command line was told.
struct request {
  std::string config_path;
  std::string env_path;
  std::map<std::string, std::string> flags; ///< option path and text
  bool show = false;
};

/// Secrets have no flags: every user of a machine can list its processes' arguments.
bool has_flag(const option& o) {
  switch (o.type) {
  case option_type::secrets:
  case option_type::secret_text:
  case option_type::digest:
  case option_type::headers:
  case option_type::objects:
  case option_type::json:
    return false;
  default:
    return o.path.find('[') == std::string_view::npos;
  }
}

std::string flag_name(const option& o) {
  std::string name = "--" + std::string{o.path};
  std::replace(name.begin(), name.end(), '.', '-');
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string section_of(const option& o) {
  const auto dot = o.path.find('.');
  return dot == std::string_view::npos ? "Node" : std::string{o.path.substr(0, dot)};
}

void add_options(CLI::App& command, request& told) {
  command
      .add_option("--config", told.config_path,
                  "File of options, JSON with comments [TROUPE_CONFIG]")
      ->type_name("FILE");
  command
      .add_option("--env-file", told.env_path,
                  "File of variables; those of the process win [TROUPE_ENV_FILE]")
      ->type_name("FILE");
  for (const auto& o : config::options()) {
    if (!has_flag(o))
      continue;
    const auto text = std::string{o.doc} + " Must be " + config::allowed(o) + "; default "
                      + std::string{o.fallback} + " [" + config::environment_name(o) + ']';
    command
        .add_option_function<std::string>(
            flag_name(o),
            [&told, path = std::string{o.path}](const std::string& value) {
              told.flags[path] = value;
            },
            text)
        ->type_name("")
        ->group(section_of(o));
  }
}

std::string variable(const cli_surroundings& around, const char* name) {
  const auto found = around.environment.find(name);
  return found == around.environment.end() ? std::string{} : found->second;
}

/// Reads what was named into `sources`. A file that cannot be read is one more problem.
loaded_settings load(const request& told, const cli_surroundings& around,
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
  sources.command_line = {told.flags.begin(), told.flags.end()};
  sources.read_file = around.read_file;
  auto loaded = load_settings(sources);
  loaded.problems.insert(loaded.problems.begin(), unreadable.begin(), unreadable.end());
  return loaded;
}

/// 0 if `loaded` can be used; says what speaks against it.
int report(const loaded_settings& loaded, std::ostream& err) {
  for (const auto& problem : loaded.problems)
    err << to_string(problem) << '\n';
  if (loaded.problems.empty())
    return 0;
  err << loaded.problems.size() << (loaded.problems.size() == 1 ? " problem" : " problems")
      << " in the configuration\n";
  return 1;
}

result<std::string> read_all(std::FILE* file, const std::string& path) {
  std::string text;
  char buffer[16 * 1024];
  while (const auto count = std::fread(buffer, 1, sizeof buffer, file)) {
    text.append(buffer, count);
    if (text.size() > config::document_bytes_max)
      return failure{errc::invalid_argument, path + ": longer than a configuration may be"};
  }
  if (std::ferror(file) != 0)
    return failure{errc::invalid_argument, path + ": " + std::strerror(errno)};
  return text;
}

} // namespace

result<std::string> read_config_file(const std::string& path) {
  const auto close = [](std::FILE* f) { std::fclose(f); };
  const std::unique_ptr<std::FILE, decltype(close)> file{std::fopen(path.c_str(), "rb"), close};
  if (file)
    return read_all(file.get(), path);
  const auto code = errno == EACCES ? errc::permission : errc::not_found;
  return failure{code, path + ": " + std::strerror(errno)};
}

int run_cli(const std::vector<std::string>& arguments, const cli_surroundings& around,
            const serve_function& serve) {
  request told;
  CLI::App app{"An actor-model gateway for LLM APIs: one address for many keys.", "troupe"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "troupe " + std::string{version});
  auto* serving = app.add_subcommand("serve", "Run a node until SIGTERM or Ctrl-C");
  auto* checking = app.add_subcommand("check", "Check the configuration without starting");
  auto* versioning = app.add_subcommand("version", "Print the version");
  add_options(*serving, told);
  add_options(*checking, told);
  checking->add_flag("--show", told.show, "Print every option with its value and where it is from");
  try {
    app.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()});
  } catch (const CLI::ParseError& e) {
    const auto code = app.exit(e, around.out, around.err);
    return code == 0 ? 0 : 2;
  }
  if (versioning->parsed()) {
    around.out << "troupe " << version << '\n';
    return 0;
  }
  config_sources sources;
  const auto loaded = load(told, around, sources);
  if (serving->parsed() && loaded.problems.empty())
    return serve(sources, loaded);
  for (const auto& warning : loaded.warnings)
    around.err << "warning: " << warning << '\n';
  const auto code = report(loaded, around.err);
  if (code == 0)
    around.out << (told.show ? show_settings(loaded) : summary_of(loaded.values));
  return code;
}

int run_cli(int argc, const char* const* argv, const serve_function& serve) {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const auto equals = text.find('=');
    if (equals != std::string_view::npos)
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  const std::vector<std::string> arguments{argv + (argc > 0 ? 1 : 0), argv + argc};
  return run_cli(arguments, {std::move(environment), read_config_file, std::cout, std::cerr},
                 serve);
}

} // namespace troupe
