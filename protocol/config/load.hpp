#pragma once

#include "protocol/base/result.hpp"
#include "protocol/config/problem.hpp"
#include "protocol/config/settings.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// From what an operator wrote to `settings`. Strongest last: defaults, the file, what was
/// changed at run time (the database layer), the environment (gemini-balance's names, then the
/// common names of Gemini keys, then `TROUPE_...`; a variable of the process wins over the same one
/// in the env file), the command line.

namespace troupe {

struct config_text {
  std::string name; ///< for error texts
  std::string text;
};

/// Everything a configuration is made of, as values: nothing here reads the process.
struct config_sources {
  std::optional<config_text> file; ///< JSON with comments
  /// What was changed at run time: JSON in the shape of the file. It may not say where the data
  /// is, and holds no keys and no credentials: these are records of their own.
  std::optional<config_text> database;
  std::optional<config_text> env_file; ///< `NAME=value` lines
  std::map<std::string, std::string> environment;
  std::vector<std::pair<std::string, std::string>> command_line; ///< option path and text
  /// Reads the files that options name (`keys_file`). Empty: none can be read.
  std::function<result<std::string>(const std::string& path)> read_file;
};

enum class config_layer : std::uint8_t { defaults, file, database, environment, command_line };

/// Where a value came from.
struct config_origin {
  config_layer layer = config_layer::defaults;
  std::string source;   ///< file, variable or flag
  std::size_t line = 0; ///< 0: the source has no lines

  friend bool operator==(const config_origin&, const config_origin&) = default;
};

/// `default`, `troupe.json:12`, `TROUPE_LISTEN`.
std::string to_string(const config_origin& origin);

struct loaded_settings {
  settings values;
  std::vector<config_problem> problems; ///< not empty: `values` must not be used
  std::vector<std::string> warnings;    ///< for the operator; hold no secret
  /// By option path; what is not here has its default.
  std::map<std::string, config_origin, std::less<>> origins;

  config_origin origin_of(std::string_view path) const;
};

loaded_settings load_settings(const config_sources& sources);

} // namespace troupe
