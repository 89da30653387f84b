#pragma once

#include "actors/inventory/effects.hpp"
#include "actors/inventory/ledger.hpp"
#include "protocol/config/settings.hpp"
#include "storage/vault.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

/// A key that file or environment name.
struct configured_key {
  std::uint64_t id = 0;
  secret characters;
  std::string upstream;
  std::string name;
  item_origin origin = item_origin::file;
  std::string origin_text;
};

/// What one import of keys did, added up over its steps.
struct import_count {
  std::uint64_t added = 0;
  std::uint64_t already_there = 0;
};

/// The keys of this node: those that were added while it ran, those that are configured, and
/// what operators said of either. Owned by one thread; a change blocks until it is on the disk.
///
/// A configured key has no row until somebody edits or deletes it; its secret never gets one.
class key_table {
public:
  struct entry {
    storage::item_header header; ///< revision 0: no row
    storage::key_item item;      ///< without the sealed texts
    secret characters;
    bool own_secret = false; ///< kept here, sealed, whatever the configuration says
    secret proxy;
    item_origin origin = item_origin::database;
    std::string origin_text;
    std::string fallback_name;
  };

  key_table(ledger& book, const storage::vault& vault, upstream_numbers& numbers)
      : book_(book), vault_(vault), numbers_(numbers) {}

  /// Reads all rows. Keys that cannot be read are left out and told in `warnings`; their rows
  /// stay. Fails only if the column cannot be read at all.
  result<void> load(std::vector<configured_key> configured, std::vector<std::string>& warnings);

  /// Upstreams as they are from now on. What it changes for the pool is added to `out`: keys
  /// that lose their upstream or get it back, and those whose limits are others now.
  void use(const settings& s, effects& out);
  /// The first upstream among `s` that is missing while keys are for it: `in_use`.
  std::optional<refused> refuse_missing(const settings& s) const;

  answer<std::uint64_t> add(const add_one_key& wanted, effects& out);
  answer<nothing> edit(const edit_key& wanted, effects& out);
  answer<nothing> remove(const delete_key& wanted, effects& out);
  answer<nothing> set_enabled(const asker& by, std::uint64_t id, bool enabled, effects& out);

  /// Whether `fields` could be said of a key.
  std::optional<refused> refuse(const key_fields& fields) const;
  /// One step of an import: as many keys as fit one write.
  answer<import_count> import_some(const asker& by, const std::vector<secret>& keys,
                                   const key_fields& fields, bool dry_run, effects& out);
  /// One step of a change in bulk. Adds to `failures` the keys that could not take it.
  struct failed_key {
    std::uint64_t id;
    std::string reason;
  };
  answer<nothing> change_some(const asker& by, const std::vector<std::uint64_t>& ids,
                              const change_keys& wanted, std::vector<failed_key>& failures,
                              effects& out);

  /// Every row with a sealed text under an older data key, sealed anew, at most `most` rows.
  /// The number of rows; 0: none is left.
  answer<std::uint64_t> reseal(std::size_t most);

  /// Makes the table what `rows` say (id, entry with plain secrets); for a restore.
  struct restored {
    std::uint64_t added = 0, changed = 0, deleted = 0;
  };
  answer<restored> replace_with(const asker& by, const std::map<std::uint64_t, entry>& rows,
                                effects& out);

  const entry* find(std::uint64_t id) const;
  const std::unordered_map<std::uint64_t, entry>& all() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  /// How many are for this upstream.
  std::size_t count_for(std::string_view upstream) const;
  /// When each was made (0: it is configured) and its id, in this order.
  const std::set<std::pair<std::int64_t, std::uint64_t>>& by_creation() const {
    return by_creation_;
  }
  /// Whether its upstream exists.
  bool served(const entry& e) const { return upstreams_.contains(e.item.upstream); }
  pool_key for_pool(std::uint64_t id, const entry& e) const;
  /// All keys that the pool is to have.
  std::vector<pool_key> pool_keys() const;

private:
  /// A change in the making: rows to write, and what the table becomes once they are written.
  struct staging {
    struct change {
      std::uint64_t id;
      std::optional<entry> becomes; ///< none: removed
      storage::item_header gone;    ///< header of the tombstone
    };

    storage::write_batch batch;
    std::vector<change> changes;
  };

  answer<nothing> check(const entry* e, const expected_revision& expected, std::uint64_t id) const;
  void apply(const key_fields& fields, entry& e) const;
  void stage(staging& s, std::uint64_t id, const entry* before, entry after) const;
  void stage_removal(staging& s, std::uint64_t id, const entry& before) const;
  answer<nothing> commit(staging& s, effects& out);
  result<bool> reseal_text(const std::string& context, std::string& sealed) const;
  static std::string secret_context(std::uint64_t id);
  static std::string proxy_context(std::uint64_t id);
  std::string row_value(std::uint64_t id, const entry& e) const;
  result<entry> read_row(std::uint64_t id, const storage::item_row& row) const;
  void put(std::uint64_t id, entry e);
  void take_out(std::uint64_t id);

  ledger& book_;
  const storage::vault& vault_;
  upstream_numbers& numbers_;
  std::unordered_map<std::uint64_t, entry> entries_;
  std::set<std::pair<std::int64_t, std::uint64_t>> by_creation_; ///< of `entries_`, with their ids
  std::map<std::string, std::size_t, std::less<>> per_upstream_; ///< how many are for each
  std::unordered_map<std::uint64_t, storage::item_header> tombstones_;
  std::map<std::string, std::vector<limit>, std::less<>> upstreams_; ///< and the limits of each
  std::string first_upstream_;
};

/// What differs between two values of a key, as a JSON object for the audit: secrets as "***".
std::string changes_between(const key_table::entry& before, const key_table::entry& after);

/// Where a proxy is, without the user and password in its address.
std::string shown_proxy(const secret& proxy);

} // namespace troupe
