#pragma once

#include "protocol/base/result.hpp"
#include "protocol/base/time.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Instants of the admin API, for people and from people. Pure: now comes in.

namespace troupe::cli {

/// `3 min ago`, `in 2 h`, `now`; empty for an empty text, and the text itself if it is no instant.
std::string relative_moment(std::string_view instant, wall_time now);

/// `2026-11-25 08:00:00 UTC`.
std::string absolute_moment(std::string_view instant);

/// `2026-11-25 08:00:00 UTC (3 min ago)`.
std::string full_moment(std::string_view instant, wall_time now);

/// When something ends, as somebody types it: a span from now (`30d`), a day (`2027-01-01`, its
/// first instant in UTC), an instant, or `never`, which gives an empty text. Else an instant.
/// Fails with `invalid_argument`.
result<std::string> read_expiry(std::string_view text, wall_time now);

} // namespace troupe::cli
