#pragma once

#include "protocol/config/load.hpp"

namespace troupe {

/// `sources` are the configuration without the database layer, `loaded` what follows from them.
/// Runs a node until SIGTERM or SIGINT, then drains it. Returns the exit code: 0 after a clean
/// end, 1 when the node could not start (the reason is on standard error), 3 when exchanges had
/// to be cut because they outlasted `drain_timeout`, 4 when the disk did not take the last state of
/// the keys. A second signal cuts them at once.
int serve(const config_sources& sources, const loaded_settings& loaded);

} // namespace troupe
