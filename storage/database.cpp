#include "storage/database.hpp"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <filesystem>

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

namespace troupe::storage {
namespace {

constexpr std::array columns{column::settings,  column::keys,        column::credentials,
                             column::key_state, column::statistics,  column::request_log,
                             column::resources, column::replication, column::audit};

constexpr std::string_view layout_row = "layout";
constexpr std::string_view layout = "1";

/// RocksDB's own log file, when it cannot grow on a full disk, ends the process: Debian builds
/// the library with its assertions, and one of them forbids a second write after a failed one.
/// What an operator has to know comes back as statuses anyway.
class silent_log final : public rocksdb::Logger {
public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

/// Small on purpose: a node that serves no request should not hold memory or wake up.
rocksdb::DBOptions database_options(const store_options& o) {
  rocksdb::DBOptions d;
  d.create_if_missing = true;
  d.create_missing_column_families = true;
  d.max_open_files = o.open_files_max;
  d.db_write_buffer_size = o.write_buffer_bytes;
  d.max_total_wal_size = 4 * o.write_buffer_bytes; // or idle columns would keep old logs alive
  d.max_background_jobs = 2;
  d.stats_dump_period_sec = 0;
  d.stats_persist_period_sec = 0;
  d.info_log = std::make_shared<silent_log>();
  d.avoid_flush_during_recovery = true; // a restart replays a small log, it writes no files
  return d;
}

rocksdb::ColumnFamilyOptions column_options(const store_options& o) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(o.block_cache_bytes, 1);
  table.cache_index_and_filter_blocks = true;
  rocksdb::ColumnFamilyOptions c;
  c.write_buffer_size = o.write_buffer_bytes;
  c.arena_block_size = 64 * 1024;
  c.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return c;
}

/// A column we do not know was made by a later version: it may hold what we would break.
result<void> refuse_unknown_columns(const std::string& path, const rocksdb::DBOptions& options) {
  std::error_code ignored;
  if (!std::filesystem::exists(path + "/CURRENT", ignored))
    return {};
  std::vector<std::string> names;
  const auto status = rocksdb::DB::ListColumnFamilies(options, path, &names);
  if (!status.ok())
    return failed("cannot read the database in " + path, status);
  for (const auto& name : names)
    if (name != rocksdb::kDefaultColumnFamilyName
        && std::ranges::none_of(columns, [&](column c) { return to_string(c) == name; }))
      return failure(errc::corrupt, "the database in " + path + " has a column \"" + name
                                        + "\", made by a later version of troupe");
  return {};
}

/// The layout of the whole database is noted in the default column, which has no other row.
result<void> check_layout(rocksdb::DB& db, const std::string& path) {
  std::string found;
  auto status = db.Get({}, slice(layout_row), &found);
  if (status.IsNotFound()) {
    rocksdb::WriteOptions synced;
    synced.sync = true;
    status = db.Put(synced, slice(layout_row), slice(layout));
    found = layout;
  }
  if (!status.ok())
    return failed("cannot read the layout of " + path, status);
  if (found != layout)
    return failure(errc::corrupt, "the database in " + path + " has layout " + found
                                      + ", this version knows " + std::string{layout});
  return {};
}

} // namespace

failure failed(std::string_view doing, const rocksdb::Status& status) {
  const auto words = status.ToString();
  // RocksDB has a word of its own for a full disk, but not for a file that may not grow.
  const bool full = status.IsNoSpace() || words.find("File too large") != std::string::npos;
  const bool read_only = words.find("Read-only file system") != std::string::npos;
  const auto code = status.IsCorruption() ? errc::corrupt
                    : full                ? errc::storage_full
                    : read_only           ? errc::permission
                                          : errc::storage_failed;
  return {code, std::string{doing} + ": " + words};
}

result<std::unique_ptr<database>> database::open(const store_options& options) {
  const auto path = options.directory + "/db";
  const auto how = database_options(options);
  if (auto known = refuse_unknown_columns(path, how); !known)
    return known.error();
  const auto column_how = column_options(options);
  std::vector<rocksdb::ColumnFamilyDescriptor> wanted;
  for (const auto c : columns)
    wanted.emplace_back(std::string{to_string(c)}, column_how);
  wanted.emplace_back(rocksdb::kDefaultColumnFamilyName, column_how);

  std::unique_ptr<database> d(new database);
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(how, path, wanted, &d->handles_, &db);
  if (!status.ok())
    return failed("cannot open the database in " + path, status);
  d->db_.reset(db);
  if (auto right = check_layout(*db, path); !right)
    return right.error();
  return d;
}

database::~database() {
  if (!db_)
    return;
  for (auto* handle : handles_)
    (void)db_->DestroyColumnFamilyHandle(handle);
  (void)db_->Close();
}

} // namespace troupe::storage
