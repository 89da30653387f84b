#include "storage/store.hpp"

#include "storage/backup.hpp"
#include "storage/database.hpp"
#include "storage/directory_lock.hpp"

#include <filesystem>
#include <fstream>
#include <mutex>
#include <shared_mutex>

#include <rocksdb/iterator.h>
#include <rocksdb/write_batch.h>

// After a write that the disk refused, RocksDB 7.8 refuses all writes for good, also when there
// is room again: its `Resume` reports success and changes nothing, and a sync ends the process
// by an assertion. So a store whose disk failed is opened anew before its next write. Nothing
// that was acknowledged is lost by that: it lies in the log, which is read again. Reads go on
// meanwhile.

namespace troupe::storage {
namespace {

constexpr std::size_t room_wanted = 256 * 1024;

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

/// Whether the disk takes files again. Opening writes some, and must not be tried in vain: it
/// would leave nothing to read from.
bool has_room(const std::string& directory) {
  const auto path = directory + "/room";
  bool written = false;
  {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << std::string(room_wanted, '\0') << std::flush;
    written = file.good();
  }
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return written;
}

/// The first text behind all that begin with `prefix`; empty: there is none.
std::string after_all_with(std::string_view prefix) {
  std::string end{prefix};
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xFF)
    end.pop_back();
  if (!end.empty())
    end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

failure closed() {
  return {errc::storage_failed, "the store is closed"};
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
  case column::audit:
    return "audit";
  }
  return "unknown";
}

struct store::parts {
  parts(directory_lock l, store_options o) : lock(std::move(l)), options(std::move(o)) {}

  /// Under the whole lock: makes a store whose disk had failed writable again, if it can be.
  result<void> mend() {
    if (!broken && data)
      return {};
    if (copies != 0 || !has_room(options.directory))
      return last_failure;
    data.reset();
    auto again = database::open(options);
    if (!again)
      return again.error();
    data = *std::move(again);
    broken = false;
    return {};
  }

  result<void> note(std::string_view doing, const rocksdb::Status& status) {
    if (status.ok())
      return {};
    broken = true;
    last_failure = failed(doing, status);
    return last_failure;
  }

  directory_lock lock; ///< first, to be let go of last
  store_options options;
  /// Writers hold it whole: a sync must not run into a write that fails. Reads share it.
  std::shared_mutex access;
  std::shared_ptr<database> data; ///< none: closed, or mending failed half way
  int copies = 0;                 ///< backups under way: it must not be opened anew meanwhile
  bool open = true;
  bool broken = false; ///< the disk refused a write
  failure last_failure{errc::storage_failed, {}};
  std::vector<std::string> damage;
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
  auto p = std::make_unique<parts>(*std::move(lock), options);
  auto data = database::open(options);
  if (!data)
    return data.error();
  p->data = *std::move(data);
  return std::unique_ptr<store>(new store(std::move(p)));
}

result<std::optional<std::string>> store::get(column where, std::string_view key) const {
  const std::shared_lock reading(parts_->access);
  if (!parts_->data)
    return closed();
  auto& data = *parts_->data;
  std::string value;
  const auto status = data.db().Get({}, data.in(where), slice(key), &value);
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
  const std::unique_lock writing(parts_->access);
  if (!parts_->open)
    return closed();
  if (auto mended = parts_->mend(); !mended)
    return mended;
  auto& data = *parts_->data;
  rocksdb::WriteBatch changes;
  for (const auto& c : batch.changes()) {
    const auto status = c.erase ? changes.Delete(data.in(c.where), c.key)
                                : changes.Put(data.in(c.where), c.key, c.value);
    if (!status.ok())
      return failed("cannot collect changes", status);
  }
  rocksdb::WriteOptions how;
  how.sync = d == durability::power;
  return parts_->note("cannot write", data.db().Write(how, &changes));
}

result<void> store::for_each(column where, std::string_view prefix, const visitor& visit) const {
  const std::shared_lock reading(parts_->access);
  if (!parts_->data)
    return closed();
  auto& data = *parts_->data;
  rocksdb::ReadOptions how;
  how.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> row(data.db().NewIterator(how, data.in(where)));
  for (row->Seek(slice(prefix)); row->Valid() && row->key().starts_with(slice(prefix)); row->Next())
    if (!visit(row->key().ToStringView(), row->value().ToStringView()))
      break;
  return row->status().ok() ? result<void>{}
                            : failed("cannot read " + std::string{to_string(where)}, row->status());
}

result<void> store::for_each_as_it_lies(column where, std::string_view prefix,
                                        const visitor& visit) const {
  const std::shared_lock reading(parts_->access);
  if (!parts_->data)
    return closed();
  auto& data = *parts_->data;
  rocksdb::ReadOptions how;
  how.fill_cache = false;
  how.verify_checksums = false;
  const std::unique_ptr<rocksdb::Iterator> row(data.db().NewIterator(how, data.in(where)));
  for (row->Seek(slice(prefix)); row->Valid() && row->key().starts_with(slice(prefix)); row->Next())
    if (!visit(row->key().ToStringView(), row->value().ToStringView()))
      break;
  return row->status().ok() ? result<void>{}
                            : failed("cannot read " + std::string{to_string(where)}, row->status());
}

result<void> store::for_each_backwards(column where, std::string_view prefix,
                                       std::string_view before, const visitor& visit) const {
  const std::shared_lock reading(parts_->access);
  if (!parts_->data)
    return closed();
  auto& data = *parts_->data;
  rocksdb::ReadOptions how;
  how.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> row(data.db().NewIterator(how, data.in(where)));
  const auto end = before.empty() ? after_all_with(prefix) : std::string{before};
  if (end.empty())
    row->SeekToLast();
  else
    row->SeekForPrev(slice(end));
  if (row->Valid() && row->key() == slice(end))
    row->Prev();
  for (; row->Valid() && row->key().starts_with(slice(prefix)); row->Prev())
    if (!visit(row->key().ToStringView(), row->value().ToStringView()))
      break;
  return row->status().ok() ? result<void>{}
                            : failed("cannot read " + std::string{to_string(where)}, row->status());
}

const std::vector<std::string>& store::damage() const {
  return parts_->damage;
}

result<store::backup_report> store::backup(const std::string& directory, std::uint32_t kept) {
  std::shared_ptr<database> held;
  {
    const std::unique_lock writing(parts_->access);
    if (!parts_->open)
      return closed();
    if (auto mended = parts_->mend(); !mended)
      return mended.error();
    held = parts_->data;
    ++parts_->copies;
  }
  auto done = make_backup(held->db(), directory, kept);
  held.reset();
  const std::unique_lock writing(parts_->access);
  --parts_->copies;
  return done;
}

result<void> store::sync() {
  const std::unique_lock writing(parts_->access);
  if (!parts_->open)
    return closed();
  if (auto mended = parts_->mend(); !mended)
    return mended;
  return parts_->note("cannot sync", parts_->data->db().FlushWAL(true));
}

result<void> store::close() {
  if (!parts_->open)
    return {};
  auto synced = sync();
  const std::unique_lock writing(parts_->access);
  parts_->open = false;
  parts_->data.reset();
  parts_->lock.release();
  return synced;
}

} // namespace troupe::storage
