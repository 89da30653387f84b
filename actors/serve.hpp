#pragma once

#include "protocol/config/settings.hpp"

#include <string>
#include <vector>

namespace troupe {

/// Runs a node until SIGTERM or SIGINT, then drains it. Returns the exit code: 0 after a clean
/// end, 1 when the node could not start (the reason is on standard error), 3 when exchanges had
/// to be cut because they outlasted `drain_timeout`, 4 when the disk did not take the last state of
/// the keys. A second signal cuts them at once.
int serve(const settings& s, const std::vector<std::string>& warnings);

} // namespace troupe
