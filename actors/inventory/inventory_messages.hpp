#pragma once

// What the admin side asks of the inventory actor: the one writer of settings, keys and
// credentials. Each request is answered by one `answer<...>`, named in its comment. A change
// that was answered without `no` is on the disk, synced, and in force on every loop of this
// node: the next request sees it.

#include "actors/inventory/answer.hpp"
#include "actors/key/key_types.hpp"
#include "protocol/base/secret.hpp"
#include "protocol/config/change.hpp"
#include "protocol/config/load.hpp"
#include "storage/core/audit_entry.hpp"
#include "storage/core/credential_item.hpp"
#include "storage/core/item.hpp"
#include "storage/core/key_item.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Who asks: for the audit.
struct asker {
  std::string who;  ///< the credential's name; `local` through the node's own socket
  std::string from; ///< address
  std::string request_id;
};

/// `If-Match`. Not given: whatever the item's revision is.
using expected_revision = std::optional<std::uint64_t>;

/// Where an item is from.
enum class item_origin : std::uint8_t {
  database,    ///< made at run time
  file,        ///< configured; may be edited and deleted, which the database remembers
  environment, ///< configured; may be edited, but not deleted
};

// --- settings ------------------------------------------------------------------------------

/// -> answer<settings_view>
struct get_settings {
  using travels_locally = void;
};

struct settings_view {
  std::uint64_t revision = 0; ///< of the database layer; 0: nothing was ever changed
  std::shared_ptr<const loaded_settings> loaded; ///< what is in force or will be after a restart
  std::string document; ///< the database layer, secrets masked; `{}` if there is none
  std::vector<std::string> awaiting_restart; ///< paths whose value is not in force yet
};

/// RFC 7396 merge patch of the database layer. -> answer<settings_changed>
struct change_settings {
  using travels_locally = void;
  asker by;
  expected_revision expected;
  std::string patch;
  bool dry_run = false; ///< everything but the change
};

struct settings_changed {
  std::uint64_t revision = 0;
  std::vector<config::setting_change> changes; ///< empty: nothing was different, nothing written
  std::vector<std::string> warnings;
};

/// Newest first. -> answer<settings_history>
struct get_settings_history {
  using travels_locally = void;
  std::uint64_t before = 0; ///< revisions below it; 0: from the newest
  std::uint32_t limit = 100;
};

struct settings_version {
  std::uint64_t revision = 0;
  std::int64_t at_ms = 0;
  std::string who, from, what;
  std::string document; ///< masked
};

struct settings_history {
  std::vector<settings_version> versions;
  bool more = false;
};

/// Two versions compared; revision 0 is the empty document. -> answer<settings_diff>
struct diff_settings {
  using travels_locally = void;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

struct settings_diff {
  std::vector<config::document_difference> differences;
};

/// An earlier version as a new one. -> answer<settings_changed>
struct restore_settings {
  using travels_locally = void;
  asker by;
  expected_revision expected;
  std::uint64_t revision = 0; ///< which to restore; 0: the empty document
  bool dry_run = false;
};

// --- keys ----------------------------------------------------------------------------------

/// What may be said of a key. What is absent stays as it is (or has its default, for a new one).
struct key_fields {
  std::optional<bool> enabled;
  std::optional<std::string> upstream; ///< of a new key: absent is the first upstream
  std::optional<std::string> kind;
  std::optional<std::string> name;
  std::optional<std::string> domain;
  std::optional<secret> proxy; ///< empty: none
  std::optional<std::string> note;
  std::optional<std::vector<std::string>> groups;
  std::optional<std::vector<std::string>> tags;
  std::optional<std::uint32_t> weight;
  std::optional<std::int32_t> tier;
  std::optional<std::vector<storage::limit>> limits;
};

/// All that is known of one key, but for its characters.
struct key_view {
  std::uint64_t id = 0;
  storage::item_header header; ///< revision 0: configured and never edited
  storage::key_item item;      ///< sealed texts left out
  bool has_proxy = false;
  std::string proxy_shown; ///< its address without user and password
  item_origin origin = item_origin::database;
  std::string origin_text; ///< `troupe.json:12`, `GEMINI_API_KEYS`; empty for the database
  bool served = true;      ///< false: its upstream is not configured
  key_status status;
};

enum class key_sort : std::uint8_t { created, name, id, state, upstream, tier, last_used };

struct key_filter {
  std::string text;                 ///< in name, id, note, tags; any case; empty: all
  std::vector<std::string> states;  ///< `ready`, `cooling`, ...; empty: all
  std::vector<std::string> reasons; ///< of a disablement or rest; empty: all
  std::string upstream, group, tag; ///< empty: all
  std::vector<std::uint64_t> ids;   ///< empty: all
};

/// -> answer<key_page>
struct list_keys {
  using travels_locally = void;
  key_filter filter;
  key_sort sort = key_sort::created;
  bool descending = false;
  std::uint32_t limit = 100; ///< at most 1,000
  std::string after;         ///< `key_page::next` of the page before; empty: the first
};

struct key_page {
  std::vector<key_view> keys;
  std::string next; ///< empty: this is the last page
  std::uint64_t total = 0;
  std::uint64_t matched = 0;
};

/// -> answer<key_view>
struct get_key {
  using travels_locally = void;
  std::uint64_t id = 0;
};

/// -> answer<key_view>; `already_exists` if the key stands there
struct add_one_key {
  using travels_locally = void;
  asker by;
  secret characters;
  key_fields fields;
};

/// -> answer<key_view>
struct edit_key {
  using travels_locally = void;
  asker by;
  expected_revision expected;
  std::uint64_t id = 0;
  key_fields fields;
};

/// Calls that run with it go on; none begins after the answer. -> answer<nothing>
struct delete_key {
  using travels_locally = void;
  asker by;
  expected_revision expected;
  std::uint64_t id = 0;
};

/// `enable` and `disable` are kept with the key, `pause` and `reset` with its state.
/// -> answer<key_view>
struct order_key {
  using travels_locally = void;
  asker by;
  std::uint64_t id = 0;
  key_order order = key_order::enable;
  std::int64_t pause_ms = 0;
};

/// Keys in a text, with anything between them that no key has. A job: see `job_board.hpp`; its
/// report is `{"added","already_there","repeated","refused":[{"line","reason"}...],...}`.
/// -> answer<job_ticket>
struct import_keys {
  using travels_locally = void;
  asker by;
  secret text;
  key_fields fields; ///< of each key that is new
  bool dry_run = false;
};

enum class bulk_action : std::uint8_t { enable, disable, pause, reset, erase, edit };

/// A job over every key that the filter matches when it begins. -> answer<job_ticket>
struct change_keys {
  using travels_locally = void;
  asker by;
  key_filter filter;
  bulk_action action = bulk_action::enable;
  key_fields fields; ///< `edit`
  std::int64_t pause_ms = 0;
};

struct job_ticket {
  std::uint64_t job = 0;
};

/// What a check of the key at its upstream needs and who may see it: nobody but the caller of
/// the upstream. -> answer<revealed_key>
struct reveal_key {
  using travels_locally = void;
  std::uint64_t id = 0;
};

struct revealed_key {
  secret characters;
  std::string upstream;
  secret proxy; ///< by which it goes out; empty: none
};

/// How a check ended: changes the key's health as the same answer to a request would, and an
/// `ok` ends a disablement that an operator did not order. `lease` is ignored.
/// -> answer<key_view>
struct report_check {
  using travels_locally = void;
  asker by;
  std::uint64_t id = 0;
  settlement end;
};

// --- upstreams -----------------------------------------------------------------------------

/// -> answer<std::vector<upstream_view>>
struct list_upstreams {
  using travels_locally = void;
};

struct upstream_view {
  std::string name;
  upstream_kind kind = upstream_kind::gemini;
  std::string base_url;
  std::vector<limit> limits;
  std::uint64_t keys = 0;                  ///< for it, in whatever state
  std::array<std::uint64_t, 4> by_state{}; ///< of those that the pool has, by `key_state`
};

// --- credentials ---------------------------------------------------------------------------

struct credential_fields {
  std::optional<std::string> name;
  std::optional<std::string> note;
  std::optional<std::int64_t> expires_at_ms; ///< 0: never
  std::optional<std::vector<std::string>> models;
  std::optional<std::vector<std::string>> groups;
  std::optional<std::vector<storage::limit>> limits;
};

struct credential_view {
  std::uint64_t id = 0; ///< prints as `storage::credential_name`
  storage::item_header header;
  storage::credential_item item;
  item_origin origin = item_origin::database;
  std::string origin_text;
};

/// All of them: there are thousands at most. -> answer<std::vector<credential_view>>
struct list_credentials {
  using travels_locally = void;
};

/// The credential's characters: told this once and kept nowhere.
struct new_credential {
  credential_view view;
  secret characters;
};

/// -> answer<new_credential>; `already_exists` if the name is taken
struct add_credential {
  using travels_locally = void;
  asker by;
  storage::role what = storage::role::client;
  credential_fields fields;
};

/// -> answer<credential_view>
struct edit_credential {
  using travels_locally = void;
  asker by;
  expected_revision expected;
  std::uint64_t id = 0;
  credential_fields fields;
};

/// No request is admitted with it after the answer. -> answer<nothing>
struct revoke_credential {
  using travels_locally = void;
  asker by;
  expected_revision expected;
  std::uint64_t id = 0;
};

/// New characters (and so a new id) for the same name and grants; the old ones are revoked with
/// the same write. -> answer<new_credential>
struct renew_credential {
  using travels_locally = void;
  asker by;
  expected_revision expected;
  std::uint64_t id = 0;
};

// --- audit and the whole -------------------------------------------------------------------

/// Newest first. -> answer<audit_page>
struct list_audit {
  using travels_locally = void;
  std::uint64_t before = 0; ///< clocks below it; 0: from the newest
  std::uint32_t limit = 100;
  std::string action;      ///< beginning of it; empty: all
  std::string who, target; ///< whole; empty: all
};

struct audit_row_view {
  std::uint64_t clock = 0;
  storage::audit_entry entry;
};

struct audit_page {
  std::vector<audit_row_view> entries;
  std::uint64_t next = 0; ///< `before` of the next page; 0: this is the last
};

/// A job. `directory`: absolute, on the node's machine. -> answer<job_ticket>
struct back_up {
  using travels_locally = void;
  asker by;
  std::string directory;
};

/// Settings, keys and credentials as the newest backup in `directory` has them, as new
/// revisions; what the backup does not have is deleted. States of keys stay. -> answer<job_ticket>
struct restore_from {
  using travels_locally = void;
  asker by;
  std::string directory;
};

/// A new data key, a new master key where that is a file, and everything sealed anew. A job.
/// -> answer<job_ticket>
struct rotate_secrets {
  using travels_locally = void;
  asker by;
};

} // namespace troupe
