#pragma once

#include <chrono>

namespace troupe {

/// Spans of time. Kept on disk and sent between nodes as milliseconds.
using duration = std::chrono::nanoseconds;

/// Monotonic; means nothing on another node or after a restart.
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

/// Wall clock, for what is stored, shown, or set by the upstream's calendar.
using wall_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

} // namespace troupe
