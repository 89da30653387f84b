#include "actors/cli/serve_commands.hpp"

#include "actors/cli/check.hpp"
#include "protocol/config/options.hpp"

#include <CLI/App.hpp>

#include <algorithm>
#include <ostream>

namespace troupe::cli {

namespace {

using config::option;
using config::option_type;

/// Secrets have no flags: every user of a machine can list its processes' arguments. Values that
/// are JSON have none either: they belong into a file.
bool has_flag(const option& o) {
  switch (o.type) {
  case option_type::secrets:
  case option_type::secret_text:
  case option_type::digest:
  case option_type::headers:
  case option_type::proxies:
  case option_type::limits:
  case option_type::aliases:
  case option_type::fallbacks:
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

void add_options(CLI::App& command, configuration_flags& told) {
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
              told.options[path] = value;
            },
            text)
        ->type_name("")
        ->group(section_of(o));
  }
}

void tell_warnings(const loaded_settings& loaded, std::ostream& err) {
  for (const auto& warning : loaded.warnings)
    err << "warning: " << warning << '\n';
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

} // namespace

void add_serve(CLI::App& command, serve_flags& told) {
  add_options(command, told.configuration);
}

void add_check(CLI::App& command, serve_flags& told) {
  add_options(command, told.configuration);
  command.add_flag("--show", told.show, "Print every option with its value and where it is from");
}

int run_serve(const serve_flags& told, const cli_surroundings& around,
              const serve_function& serve) {
  config_sources sources;
  const auto loaded = load_configuration(told.configuration, around, sources);
  if (loaded.problems.empty())
    return serve(sources, loaded);
  tell_warnings(loaded, around.err);
  return report(loaded, around.err);
}

int run_check(const serve_flags& told, const cli_surroundings& around) {
  config_sources sources;
  const auto loaded = load_configuration(told.configuration, around, sources);
  tell_warnings(loaded, around.err);
  const auto code = report(loaded, around.err);
  if (code == 0)
    around.out << (told.show ? draw_options(shown_options(loaded), true, {})
                             : summary_of(loaded.values));
  return code;
}

} // namespace troupe::cli
