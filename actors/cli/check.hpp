#pragma once

#include "protocol/config/load.hpp"

#include <string>

namespace troupe {

/// `configuration is valid` and what it amounts to, in a few lines. Holds no secret.
std::string summary_of(const settings& s);

/// One line per option: its path, its value as the file would say it, and where it came from.
/// Secrets print as `***`.
std::string show_settings(const loaded_settings& loaded);

} // namespace troupe
