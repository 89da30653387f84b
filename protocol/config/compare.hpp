#pragma once

#include "protocol/config/change.hpp"
#include "protocol/config/options.hpp"

#include <vector>

namespace troupe::config {

/// How many values the option has: one, or one for each element of its list.
std::size_t elements_of(const settings& s, const option& o);

/// Whether element `index` of the option is not the same in both.
bool differs(const option& o, const settings& a, const settings& b, std::size_t index);

/// A database layer of its own, and what all layers make with it.
struct layered {
  const loaded_settings& all;
  const loaded_settings& alone;
};

/// Options of which the value in force, its layer, or what the database says differs.
std::vector<setting_change> changes_between(const layered& before, const layered& after);

} // namespace troupe::config
