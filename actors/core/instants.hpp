#pragma once

#include "protocol/base/time.hpp"

namespace troupe {

/// Now, on both clocks: monotonic to measure spans, the wall for the calendar and to show.
struct instants {
  time_point now;
  wall_time wall;
};

} // namespace troupe
