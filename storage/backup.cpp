#include "storage/backup.hpp"

#include "storage/database.hpp"
#include "storage/directory_lock.hpp"

#include <cstdarg>
#include <filesystem>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

#include <rocksdb/env.h>
#include <rocksdb/utilities/backup_engine.h>

// A backup directory is RocksDB's own kind: files shared by several backups, each with a
// checksum. Ours is told from any other directory by the marks that RocksDB leaves in it.

namespace troupe::storage {

namespace {

namespace fs = std::filesystem;

class silent_log final : public rocksdb::Logger {
public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

using engine = std::unique_ptr<rocksdb::BackupEngine>;

bool holds_backups(const std::string& directory) {
  std::error_code ignored;
  return fs::is_directory(directory + "/meta", ignored);
}

/// Empty, ours, or made now.
result<void> prepare(const std::string& directory) {
  std::error_code code;
  if (fs::is_directory(directory, code)) {
    if (!fs::is_empty(directory, code) && !holds_backups(directory))
      return failure{errc::already_exists,
                     directory
                         + " holds something else than backups of troupe: name another directory"};
    return {};
  }
  if (fs::exists(directory, code))
    return failure{errc::already_exists, directory + " is not a directory"};
  if (!fs::create_directories(directory, code) && code)
    return failure{code == std::errc::permission_denied || code == std::errc::read_only_file_system
                       ? errc::permission
                       : errc::storage_failed,
                   "cannot make " + directory + ": " + code.message()};
  fs::permissions(directory, fs::perms::owner_all, code);
  return {};
}

result<engine> open_engine(const std::string& directory) {
  rocksdb::BackupEngineOptions options(directory);
  options.info_log = nullptr;
  options.max_background_operations = 1; // a gateway has better use for its cores
  options.sync = true;
  rocksdb::BackupEngine* made = nullptr;
  const auto status = rocksdb::BackupEngine::Open(rocksdb::Env::Default(), options, &made);
  if (!status.ok())
    return failed("cannot open the backups in " + directory, status);
  return engine{made};
}

void for_owner_alone(const std::string& directory) {
  std::error_code ignored;
  for (const auto& f : fs::recursive_directory_iterator(directory, ignored)) {
    const auto mode = f.is_directory(ignored) ? fs::perms::owner_all
                                              : fs::perms::owner_read | fs::perms::owner_write;
    fs::permissions(f.path(), mode, ignored);
  }
}

void sync_directory(const std::string& directory) {
  const int d = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (d < 0)
    return;
  ::fsync(d);
  ::close(d);
}

/// A name beside `db` that is not taken.
std::string name_for_old(const std::string& directory) {
  std::error_code ignored;
  for (int i = 1;; ++i) {
    auto name = directory + "/db.before-restore-" + std::to_string(i);
    if (!fs::exists(name, ignored))
      return name;
  }
}

} // namespace

result<store::backup_report> make_backup(rocksdb::DB& db, const std::string& directory,
                                         std::uint32_t kept) {
  if (auto ready = prepare(directory); !ready)
    return ready.error();
  auto backups = open_engine(directory);
  if (!backups)
    return backups.error();
  rocksdb::CreateBackupOptions how;
  how.flush_before_backup = true; // or the log would be copied, whole
  rocksdb::BackupID number = 0;
  auto status = (*backups)->CreateNewBackup(how, &db, &number);
  if (!status.ok())
    return failed("the backup was not made", status);
  status = (*backups)->VerifyBackup(number, true);
  if (!status.ok())
    return failed("the backup was made but is not what was read", status);
  status = (*backups)->PurgeOldBackups(std::max(kept, 1U));
  if (!status.ok())
    return failed("the backup was made, but older ones cannot be removed", status);
  for_owner_alone(directory);
  store::backup_report report;
  report.number = number;
  std::vector<rocksdb::BackupInfo> all;
  (*backups)->GetBackupInfo(&all);
  report.backups = static_cast<std::uint32_t>(all.size());
  for (const auto& one : all)
    if (one.backup_id == number)
      report.bytes = one.size;
  return report;
}

result<void> restore_backup(const std::string& from, const std::string& to) {
  std::error_code code;
  if (!holds_backups(from))
    return failure{errc::not_found, "there is no backup of troupe in " + from};
  fs::create_directories(to, code);
  if (!fs::is_directory(to, code))
    return failure{errc::storage_failed, "cannot make the data directory " + to};
  fs::permissions(to, fs::perms::owner_all, code);
  auto lock = directory_lock::take(to);
  if (!lock)
    return lock.error();
  auto backups = open_engine(from);
  if (!backups)
    return backups.error();
  std::vector<rocksdb::BackupInfo> all;
  (*backups)->GetBackupInfo(&all);
  if (all.empty())
    return failure{errc::not_found, "there is no whole backup of troupe in " + from};
  auto status = (*backups)->VerifyBackup(all.back().backup_id, true);
  if (!status.ok())
    return failure{errc::corrupt,
                   "the newest backup in " + from + " is damaged: " + status.ToString()};
  const auto fresh = to + "/db.restore";
  fs::remove_all(fresh, code);
  status = (*backups)->RestoreDBFromLatestBackup(fresh, fresh);
  if (!status.ok()) {
    auto why = failed("the backup cannot be unpacked", status);
    fs::remove_all(fresh, code);
    return why;
  }
  const auto db = to + "/db";
  if (fs::exists(db, code)) {
    fs::rename(db, name_for_old(to), code);
    if (code)
      return failure{errc::storage_failed,
                     "cannot put aside what is in " + db + ": " + code.message()};
  }
  fs::rename(fresh, db, code);
  if (code)
    return failure{errc::storage_failed, "cannot put the backup in place: " + code.message()};
  sync_directory(to);
  return {};
}

} // namespace troupe::storage
