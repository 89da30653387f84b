#pragma once

#include "protocol/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::storage {

/// One column family each. Their names on disk are those of the values.
enum class column : std::uint8_t {
  settings,
  keys,
  credentials,
  key_state,
  statistics,
  request_log,
  resources,
  replication,
  audit,
};

std::string_view to_string(column c);

/// What a write that has returned survives.
enum class durability : std::uint8_t {
  process, ///< the end of the process, also by `kill -9`
  power,   ///< the loss of power: it is on the disk
};

/// Changes that happen together or not at all. A plain value.
class write_batch {
public:
  struct change {
    column where;
    bool erase;
    std::string key;
    std::string value;
  };

  void put(column where, std::string key, std::string value) {
    changes_.push_back({where, false, std::move(key), std::move(value)});
  }
  void erase(column where, std::string key) {
    changes_.push_back({where, true, std::move(key), {}});
  }

  const std::vector<change>& changes() const { return changes_; }
  bool empty() const { return changes_.empty(); }
  std::size_t size() const { return changes_.size(); }
  void clear() { changes_.clear(); }

private:
  std::vector<change> changes_;
};

struct store_options {
  std::string directory; ///< created, for its owner alone, if it does not exist
  std::size_t block_cache_bytes = 8 * 1024 * 1024;
  std::size_t write_buffer_bytes = 4 * 1024 * 1024; ///< of all columns together
  int open_files_max = 64;
};

/// What outlives a restart. Thread-safe, except that `close` must be the last call. Blocks on
/// the disk, at times for tens of milliseconds: never call it from a loop or an ordinary actor.
/// Every operation answers with `storage_failed` if the disk does, and with `corrupt` if what
/// lies there cannot be ours.
class store {
public:
  /// `already_exists` while another process (or another `store`) has the directory: the text
  /// names both.
  static result<std::unique_ptr<store>> open(const store_options& options);

  /// Closes if nobody did.
  ~store();
  store(const store&) = delete;
  store& operator=(const store&) = delete;

  result<std::optional<std::string>> get(column where, std::string_view key) const;
  result<void> put(column where, std::string_view key, std::string_view value, durability d);
  result<void> erase(column where, std::string_view key, durability d);
  result<void> write(const write_batch& batch, durability d);

  /// Calls `visit` with each row whose key begins with `prefix`, in order, until it returns
  /// false. Rows written meanwhile are not seen; `visit` itself must not call the store.
  using visitor = std::function<bool(std::string_view key, std::string_view value)>;
  result<void> for_each(column where, std::string_view prefix, const visitor& visit) const;

  /// As `for_each`, but over rows that are damaged as well: whatever the disk gives is visited,
  /// and only the caller's own checksums can tell what is whole. For rescue after `for_each`
  /// said `corrupt`.
  result<void> for_each_as_it_lies(column where, std::string_view prefix,
                                   const visitor& visit) const;

  /// As `for_each`, backwards from the last row with `prefix` that is below `before` (empty:
  /// from the end).
  result<void> for_each_backwards(column where, std::string_view prefix, std::string_view before,
                                  const visitor& visit) const;

  /// What was found damaged when it was opened and what was done about it, in words for an
  /// operator. Empty: nothing was.
  const std::vector<std::string>& damage() const;

  /// Why writes fail at present, in words; empty: they do not. Does not wait for the disk: any
  /// thread may ask.
  std::string trouble() const;

  /// Ends backups that are being made, soon, as failures.
  void stop_backups();

  /// Copies everything, as it is at one moment, to `directory` while reads and writes go on.
  /// The directory is made if it does not exist; it must be empty or hold earlier backups of
  /// troupe, to which one is added (the newest `kept` stay). Checksums are verified.
  /// `already_exists` for a directory that holds anything else.
  struct backup_report {
    std::uint32_t number = 0;
    std::uint64_t bytes = 0;
    std::uint32_t backups = 0; ///< in the directory now
  };
  result<backup_report> backup(const std::string& directory, std::uint32_t kept = 7);

  /// Everything written so far survives the loss of power once this returns.
  result<void> sync();

  /// Syncs, closes and lets go of the directory. Later calls fail.
  result<void> close();

private:
  struct parts;
  explicit store(std::unique_ptr<parts> p);

  std::unique_ptr<parts> parts_;
};

/// Puts the newest backup in `from` into the data directory `to`, in which no node may run
/// (`already_exists`, by name). What was there is kept beside it, as `db.before-restore-N`.
/// `not_found` if there is no backup, `corrupt` if it is damaged: then nothing has changed.
result<void> restore_backup(const std::string& from, const std::string& to);

} // namespace troupe::storage
