#pragma once

#include "http/core/timeout_wheel.hpp"
#include "http/event_loop.hpp"

namespace troupe::http::detail {

/// The loop's wheel of coarse deadlines, driven by its only timer. Loop's thread.
timeout_wheel& timeouts_of(event_loop& loop);

} // namespace troupe::http::detail
