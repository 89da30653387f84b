#pragma once

#include "actors/cli/core/table.hpp"
#include "protocol/config/load.hpp"

#include <string>
#include <vector>

namespace troupe::cli {

/// `configuration is valid` and what it amounts to, in a few lines. Holds no secret.
std::string summary_of(const settings& s);

struct shown_option {
  std::string path;
  std::string value;  ///< as the file would say it; secrets are `"***"`
  std::string origin; ///< `default`, `troupe.json:12`, `TROUPE_LISTEN`
};

/// Every option.
std::vector<shown_option> shown_options(const loaded_settings& loaded);

/// One line per option: its path, its value and, if wanted, where it came from.
std::string draw_options(const std::vector<shown_option>& options, bool origin, const look& l);

} // namespace troupe::cli
