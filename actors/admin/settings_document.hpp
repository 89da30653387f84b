#pragma once

#include "actors/inventory/inventory_messages.hpp"

#include <string>
#include <string_view>

// Settings as JSON. Secrets were masked by whoever made the values.

namespace troupe {

/// `prefix` narrows the options; empty: all.
std::string settings_document(const settings_view& v, std::string_view prefix);
std::string settings_changed_document(const settings_changed& c);
std::string settings_history_document(const settings_history& h);
std::string settings_diff_document(const settings_diff& d);

} // namespace troupe
