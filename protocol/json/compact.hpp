#pragma once

#include <string>
#include <string_view>

namespace troupe::json {

/// Appends `text` without the space between its tokens if it is one JSON object (RFC 8259),
/// and says whether it is; otherwise `out` is as before. Numbers and strings stay byte for
/// byte as they are written: nothing is rounded, reordered or escaped anew.
///
/// @param text  UTF-8. A lone surrogate in an escape, which is no character, makes it no JSON.
bool append_compact_object(std::string& out, std::string_view text);

} // namespace troupe::json
