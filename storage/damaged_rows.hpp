#pragma once

// Only `store.cpp` includes this.

#include "storage/database.hpp"

#include <map>
#include <string>
#include <string_view>

namespace troupe::storage {

/// The rows of a column of which RocksDB refuses some, as the disk has them: each from RocksDB
/// if it gives it, else as its table says, right or wrong. RocksDB's own reading without
/// checksums is of no use: its assertions end the process at the first length that is wrong.
result<std::map<std::string, std::string>> rows_as_they_lie(database& data, column where,
                                                            std::string_view prefix);

} // namespace troupe::storage
