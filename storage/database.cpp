#include "storage/database.hpp"

#include "storage/files.hpp"

#include <algorithm>
#include <cstdarg>
#include <optional>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table.h>

namespace troupe::storage {
namespace {

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
  // An unfinished last record is no damage; all else is. Whether an end is unfinished is
  // decided before, in storage/opening.cpp: RocksDB believes it too easily.
  d.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  return d;
}

/// Tables are written so that storage/core/table_file.hpp can read them row by row when they
/// are damaged: not compressed, keys whole, checksums that we can compute.
rocksdb::ColumnFamilyOptions column_options(const store_options& o,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.checksum = rocksdb::kCRC32c;
  table.block_restart_interval = 1;
  table.format_version = 5;
  rocksdb::ColumnFamilyOptions c;
  c.write_buffer_size = o.write_buffer_bytes;
  c.arena_block_size = 64 * 1024;
  c.compression = rocksdb::kNoCompression;
  c.bottommost_compression = rocksdb::kNoCompression;
  c.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return c;
}

std::vector<rocksdb::ColumnFamilyDescriptor> wanted_columns(const store_options& o) {
  const auto how = column_options(o, rocksdb::NewLRUCache(o.block_cache_bytes, 1));
  std::vector<rocksdb::ColumnFamilyDescriptor> wanted;
  for (const auto c : columns)
    wanted.emplace_back(std::string{to_string(c)}, how);
  wanted.emplace_back(rocksdb::kDefaultColumnFamilyName, how);
  return wanted;
}

/// A column we do not know was made by a later version: it may hold what we would break.
std::optional<database_opening> refuse_unknown_columns(const std::string& path,
                                                       const rocksdb::DBOptions& options) {
  if (!exists(path + "/CURRENT"))
    return std::nullopt;
  std::vector<std::string> names;
  const auto status = rocksdb::DB::ListColumnFamilies(options, path, &names);
  if (!status.ok())
    return database_opening{nullptr, failed("cannot read the database in " + path, status),
                            is_damage(status)};
  for (const auto& name : names)
    if (name != rocksdb::kDefaultColumnFamilyName
        && std::ranges::none_of(columns, [&](column c) { return to_string(c) == name; }))
      return database_opening{nullptr,
                              {errc::corrupt, "the database in " + path + " has a column \"" + name
                                                  + "\", made by a later version of troupe"},
                              false};
  return std::nullopt;
}

} // namespace

database_opening database::open(const store_options& options, const std::string& path) {
  return open(options, path, false);
}

database_opening database::open_to_read(const store_options& options, const std::string& path) {
  return open(options, path, true);
}

database_opening database::open(const store_options& options, const std::string& path,
                                bool to_read) {
  const auto how = database_options(options);
  if (auto refused = refuse_unknown_columns(path, how))
    return *std::move(refused);
  std::unique_ptr<database> d(new database);
  rocksdb::DB* db = nullptr;
  const auto wanted = wanted_columns(options);
  const auto status = to_read ? rocksdb::DB::OpenForReadOnly(how, path, wanted, &d->handles_, &db)
                              : rocksdb::DB::Open(how, path, wanted, &d->handles_, &db);
  if (!status.ok())
    return {nullptr, failed("cannot open the database in " + path, status), is_damage(status)};
  d->db_.reset(db);
  return {std::move(d), {errc::storage_failed, {}}, false};
}

rocksdb::Status database::verify() const {
  constexpr std::uint64_t bulk_bytes_max = 64 * 1024 * 1024;
  std::uint64_t bulk_bytes = 0;
  const files_kept kept(*db_);
  std::vector<rocksdb::LiveFileMetaData> files;
  db_->GetLiveFilesMetaData(&files);
  for (const auto& file : files) {
    if (file.column_family_name == to_string(column::statistics)
        || file.column_family_name == to_string(column::request_log)) {
      bulk_bytes += file.size;
      if (bulk_bytes > bulk_bytes_max)
        continue;
    }
    rocksdb::SstFileReader reader(rocksdb::Options{});
    auto status = reader.Open(file.db_path + file.name);
    if (status.ok())
      status = reader.VerifyChecksum();
    if (!status.ok())
      return status;
  }
  return rocksdb::Status::OK();
}

database::~database() {
  if (!db_)
    return;
  for (auto* handle : handles_)
    (void)db_->DestroyColumnFamilyHandle(handle);
  (void)db_->Close();
}

} // namespace troupe::storage
