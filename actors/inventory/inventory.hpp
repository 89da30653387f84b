#pragma once

#include "actors/inventory/credential_table.hpp"
#include "actors/inventory/job_board.hpp"
#include "actors/inventory/key_page.hpp"
#include "actors/inventory/key_table.hpp"
#include "actors/inventory/settings_table.hpp"
#include "actors/key/pool_policy.hpp"
#include "protocol/base/log.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace troupe {

/// What the inventory needs of the node. Every call blocks until it is done.
class inventory_door {
public:
  virtual ~inventory_door() = default;

  virtual void pool_add(std::vector<pool_key> keys) = 0;
  /// Returns when none of them can be given out any more.
  /// `forget`: what is kept of their state goes, too.
  virtual void pool_remove(std::vector<std::uint64_t> keys, bool forget) = 0;
  virtual void use_policy(const pool_policy& p) = 0;
  /// The limits of all credentials that have any.
  virtual void use_limits(credential_table::limits_by_id all) = 0;
  virtual key_briefs briefs() = 0;
  virtual std::vector<key_status> statuses(std::vector<std::uint64_t> keys) = 0;
  virtual result<key_status> order(key_order order, std::uint64_t key, std::int64_t pause_ms) = 0;
  virtual result<key_status> check_ended(std::uint64_t key, const settlement& end) = 0;
  /// What is known of keys is written and synced.
  virtual result<void> flush_states() = 0;

  /// In force on every loop when they return.
  virtual void use_settings(const loaded_settings& loaded) = 0;
  virtual void use_credentials(const credential_table& all) = 0;
  virtual void keys_are(std::size_t count) = 0;
};

struct inventory_parts {
  storage::store& db;
  std::unique_ptr<storage::vault> vault;
  storage::master_key_source master;
  config_sources sources; ///< without the database layer
  ledger::wall_clock wall;
  job_board& jobs;
  log_sink& log;
  std::string data_dir; ///< for the time that a backup is unpacked in
};

/// The store of truth of a node: settings, keys, credentials, and who changed them. Owned by the
/// inventory actor, on a thread of its own; every change blocks until it is on the disk and in
/// force. Long work goes in steps, so that nobody waits behind it.
class inventory {
public:
  /// Reads everything. `warnings` are for the log.
  static result<std::unique_ptr<inventory>> open(inventory_parts parts,
                                                 std::vector<std::string>& warnings);
  ~inventory();

  /// Once, before anything else is asked, when the node's actors run. Not owned.
  void attach(inventory_door& door) { door_ = &door; }

  answer<settings_view> ask(const get_settings& q);
  answer<settings_changed> ask(const change_settings& q);
  answer<settings_history> ask(const get_settings_history& q);
  answer<settings_diff> ask(const diff_settings& q);
  answer<settings_changed> ask(const restore_settings& q);
  answer<key_page> ask(const list_keys& q);
  answer<key_view> ask(const get_key& q);
  answer<key_view> ask(const add_one_key& q);
  answer<key_view> ask(const edit_key& q);
  answer<nothing> ask(const delete_key& q);
  answer<key_view> ask(const order_key& q);
  answer<job_ticket> ask(const import_keys& q);
  answer<job_ticket> ask(const change_keys& q);
  answer<revealed_key> ask(const reveal_key& q);
  answer<key_view> ask(const report_check& q);
  answer<std::vector<upstream_view>> ask(const list_upstreams& q);
  answer<std::vector<credential_view>> ask(const list_credentials& q);
  answer<new_credential> ask(const add_credential& q);
  answer<credential_view> ask(const edit_credential& q);
  answer<nothing> ask(const revoke_credential& q);
  answer<new_credential> ask(const renew_credential& q);
  answer<audit_page> ask(const list_audit& q);
  answer<job_ticket> ask(const back_up& q);
  answer<job_ticket> ask(const restore_from& q);
  answer<job_ticket> ask(const rotate_secrets& q);

  /// Long work: whether there is some, and its next step.
  bool has_work() const { return !work_.empty(); }
  void step();

  const settings_table& settings() const { return settings_; }
  const credential_table& credentials() const { return credentials_; }
  const key_table& keys() const { return keys_; }
  upstream_numbers& numbers() { return numbers_; }
  const std::optional<credential_table::first>& made() const { return made_; }

private:
  /// One step of a job; true: the job has ended.
  using work_step = std::function<bool()>;

  inventory(inventory_parts parts, ledger book);
  result<void> load(std::vector<std::string>& warnings);
  void carry_out(effects& e);
  void settings_in_force();
  /// Does `change`, and lets it come into force before anybody is told.
  template <class Change>
  auto in_force(const Change& change) {
    effects e;
    auto done = change(e);
    carry_out(e);
    return done;
  }
  key_view shown(std::uint64_t id);
  /// Zones are known or not by what is installed: the settings alone cannot tell.
  std::optional<refused> refuse_zone(const troupe::settings& s) const;
  settings_table::veto livable();
  answer<job_ticket> begin(std::string kind, const asker& by, std::uint64_t total,
                           std::function<work_step(std::uint64_t)> make);
  std::optional<refused> refuse_second(std::string_view kind) const;
  bool bulk_orders(const change_keys& q, const std::vector<std::uint64_t>& ids,
                   std::vector<key_table::failed_key>& failures);
  std::optional<refused> restore_now(std::uint64_t job, const restore_from& q);

  inventory_parts parts_;
  ledger book_;
  upstream_numbers numbers_;
  key_table keys_;
  credential_table credentials_;
  settings_table settings_;
  std::optional<credential_table::first> made_;
  inventory_door* door_ = nullptr;
  std::deque<work_step> work_; ///< taken in turn
  std::thread copying_;        ///< a backup, which needs nobody's tables
};

} // namespace troupe
