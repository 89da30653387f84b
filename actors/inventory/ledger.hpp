#pragma once

#include "actors/inventory/inventory_messages.hpp"
#include "storage/core/item.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

/// Writes the inventory's rows: each change with its audit entry in one synced batch, so that
/// neither is ever there without the other. Owned by one thread; blocks on the disk.
class ledger {
public:
  using wall_clock = std::function<wall_time()>;

  /// Reads which node this is (made at the first start) and where its clock stands. `db`
  /// outlives it.
  static result<ledger> open(storage::store& db, wall_clock wall);

  storage::store& db() const { return *db_; }
  std::int64_t now_ms() const { return wall_().time_since_epoch().count(); }

  /// The header of the next value of an item whose present one is `before` (null: there is
  /// none yet). A tombstone's successor goes on counting.
  storage::item_header next(const storage::item_header* before);

  /// What an audit entry says beside who and when.
  struct event {
    std::string_view action;
    std::string target = {};
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    std::string changes = "{}"; ///< JSON object without a secret
  };

  void audit(storage::write_batch& batch, const asker& by, event e);

  /// The node's own doings: `who` is `node`.
  static asker itself();

  /// Written and synced, or nothing is.
  ///
  /// A write that the disk refused may have happened all the same, for whoever reads the log
  /// again. Nobody was told that it did, so it is undone by the next write that goes through, or by
  /// `settle`, at the end.
  result<void> commit(const storage::write_batch& batch);
  void settle();

  answer<audit_page> list(const list_audit& query) const;

  /// Forgets audit entries beyond the newest `audit_rows_max`, at most a thousand at a time.
  static constexpr std::uint64_t audit_rows_max = 100'000;
  void prune();

private:
  ledger(storage::store& db, wall_clock wall) : db_(&db), wall_(std::move(wall)) {}

  storage::store* db_;
  wall_clock wall_;
  storage::node_bytes node_{};
  std::uint64_t clock_ = 0;
  /// What rows of refused writes held before them; nothing: they were not there.
  std::map<std::pair<storage::column, std::string>, std::optional<std::string>> undo_;
  std::uint64_t audited_ = 0; ///< rows, as far as counted
};

/// `refused` for a failure of the disk or of what lies on it.
refused refusal_of(const failure& f);

/// `key_...`: texts of ids for audit entries and errors.
std::string id_text(std::uint64_t key);

} // namespace troupe
