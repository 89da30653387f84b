#pragma once

#include "actors/inventory/effects.hpp"
#include "actors/inventory/ledger.hpp"
#include "http/core/credentials.hpp"
#include "protocol/config/load.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// Who may use the two ports: credentials made while a node ran, and configured ones. Owned by
/// one thread; a change blocks until it is on the disk. Characters are never kept, hashes are.
class credential_table {
public:
  struct entry {
    storage::item_header header; ///< revision 0: no row
    storage::credential_item item;
    item_origin origin = item_origin::database;
    std::string origin_text;
  };

  explicit credential_table(ledger& book) : book_(book) {}

  /// Reads all rows and adds the configured ones. Rows that cannot be read are left out and told
  /// in `warnings`.
  result<void> load(const loaded_settings& configured, std::vector<std::string>& warnings);

  /// At a first start, that is when no credential of a port was ever there, revoked ones
  /// included: one for that port. Else nothing.
  struct first {
    secret client;
    secret admin;
  };
  result<first> make_first();

  std::vector<credential_view> list() const;
  answer<new_credential> add(const add_credential& wanted, effects& out);
  answer<credential_view> edit(const edit_credential& wanted, effects& out);
  answer<nothing> revoke(const revoke_credential& wanted, effects& out);
  answer<new_credential> renew(const renew_credential& wanted, effects& out);

  struct restored {
    std::uint64_t added = 0, changed = 0, revoked = 0;
  };
  answer<restored> replace_with(const asker& by, const std::map<std::uint64_t, entry>& rows,
                                effects& out);

  /// What the ports admit.
  http::credential_set clients() const;
  http::credential_set admins() const; ///< tagged with their `storage::role`

  /// Of the clients' credentials that have any.
  using limits_by_id = std::vector<std::pair<std::uint64_t, std::vector<limit>>>;
  limits_by_id limits() const;

  const std::map<std::uint64_t, entry>& all() const { return entries_; }

private:
  answer<nothing> check(const entry* e, const expected_revision& expected) const;
  std::optional<refused> refuse(const credential_fields& f, storage::role what,
                                std::uint64_t self) const;
  const entry* find(std::uint64_t id) const;
  static void apply(const credential_fields& f, storage::credential_item& item);
  void put(storage::write_batch& batch, std::uint64_t id, const entry& e) const;
  void bury(storage::write_batch& batch, std::uint64_t id, const entry& e);
  http::credential_set set_of(bool admin) const;
  answer<new_credential> keep_new(storage::write_batch& batch, entry e, const asker& by,
                                  std::string_view action, effects& out);

  ledger& book_;
  std::map<std::uint64_t, entry> entries_;
  std::map<std::uint64_t, storage::item_header> tombstones_;
  bool had_client_ = false; ///< ever
  bool had_admin_ = false;
};

} // namespace troupe
