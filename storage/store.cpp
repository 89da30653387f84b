#include "storage/store.hpp"

#include "storage/backup.hpp"
#include "storage/damaged_rows.hpp"
#include "storage/database.hpp"
#include "storage/directory_lock.hpp"
#include "storage/files.hpp"
#include "storage/opening.hpp"

#include <mutex>
#include <shared_mutex>

#include <rocksdb/iterator.h>
#include <rocksdb/write_batch.h>

// After a write that the disk refused, RocksDB 7.8 refuses all writes for good, also when there
// is room again: its `Resume` reports success and changes nothing, and a sync ends the process
// by an assertion. So a store whose disk failed is opened anew before its next write. Nothing
// that was acknowledged is lost by that: it lies in the log, which is read again. Reads go on
// meanwhile, also while the disk is full: then it is opened in a way that writes nothing.

namespace troupe::storage {
namespace {

constexpr std::size_t room_wanted = 256 * 1024;

/// The first text behind all that begin with `prefix`; empty: there is none.
std::string after_all_with(std::string_view prefix) {
  std::string end{prefix};
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xFF)
    end.pop_back();
  if (!end.empty())
    end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
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
    if (auto room = has_room(options.directory, room_wanted); !room)
      return note(room.error());
    if (!copies.empty()) {
      // A copy holds the database open. Serving comes before copying.
      for (auto* copy : copies)
        copy->stop();
      return last_failure;
    }
    data.reset();
    auto again = reopen_database(options);
    broken = !again;
    if (again) {
      data = *std::move(again);
      tell({});
    } else
      data = database::open_to_read(options, database_path(options.directory)).data;
    return again ? result<void>{} : note(again.error());
  }

  result<void> note(std::string_view doing, const rocksdb::Status& status) {
    return status.ok() ? result<void>{} : note(failed(doing, status));
  }
  result<void> note(failure why) {
    broken = true;
    last_failure = std::move(why);
    tell(last_failure.text);
    return last_failure;
  }
  void tell(std::string words) {
    const std::lock_guard now(telling);
    trouble = std::move(words);
  }

  /// Why there is nothing to read from.
  failure nothing() const {
    return open ? last_failure : failure(errc::storage_failed, "the store is closed");
  }

  using mover = void (rocksdb::Iterator::*)();

  /// Calls `visit` with each row of `prefix`, from where `begin` puts the iterator. Under the
  /// shared lock.
  result<void> walk(column where, std::string_view prefix,
                    const std::function<void(rocksdb::Iterator&)>& begin, mover next,
                    const visitor& visit) {
    if (!data)
      return nothing();
    rocksdb::ReadOptions how;
    how.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> row(data->db().NewIterator(how, data->in(where)));
    for (begin(*row); row->Valid() && row->key().starts_with(slice(prefix)); (*row.*next)())
      if (!visit(row->key().ToStringView(), row->value().ToStringView()))
        break;
    if (row->status().ok())
      return {};
    return failed("cannot read " + std::string{to_string(where)}, row->status());
  }
  result<void> walk(column where, std::string_view prefix, const visitor& visit) {
    return walk(
        where, prefix, [&](rocksdb::Iterator& row) { row.Seek(slice(prefix)); },
        &rocksdb::Iterator::Next, visit);
  }

  directory_lock lock; ///< first, to be let go of last
  store_options options;
  /// Writers hold it whole: a sync must not run into a write that fails. Reads share it.
  std::shared_mutex access;
  std::shared_ptr<database> data;  ///< none: closed, or what lies there cannot even be read
  std::vector<backup_run*> copies; ///< under way: it must not be opened anew meanwhile
  bool open = true;
  bool broken = false; ///< the disk refused a write
  failure last_failure{errc::storage_failed, {}};
  mutable std::mutex telling; ///< of `trouble`, for who must not wait for `access`
  std::string trouble;
  std::vector<std::string> damage; ///< does not change once it is open
};

store::store(std::unique_ptr<parts> p) : parts_(std::move(p)) {}

store::~store() {
  (void)close();
}

result<std::unique_ptr<store>> store::open(const store_options& options) {
  if (auto made = make_directory(options.directory); !made)
    return made.error();
  auto lock = directory_lock::take(options.directory);
  if (!lock)
    return lock.error();
  auto p = std::make_unique<parts>(*std::move(lock), options);
  auto opened = open_database(options);
  if (!opened)
    return opened.error();
  p->data = std::move(opened->data);
  p->damage = std::move(opened->damage);
  return std::unique_ptr<store>(new store(std::move(p)));
}

result<std::optional<std::string>> store::get(column where, std::string_view key) const {
  const std::shared_lock reading(parts_->access);
  if (!parts_->data)
    return parts_->nothing();
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
    return parts_->nothing();
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
  return parts_->walk(where, prefix, visit);
}

result<void> store::for_each_as_it_lies(column where, std::string_view prefix,
                                        const visitor& visit) const {
  const std::shared_lock reading(parts_->access);
  const auto whole = parts_->walk(where, prefix, [](auto, auto) { return true; });
  if (whole)
    return parts_->walk(where, prefix, visit);
  if (whole.error().code != errc::corrupt)
    return whole;
  const auto rows = rows_as_they_lie(*parts_->data, where, prefix);
  if (!rows)
    return rows.error();
  for (const auto& [key, value] : *rows)
    if (!visit(key, value))
      break;
  return {};
}

result<void> store::for_each_backwards(column where, std::string_view prefix,
                                       std::string_view before, const visitor& visit) const {
  const std::shared_lock reading(parts_->access);
  // `before` may lie behind all rows of the prefix: then the prefix's own end counts.
  auto end = after_all_with(prefix);
  if (!before.empty() && (end.empty() || before < end))
    end = before;
  const auto begin = [&](rocksdb::Iterator& row) {
    if (end.empty())
      row.SeekToLast();
    else
      row.SeekForPrev(slice(end));
    if (!end.empty() && row.Valid() && row.key() == slice(end))
      row.Prev();
  };
  return parts_->walk(where, prefix, begin, &rocksdb::Iterator::Prev, visit);
}

std::string store::trouble() const {
  const std::lock_guard telling(parts_->telling);
  return parts_->trouble;
}

void store::stop_backups() {
  const std::shared_lock reading(parts_->access);
  for (auto* copy : parts_->copies)
    copy->stop();
}

const std::vector<std::string>& store::damage() const {
  return parts_->damage;
}

result<store::backup_report> store::backup(const std::string& directory, std::uint32_t kept) {
  auto run = backup_run::open(directory);
  if (!run)
    return run.error();
  std::shared_ptr<database> held;
  {
    const std::unique_lock writing(parts_->access);
    if (!parts_->data)
      return parts_->nothing();
    held = parts_->data;
    parts_->copies.push_back(&*run);
  }
  auto done = run->copy(held->db(), kept);
  const std::unique_lock writing(parts_->access);
  held.reset();
  std::erase(parts_->copies, &*run);
  return done;
}

result<void> store::sync() {
  const std::unique_lock writing(parts_->access);
  if (!parts_->open)
    return parts_->nothing();
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
