#pragma once

// One opened RocksDB. Only `store.cpp` includes this: nobody else sees RocksDB.

#include "storage/store.hpp"

#include <memory>
#include <string>
#include <vector>

#include <rocksdb/db.h>

namespace troupe::storage {

/// A RocksDB with our columns. Thread-safe as RocksDB is; opened and closed by one thread.
class database {
public:
  /// `corrupt` if it was made by a later version of troupe or cannot be read.
  static result<std::unique_ptr<database>> open(const store_options& options);

  /// Closes. What was written is with the operating system, synced or not.
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  rocksdb::DB& db() { return *db_; }
  rocksdb::ColumnFamilyHandle* in(column c) const { return handles_[static_cast<std::size_t>(c)]; }

private:
  database() = default;

  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_; ///< by `column`; the last is the default's
};

/// `storage_failed`, or `corrupt` if that is what the database says.
failure failed(std::string_view doing, const rocksdb::Status& status);

inline rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}

} // namespace troupe::storage
