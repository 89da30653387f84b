#pragma once

// Only `store.cpp` includes this: nobody else sees RocksDB.

#include "storage/directory_lock.hpp"
#include "storage/store.hpp"

#include <memory>
#include <string>

#include <rocksdb/db.h>
#include <rocksdb/utilities/backup_engine.h>

namespace troupe::storage {

/// One backup being made. Owned by one thread, but for `stop`.
class backup_run {
public:
  /// Makes the directory ready, and keeps others out of it. See `store::backup`.
  static result<backup_run> open(const std::string& directory);

  /// Writes to `db` go on meanwhile; it must stay open.
  result<store::backup_report> copy(rocksdb::DB& db, std::uint32_t kept);

  /// Thread-safe. `copy` returns soon, with a failure.
  void stop();

private:
  backup_run(std::string directory, directory_lock lock,
             std::unique_ptr<rocksdb::BackupEngine> engine);

  std::string directory_;
  directory_lock lock_;
  std::unique_ptr<rocksdb::BackupEngine> engine_;
};

} // namespace troupe::storage
