#include "actors/cli/command.hpp"

#include <CLI/App.hpp>

#include <utility>

namespace troupe::cli {

namespace {

constexpr const char* node_group = "Which node, and how it is told";

void add_node_flags(CLI::App& app, node_flags& into) {
  const auto text = [&](const char* flag, std::string& value, const char* type, const char* doc) {
    app.add_option(flag, value, doc)->type_name(type)->group(node_group);
  };
  text("--admin", into.admin, "URL", "The node's admin port [TROUPE_ADMIN_URL]");
  text("--credential-file", into.credential_file, "FILE",
       "Holds the credential for --admin; only its owner may read it [the credential itself: "
       "TROUPE_ADMIN_CREDENTIAL]");
  text("--ca-file", into.ca_file, "FILE", "Trusted certificates for https, PEM");
  text("--data-dir", into.data_dir, "DIR", "Data directory of a node on this machine");
  text("--config", into.config_path, "FILE", "Configuration of a node on this machine");
  text("--env-file", into.env_path, "FILE", "File of variables of a node on this machine");
  text("--timeout", into.timeout, "SPAN", "How long one call may take; default 30s");
  app.add_flag("--json", into.json, "Print what the node says, and errors, as JSON")
      ->group(node_group);
}

} // namespace

command command::sub(const std::string& name, const std::string& doc) {
  auto* app = app_.add_subcommand(name, doc);
  app_.require_subcommand(1);
  return {*app, chosen_};
}

command& command::text(const std::string& flags, std::string& into, const std::string& value,
                       const std::string& doc) {
  app_.add_option(flags, into, doc)->type_name(value);
  return *this;
}

command& command::text(const std::string& flags, std::optional<std::string>& into,
                       const std::string& value, const std::string& doc) {
  app_.add_option_function<std::string>(
          flags, [&into](const std::string& text) { into = text; }, doc)
      ->type_name(value);
  return *this;
}

command& command::texts(const std::string& flags, std::vector<std::string>& into,
                        const std::string& value, const std::string& doc) {
  // One value each time: what follows it may be an argument of the command.
  app_.add_option(flags, into, doc)->type_name(value)->allow_extra_args(false);
  return *this;
}

command& command::number(const std::string& flags, std::size_t& into, const std::string& value,
                         const std::string& doc) {
  app_.add_option(flags, into, doc)->type_name(value);
  return *this;
}

command& command::flag(const std::string& flags, bool& into, const std::string& doc) {
  app_.add_flag(flags, into, doc);
  return *this;
}

command& command::argument(const std::string& name, std::string& into, const std::string& doc,
                           bool required) {
  app_.add_option(name, into, doc)->type_name("")->required(required);
  return *this;
}

command& command::arguments(const std::string& name, std::vector<std::string>& into,
                            const std::string& doc, bool required) {
  app_.add_option(name, into, doc)->type_name("")->required(required);
  return *this;
}

void command::runs(command_body body) {
  add_node_flags(app_, chosen_.node);
  app_.callback([&chosen = chosen_, run = std::move(body)] { chosen.run = run; });
}

} // namespace troupe::cli
