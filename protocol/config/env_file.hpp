#pragma once

#include "protocol/config/problem.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

struct env_entry {
  std::string name;
  std::string value;
  std::size_t line;
};

/// Reads a `.env` file: `NAME=value`, with `export` before it or not; comments with `#` on a
/// line of their own or after white space; single quotes (as it stands), double quotes
/// (`\n \t \r \" \\ \$` are escapes), both over several lines. Values that begin with a bracket
/// keep their quotes, and a `#` inside quotes is no comment. Where a name stands twice the last one
/// counts, as for a shell. `problems` tell of lines that are none of this.
std::vector<env_entry> read_env_file(std::string_view text, std::string_view source,
                                     config_problems& problems);

} // namespace troupe::config
