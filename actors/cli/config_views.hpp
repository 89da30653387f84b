#pragma once

#include "actors/cli/session.hpp"

#include <string>

/// Settings as a terminal shows them.

namespace troupe::cli {

/// `path = value`, an option a line, as `troupe check --show` has it.
std::string draw_settings(const config::node& answer, bool origin, const look& l);

/// What a change did, or would do.
std::string draw_changes(const config::node& answer, bool dry_run, const look& l);

std::string draw_history(const config::node& page, const look& l, wall_time now);
std::string draw_differences(const config::node& answer, const look& l);

/// What file, environment and defaults say, for a node on this machine that does not run.
int show_without_node(session& s, const std::string& prefix, bool origin);

} // namespace troupe::cli
