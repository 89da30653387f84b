#pragma once

// One opened RocksDB. Only files of `storage/` include this: nobody else sees RocksDB.

#include "storage/status.hpp"
#include "storage/store.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <rocksdb/db.h>

namespace troupe::storage {

/// In the order in which they were made, and of `column`: RocksDB numbers them from 1.
inline constexpr std::array columns{column::settings,  column::keys,        column::credentials,
                                    column::key_state, column::statistics,  column::request_log,
                                    column::resources, column::replication, column::audit};

/// The row of the default column, its only one, that says which layout the whole database has.
inline constexpr std::string_view layout_row = "layout";

/// Where the database of a data directory lies.
inline std::string database_path(const std::string& directory) {
  return directory + "/db";
}

class database;

/// What opening came to: a database, or a problem.
struct database_opening {
  std::unique_ptr<database> data;
  failure problem{errc::storage_failed, {}}; ///< meaningful without `data`
  bool damaged = false;                      ///< the problem is that what lies there is damaged
};

/// While it lives, files that a compaction makes superfluous are not deleted: what was listed
/// can be read.
class files_kept {
public:
  explicit files_kept(rocksdb::DB& db) : db_(db) { (void)db_.DisableFileDeletions(); }
  ~files_kept() { (void)db_.EnableFileDeletions(false); }
  files_kept(const files_kept&) = delete;
  files_kept& operator=(const files_kept&) = delete;

private:
  rocksdb::DB& db_;
};

/// A RocksDB with our columns. Thread-safe as RocksDB is; opened and closed by one thread.
class database {
public:
  /// Opens what lies in `path`, or makes it. One that a later version of troupe made is refused
  /// as `corrupt`, and is not damaged.
  static database_opening open(const store_options& options, const std::string& path);

  /// As `open`, but writes nothing, not even what recovery would: for a disk that is full.
  static database_opening open_to_read(const store_options& options, const std::string& path);

  /// Closes. What was written is with the operating system, synced or not.
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  rocksdb::DB& db() { return *db_; }
  rocksdb::ColumnFamilyHandle* in(column c) const { return handles_[static_cast<std::size_t>(c)]; }
  rocksdb::ColumnFamilyHandle* in_default() const { return handles_.back(); }
  const std::vector<rocksdb::ColumnFamilyHandle*>& handles() const { return handles_; }

  /// Reads the blocks of the tables and compares checksums: of those with statistics and logs
  /// of requests, which may be large and which nobody's access hangs on, only the first 64 MiB.
  rocksdb::Status verify() const;

private:
  database() = default;
  static database_opening open(const store_options& options, const std::string& path, bool to_read);

  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_; ///< by `column`; the last is the default's
};

} // namespace troupe::storage
