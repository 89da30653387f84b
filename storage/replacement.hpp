#pragma once

// One database put in the place of another, so that at every moment of a crash the data
// directory holds one whole database: the earlier or the later one.
//
//   db.building   may be cut short; removed by the next start
//   db.ready      whole; put in place by the next start if `db` is not there, else removed
//   db            what a node opens

#include "protocol/base/result.hpp"

#include <string>

namespace troupe::storage {

/// Where the later database is to be built. What an earlier attempt left there is removed.
std::string clear_building(const std::string& directory);

/// Puts what was built in place. What was there is kept beside it under `keep_as`, a hyphen and
/// a number; the answer is its path, empty if there was none.
result<std::string> put_built_in_place(const std::string& directory, const std::string& keep_as);

/// Ends what a crash interrupted. Before the database is opened.
result<void> settle_replacement(const std::string& directory);

} // namespace troupe::storage
