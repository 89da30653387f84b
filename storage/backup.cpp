#include "storage/backup.hpp"

#include "storage/files.hpp"
#include "storage/replacement.hpp"
#include "storage/status.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include <rocksdb/env.h>

// A backup directory is RocksDB's own kind: tables shared by several backups, each with a
// checksum, and a mark of ours by which it is told from any other directory.
//
// The log is copied as it is, rather than written out to tables before: a backup must also be
// possible, to another disk, while the disk of the database is full.

namespace troupe::storage {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view mark = "troupe-backups";

bool holds_backups(const std::string& directory) {
  return exists(directory + '/' + std::string{mark});
}

rocksdb::BackupEngineOptions engine_options(const std::string& directory) {
  rocksdb::BackupEngineOptions options(directory);
  options.max_background_operations = 1; // a gateway has better use for its cores
  options.sync = true;
  return options;
}

/// Empty, ours, or made now.
result<void> prepare(const std::string& directory) {
  std::error_code code;
  if (exists(directory) && !fs::is_directory(directory, code))
    return failure(errc::already_exists, directory + " is not a directory");
  if (auto made = make_directory(directory); !made)
    return made;
  if (holds_backups(directory))
    return {};
  const auto names = names_in(directory);
  if (std::ranges::any_of(names, [](const auto& name) { return name != directory_lock::name; }))
    return failure(errc::already_exists,
                   directory
                       + " holds something else than backups of troupe: name another directory");
  fs::permissions(directory, fs::perms::owner_all, code);
  return make_file(directory + '/' + std::string{mark});
}

} // namespace

backup_run::backup_run(std::string directory, directory_lock lock,
                       std::unique_ptr<rocksdb::BackupEngine> engine)
    : directory_(std::move(directory)), lock_(std::move(lock)), engine_(std::move(engine)) {}

result<backup_run> backup_run::open(const std::string& directory) {
  if (auto ready = prepare(directory); !ready)
    return ready.error();
  auto lock = directory_lock::take(directory, "directory of backups");
  if (!lock)
    return lock.error();
  rocksdb::BackupEngine* made = nullptr;
  const auto status =
      rocksdb::BackupEngine::Open(rocksdb::Env::Default(), engine_options(directory), &made);
  if (!status.ok())
    return failed("cannot open the backups in " + directory, status);
  return backup_run(directory, *std::move(lock), std::unique_ptr<rocksdb::BackupEngine>(made));
}

void backup_run::stop() {
  engine_->StopBackup();
}

result<store::backup_report> backup_run::copy(rocksdb::DB& db, std::uint32_t kept) {
  rocksdb::CreateBackupOptions how;
  how.flush_before_backup = false;
  rocksdb::BackupID number = 0;
  auto status = engine_->CreateNewBackup(how, &db, &number);
  close_to_others(directory_);
  if (status.IsIncomplete())
    return failure(errc::storage_failed, "the backup was given up: the database had to be "
                                         "opened anew, or closed, meanwhile");
  if (!status.ok())
    return failed("the backup was not made", status);
  status = engine_->VerifyBackup(number, true);
  if (!status.ok()) {
    (void)engine_->DeleteBackup(number);
    return failed("the backup is not what was read, it was removed again", status);
  }
  status = engine_->PurgeOldBackups(std::max(kept, 1U));
  if (!status.ok())
    return failed("the backup was made, but older ones cannot be removed", status);
  store::backup_report report;
  report.number = number;
  std::vector<rocksdb::BackupInfo> all;
  engine_->GetBackupInfo(&all);
  report.backups = static_cast<std::uint32_t>(all.size());
  for (const auto& one : all)
    if (one.backup_id == number)
      report.bytes = one.size;
  return report;
}

result<void> restore_backup(const std::string& from, const std::string& to) {
  if (!holds_backups(from))
    return failure(errc::not_found, "there is no backup of troupe in " + from);
  rocksdb::BackupEngineReadOnly* made = nullptr;
  rocksdb::Status status =
      rocksdb::BackupEngineReadOnly::Open(rocksdb::Env::Default(), engine_options(from), &made);
  if (!status.ok())
    return failed("cannot open the backups in " + from, status);
  const std::unique_ptr<rocksdb::BackupEngineReadOnly> backups(made);
  std::vector<rocksdb::BackupInfo> all;
  backups->GetBackupInfo(&all);
  std::vector<rocksdb::BackupID> damaged;
  backups->GetCorruptedBackups(&damaged);
  const auto newest_damaged = damaged.empty() ? 0 : *std::ranges::max_element(damaged);
  if (!all.empty() && newest_damaged < all.back().backup_id)
    status = backups->VerifyBackup(all.back().backup_id, true);
  else if (newest_damaged != 0)
    status =
        rocksdb::Status::Corruption("backup " + std::to_string(newest_damaged) + " cannot be read");
  else
    return failure(errc::not_found, "there is no whole backup of troupe in " + from);
  if (!status.ok())
    return failure(errc::corrupt,
                   "the newest backup in " + from + " is damaged: " + status.ToString());
  if (auto ready = make_directory(to); !ready)
    return ready;
  auto lock = directory_lock::take(to);
  if (!lock)
    return lock.error();
  if (auto settled = settle_replacement(to); !settled)
    return settled;
  const auto fresh = clear_building(to);
  status = backups->RestoreDBFromBackup(all.back().backup_id, fresh, fresh);
  if (!status.ok()) {
    clear_building(to);
    return failed("the backup cannot be unpacked", status);
  }
  auto placed = put_built_in_place(to, "db.before-restore");
  return placed ? result<void>{} : placed.error();
}

} // namespace troupe::storage
