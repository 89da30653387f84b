#pragma once

#include "actors/cli/session.hpp"

#include <string>

/// Keys, and what was done to them, as a terminal shows them. Pure but for the session's now.

namespace troupe::cli {

/// One key in full.
std::string draw_key(const config::node& key, const look& l, wall_time now);

/// The members of `keys`.
std::string draw_keys(const config::node& page, const look& l, wall_time now);

/// `gemini is ready`, for what was done to one key.
std::string draw_key_line(const config::node& key, const look& l);

/// Reports of the jobs that change many.
std::string draw_import_report(const config::node& report, const look& l);
std::string draw_bulk_report(const config::node& report, const std::string& done, const look& l);

} // namespace troupe::cli
