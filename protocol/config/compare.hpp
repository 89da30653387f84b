#pragma once

#include "protocol/config/change.hpp"
#include "protocol/config/options.hpp"

#include <vector>

namespace troupe::config {

/// How many values the option has: one, or one for each element of its list.
std::size_t elements_of(const settings& s, const option& o);

/// Options whose value or layer differs.
std::vector<setting_change> changes_between(const loaded_settings& before,
                                            const loaded_settings& after);

} // namespace troupe::config
