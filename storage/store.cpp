#include "storage/store.hpp"

#include "storage/directory_lock.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/iterator.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

namespace troupe::storage {
namespace {

constexpr std::array columns{column::settings,  column::keys,       column::credentials,
                             column::key_state, column::statistics, column::request_log,
                             column::resources, column::replication};

constexpr std::string_view layout_row = "layout";
constexpr std::string_view layout = "1";

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}

failure failed(std::string_view doing, const rocksdb::Status& status) {
  return {status.IsCorruption() ? errc::corrupt : errc::storage_failed,
          std::string{doing} + ": " + status.ToString()};
}

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
  d.keep_log_file_num = 2;
  d.max_log_file_size = 1024 * 1024;
  d.info_log_level = rocksdb::WARN_LEVEL;
  d.avoid_flush_during_recovery = true; // a restart replays a small log, it writes no files
  return d;
}

rocksdb::ColumnFamilyOptions column_options(const store_options& o,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  rocksdb::ColumnFamilyOptions c;
  c.write_buffer_size = o.write_buffer_bytes;
  c.arena_block_size = 64 * 1024;
  c.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return c;
}

result<void> prepare_directory(const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code code;
  if (fs::is_directory(directory, code))
    return {};
  if (!fs::create_directories(directory, code) && code)
    return failure(code == std::errc::permission_denied ? errc::permission : errc::storage_failed,
                   "cannot create the data directory " + directory + ": " + code.message());
  fs::permissions(directory, fs::perms::owner_all, code);
  return {};
}

/// A column we do not know was made by a later version: it may hold what we would break.
result<void> refuse_unknown_columns(const std::string& path, const rocksdb::DBOptions& options) {
  std::vector<std::string> names;
  if (!std::filesystem::exists(path + "/CURRENT"))
    return {};
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

std::string_view to_string(column c) {
  switch (c) {
  case column::settings:
    return "settings";
  case column::keys:
    return "keys";
  case column::credentials:
    return "credentials";
  case column::key_state:
    return "key_state";
  case column::statistics:
    return "statistics";
  case column::request_log:
    return "request_log";
  case column::resources:
    return "resources";
  case column::replication:
    return "replication";
  }
  return "unknown";
}

struct store::parts {
  explicit parts(directory_lock l) : lock(std::move(l)) {}

  rocksdb::ColumnFamilyHandle* in(column c) const { return handles[static_cast<std::size_t>(c)]; }

  directory_lock lock; ///< first, to be let go of last
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles; ///< [8] is the default column's

  ~parts() { (void)close(); }

  rocksdb::Status close() {
    if (!db)
      return {};
    for (auto* handle : handles)
      (void)db->DestroyColumnFamilyHandle(handle);
    const auto status = db->Close();
    db.reset();
    return status;
  }
};

store::store(std::unique_ptr<parts> p) : parts_(std::move(p)) {}

store::~store() {
  (void)close();
}

result<std::unique_ptr<store>> store::open(const store_options& options) {
  if (auto made = prepare_directory(options.directory); !made)
    return made.error();
  auto lock = directory_lock::take(options.directory);
  if (!lock)
    return lock.error();
  auto p = std::make_unique<parts>(*std::move(lock));

  const auto path = options.directory + "/db";
  const auto database = database_options(options);
  if (auto known = refuse_unknown_columns(path, database); !known)
    return known.error();
  const auto cache = rocksdb::NewLRUCache(options.block_cache_bytes, 1);
  const auto column = column_options(options, cache);
  std::vector<rocksdb::ColumnFamilyDescriptor> wanted;
  for (const auto c : columns)
    wanted.emplace_back(std::string{to_string(c)}, column);
  wanted.emplace_back(rocksdb::kDefaultColumnFamilyName, column);

  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(database, path, wanted, &p->handles, &db);
  if (!status.ok())
    return failed("cannot open the database in " + path, status);
  p->db.reset(db);

  if (auto right = check_layout(*p->db, path); !right)
    return right.error();
  return std::unique_ptr<store>(new store(std::move(p)));
}

result<std::optional<std::string>> store::get(column where, std::string_view key) const {
  if (!parts_)
    return failure(errc::storage_failed, "the store is closed");
  std::string value;
  const auto status = parts_->db->Get({}, parts_->in(where), slice(key), &value);
  if (status.IsNotFound())
    return std::optional<std::string>{};
  if (!status.ok())
    return failed("cannot read from " + std::string{to_string(where)}, status);
  return std::optional{std::move(value)};
}

result<void> store::put(column where, std::string_view key, std::string_view value, durability d) {
  write_batch batch;
  batch.put(where, std::string{key}, std::string{value});
  return write(batch, d);
}

result<void> store::erase(column where, std::string_view key, durability d) {
  write_batch batch;
  batch.erase(where, std::string{key});
  return write(batch, d);
}

result<void> store::write(const write_batch& batch, durability d) {
  if (!parts_)
    return failure(errc::storage_failed, "the store is closed");
  rocksdb::WriteBatch changes;
  for (const auto& c : batch.changes()) {
    const auto status = c.erase ? changes.Delete(parts_->in(c.where), c.key)
                                : changes.Put(parts_->in(c.where), c.key, c.value);
    if (!status.ok())
      return failed("cannot collect changes", status);
  }
  rocksdb::WriteOptions how;
  how.sync = d == durability::power;
  auto status = parts_->db->Write(how, &changes);
  // After a full disk the database refuses all writes until it is told that there is room.
  if (!status.ok() && parts_->db->Resume().ok())
    status = parts_->db->Write(how, &changes);
  return status.ok() ? result<void>{} : failed("cannot write", status);
}

result<void> store::for_each(column where, std::string_view prefix, const visitor& visit) const {
  if (!parts_)
    return failure(errc::storage_failed, "the store is closed");
  rocksdb::ReadOptions how;
  how.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> row(parts_->db->NewIterator(how, parts_->in(where)));
  for (row->Seek(slice(prefix)); row->Valid() && row->key().starts_with(slice(prefix)); row->Next())
    if (!visit(row->key().ToStringView(), row->value().ToStringView()))
      break;
  return row->status().ok() ? result<void>{}
                            : failed("cannot read " + std::string{to_string(where)}, row->status());
}

result<void> store::sync() {
  if (!parts_)
    return failure(errc::storage_failed, "the store is closed");
  const auto status = parts_->db->FlushWAL(true);
  return status.ok() ? result<void>{} : failed("cannot sync", status);
}

result<void> store::close() {
  if (!parts_)
    return {};
  auto synced = sync();
  const auto status = parts_->close();
  parts_.reset();
  if (!synced)
    return synced;
  return status.ok() ? result<void>{} : failed("cannot close the database", status);
}

} // namespace troupe::storage
