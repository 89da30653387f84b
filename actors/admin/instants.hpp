#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Milliseconds since 1970 as RFC 3339 in UTC: `2026-11-25T08:00:00.000Z`. What lies beyond the
/// years 1970 to 9999 is shown as their ends.
std::string instant_text(std::int64_t at_ms);

/// The inverse, for any offset and any fraction; nothing for any other text.
std::optional<std::int64_t> parse_instant(std::string_view text);

} // namespace troupe
