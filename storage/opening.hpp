#pragma once

// Only `store.cpp` includes this.

#include "storage/database.hpp"

#include <memory>
#include <string>
#include <vector>

namespace troupe::storage {

struct opened_database {
  std::unique_ptr<database> data;
  std::vector<std::string> damage; ///< as `store::damage`
};

/// Opens the database of a data directory, whatever state the last process left it in: ends
/// what a crash interrupted, rescues what can be if it is damaged, brings it to our layout.
result<opened_database> open_database(const store_options& options);

/// Opens it again while running. Damage is not rescued but refused in words: whoever reads
/// meanwhile must not find another database from one row to the next.
result<std::unique_ptr<database>> reopen_database(const store_options& options);

} // namespace troupe::storage
