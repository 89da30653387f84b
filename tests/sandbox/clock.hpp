#pragma once

#include <chrono>

/// The fake upstream of troupe's tests. It judges the gateway, and therefore
/// shares no line of code with it.
namespace sandbox {

using duration = std::chrono::nanoseconds;

/// A point on the one time line of this process: the wall clock read once at
/// the start and advanced by the steady clock. It can be shown as a date and
/// never jumps.
using instant = std::chrono::time_point<std::chrono::system_clock, duration>;

/// The present. Thread-safe.
instant now();

/// The midnight in Los Angeles at which a daily allowance next begins anew,
/// strictly after `t`. Rule: daylight time from the second Sunday of March,
/// 02:00, to the first Sunday of November, 02:00.
instant next_pacific_midnight(instant t);

/// Milliseconds since 1970, for reports.
double as_unix_ms(instant t);

} // namespace sandbox
