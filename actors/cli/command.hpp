#pragma once

#include "actors/cli/session.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace troupe::cli {

/// What a command does once its flags have been read; gives the exit code.
using command_body = std::function<int(session&)>;

/// The command that the arguments named, and what goes with it.
struct chosen_command {
  node_flags node;
  command_body run; ///< empty: none was
};

/// Describes one command and its flags. What flags fill must live until the command has run:
/// keep it in what `runs` is given. Hides the parser's headers, which are heavy.
class command {
public:
  command(CLI::App& app, chosen_command& chosen) : app_(app), chosen_(chosen) {}

  /// A command below this one.
  command sub(const std::string& name, const std::string& doc);

  /// `flags`: `--name`, or `-n,--name`. `value` is what the help calls it.
  command& text(const std::string& flags, std::string& into, const std::string& value,
                const std::string& doc);
  command& text(const std::string& flags, std::optional<std::string>& into,
                const std::string& value, const std::string& doc);
  /// May stand several times.
  command& texts(const std::string& flags, std::vector<std::string>& into, const std::string& value,
                 const std::string& doc);
  command& number(const std::string& flags, std::size_t& into, const std::string& value,
                  const std::string& doc);
  command& flag(const std::string& flags, bool& into, const std::string& doc);

  /// Arguments without a name, in the order in which they are described.
  command& argument(const std::string& name, std::string& into, const std::string& doc,
                    bool required = true);
  command& arguments(const std::string& name, std::vector<std::string>& into,
                     const std::string& doc, bool required = true);

  /// Makes it one that can be run; adds the flags that tell which node is meant.
  void runs(command_body body);

private:
  CLI::App& app_;
  chosen_command& chosen_;
};

} // namespace troupe::cli
