#pragma once

// Only `store.cpp` includes this: nobody else sees RocksDB.

#include "storage/store.hpp"

#include <rocksdb/db.h>

namespace troupe::storage {

/// See `store::backup`. Writes to `db` go on meanwhile.
result<store::backup_report> make_backup(rocksdb::DB& db, const std::string& directory,
                                         std::uint32_t kept);

} // namespace troupe::storage
