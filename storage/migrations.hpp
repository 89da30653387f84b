#pragma once

// From the layouts of earlier versions to ours. The layout of a whole database is a number in
// its default column; each step happens at once with the new number, in one synced write, so
// that a crash leaves the one layout or the other.
//
//   1  credentials as bare records under `client/NAME` and `admin/NAME`
//   2  credentials as items under `id/`; the column `audit`; tables that can be read row by row

#include "storage/database.hpp"

#include <string>
#include <vector>

namespace troupe::storage {

inline constexpr int layout_now = 2;

/// The number in the layout's row; 0 for what is no number.
int parse_layout(std::string_view row);

/// Brings an opened database to `layout_now`. Tells, in words for an operator, of rows that
/// could not be read and were left where they are. `corrupt` for a later layout, which is not
/// touched.
result<std::vector<std::string>> migrate(database& data, const std::string& path);

} // namespace troupe::storage
