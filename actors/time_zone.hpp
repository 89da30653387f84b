#pragma once

#include "protocol/base/day_clock.hpp"
#include "protocol/base/result.hpp"

#include <string>

namespace troupe {

/// The days of a zone of the IANA database, such as `Europe/Berlin`, with its changes from `from`
/// on for 20 years, as far as the database goes. Reads files of the system: blocks. `not_found`, in
/// words, for a name that is not in the database or where there is no database;
/// `America/Los_Angeles` is known without.
result<day_clock> read_zone(const std::string& name, wall_time from);

} // namespace troupe
