#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace troupe {

/// One thing that is wrong with a configuration. Its text says what is allowed and never
/// repeats a configured value: a secret may stand in the wrong place.
struct config_problem {
  std::string source;   ///< file name, or name of a variable
  std::size_t line = 0; ///< counted from 1; 0: the source has no lines
  std::string option;   ///< path of the option, may be empty
  std::string text;
  std::string code = "invalid_value"; ///< stable, for programs; all are in `change.hpp`

  friend bool operator==(const config_problem&, const config_problem&) = default;
};

/// `troupe.json:12: server.body_bytes_max: must be ...`
std::string to_string(const config_problem& p);

using config_problems = std::vector<config_problem>;

} // namespace troupe
