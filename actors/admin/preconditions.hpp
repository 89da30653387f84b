#pragma once

#include "actors/inventory/inventory_messages.hpp"

#include <optional>
#include <string_view>

// What header fields say about whether a request may do what it asks.

namespace troupe {

/// `If-Match`: nothing for an absent or empty field and for `*`; a revision for `"7"`. False:
/// it is neither.
struct if_match {
  bool good = true;
  expected_revision revision;
};
if_match read_if_match(std::string_view field);

/// Whether a page from `origin` (a browser's field `Origin`) is of the host that it calls: a
/// foreign page must not use the browser's place in the network. An absent `origin` is right.
bool same_origin(std::string_view origin, std::string_view host);

/// Whether `content_type` is `type`, with a charset of UTF-8 or none, and any other parameters.
bool is_media_type(std::string_view content_type, std::string_view type);

} // namespace troupe
