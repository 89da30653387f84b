#pragma once

#include "protocol/base/time.hpp"

#include <chrono>
#include <optional>
#include <string_view>

/// The many ways in which an upstream writes how long to wait. All of them are rounded up to a
/// millisecond, since a call that comes early turns a minute's quota into a ban. A wait of zero
/// or in the past is no wait; ten years is the longest that is told apart from for ever.

namespace troupe::upstream {

using wait = std::optional<std::chrono::milliseconds>;

/// `46.866742034s`, `2m30s`, `350ms`, `1h 5m`, `12 seconds`; a bare number means seconds.
/// The whole text must be such a duration.
wait read_duration(std::string_view text);

/// The header `retry-after`: seconds (a fraction is understood), or an HTTP date in any of the
/// three forms of RFC 9110 section 5.6.7.
wait read_retry_after(std::string_view text, wall_time now);

/// The header `retry-after-ms`.
wait read_milliseconds(std::string_view text);

/// A header `x-ratelimit-reset*`: a duration, seconds or milliseconds since the epoch, or an
/// RFC 3339 instant.
wait read_reset(std::string_view text, wall_time now);

/// The longest `retry in 12.3s`, `retry after 5 seconds`, `try again in 2m` of a message.
wait find_retry_text(std::string_view message);

/// The longer of two waits.
wait longer(wait a, wait b);

} // namespace troupe::upstream
