#pragma once

// What front, pool, key and storage say to each other. Structs of numbers, enums, strings
// and vectors: local today, but nothing here would stop them from crossing a node, except
// that instants never travel, only spans (`..._ms`) and wall-clock instants (`..._at_ms`,
// milliseconds since 1970).
//
// The path of a request is three messages and a farewell:
//   front --acquire_request--> pool --(delegated)--> key actor --acquire_reply--> front
//   front --settlement--> key actor                           (no answer)

#include "actors/core/key_state.hpp"
#include "actors/key/key_types.hpp"
#include "actors/key/pool_key.hpp"
#include "actors/key/pool_policy.hpp"
#include "actors/local_message.hpp"
#include "protocol/base/limit.hpp"
#include "protocol/base/secret.hpp"

#include <caf/actor.hpp>
#include <caf/atom.hpp>
#include <caf/detail/stringification_inspector.hpp>
#include <caf/meta/type_name.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace troupe {

/// Lets a secret travel between actors of a node. What CAF prints of a message shows `***`.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, secret& s) {
  if constexpr (std::is_same_v<Inspector, caf::detail::stringification_inspector>) {
    return f(caf::meta::type_name("***"));
  } else if constexpr (Inspector::writes_state) {
    std::string characters;
    auto outcome = f(characters);
    s = secret{std::move(characters)};
    return outcome;
  } else {
    std::string characters{s.reveal()};
    return f(characters);
  }
}

// --- front and pool ------------------------------------------------------------------------

/// A key that this request does not fit into now, in its owner's words.
struct turned_word {
  std::uint64_t key = 0;
  std::int64_t wait_ms = -1; ///< -1: until some other call ends
  bool per_day = false;
};

/// Asks the pool for a lease. Answered by `acquire_reply`, always, at once or after a wait.
struct acquire_request {
  std::string model;
  /// Keys (`key_id::value`) that this request has used already: never chosen again.
  std::vector<std::uint64_t> tried;
  /// The only key that may be chosen, 0 for any (files and caches belong to one key).
  std::uint64_t pinned = 0;
  /// Which keys may be chosen at all; each empty list allows every key. A key is for one of the
  /// upstreams, in one of the groups that the credential may use, and in one of the model's.
  std::vector<std::uint32_t> upstreams{};
  std::vector<std::string> groups{};
  std::vector<std::string> model_groups{};
  std::uint64_t affinity = 0;     ///< equal numbers go to the same key while it has room; 0: none
  std::uint64_t input_tokens = 0; ///< upper estimates of what the call will use
  std::uint64_t output_tokens = 0;
  std::uint64_t credential = 0;        ///< `storage::credential_id` of who asks; 0: nobody's
  std::uint64_t credential_ticket = 0; ///< of `acquire_reply`, when the same request asks again
  std::uint64_t ticket = 0;            ///< names this question: random, for `stop_waiting`
  std::int64_t wait_max_ms = 0;        ///< how long it may wait in the waiting room
  // What the pool and the keys note on its way. Who asks leaves it as it is.
  std::vector<turned_word> turned{}; ///< keys that turned it away
  std::uint32_t turned_back = 0;     ///< how often it came back to the pool
  std::uint64_t arrived = 0;         ///< when it came to the pool, as a number among all that did
  bool credential_counted = false;   ///< against the credential's limits, by this very question
  std::uint64_t egress = 0;          ///< of the key that was chosen
  bool egress_trial = false;         ///< that egress was dead: whether it works is to be told
  secret proxy{};
};

enum class grant_kind : std::uint8_t {
  granted,
  resting,           ///< every key that could serve rests: `wait_ms` until the soonest is free
  none_usable,       ///< no key at all, or all disabled, or all that are left were tried
  credential_limit,  ///< the credential has used up a limit of its own; `wait_ms` until it has room
  waiting_room_full, ///< every key rests, and too many wait already; `wait_ms` as in `resting`
  shutting_down,
};

struct acquire_reply {
  grant_kind grant = grant_kind::none_usable;
  std::uint64_t lease = 0;
  std::uint64_t key = 0;      ///< `key_id::value`
  std::uint32_t upstream = 0; ///< number of the upstream that the key is for
  secret secret_text;
  secret proxy;              ///< address of the outgoing proxy; empty: none
  std::uint64_t egress = 0;  ///< names that proxy in `egress_report`; 0: none
  bool egress_trial = false; ///< it was dead: tell whether it works now
  caf::actor key_actor;      ///< takes the `settlement`
  /// Not 0: the request counts against its credential's limits and has to end with
  /// `settle_credential`.
  std::uint64_t credential_ticket = 0;
  /// The credential whose limits this very question counted against; 0: it did not.
  std::uint64_t counted_for = 0;
  std::int64_t wait_ms = 0;             ///< until the soonest key is free, rounded up; -1: unknown
  bool per_day = false;                 ///< a daily quota is what is waited for
  limit_kind limited = limit_kind::rpm; ///< `credential_limit`: which of them
  std::uint32_t keys = 0;               ///< not `granted`: how many keys the pool has
  std::uint32_t disabled = 0;           ///< not `granted`: how many of them are disabled
};

/// The client left: its question of this ticket need not be answered. Not answered itself.
struct stop_waiting {
  std::uint64_t ticket = 0;
};

/// Front -> key actor: the call of this lease leaves only now, later than its grant by more than
/// half of `pool.quota_margin`. Not answered.
struct sent_late {
  std::uint64_t lease = 0;
};

/// Front -> pool: the end of a request that counts against its credential's limits. Not answered.
/// A key actor passes it on: of a lease that comes too late it is all that is known.
struct settle_credential {
  std::uint64_t credential = 0;
  std::uint64_t ticket = 0;
  bool sent = false;     ///< some attempt reached an upstream
  bool reported = false; ///< the upstream told the tokens
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
};

/// Front -> pool: how an outgoing proxy did. Told when it failed, and when it worked after that.
struct egress_report {
  std::uint64_t egress = 0;
  bool worked = false;
};

using limits_of_credentials = std::vector<std::pair<std::uint64_t, std::vector<limit>>>;

/// The limits of all credentials that have any, whole. Answered by unit.
struct change_credentials {
  limits_of_credentials limits;
};

// --- admin and pool ------------------------------------------------------------------------

using list_keys_atom = caf::atom_constant<caf::atom("list_keys")>; ///< -> vector<key_status>
using drain_atom = caf::atom_constant<caf::atom("drain")>; ///< no more grants -> unit once stored

/// An operator's word on one key. Answered by the new `key_status`, or `errc::not_found`.
struct key_command {
  key_order order = key_order::enable;
  std::uint64_t key = 0;
  std::int64_t pause_ms = 0;
  std::string note; ///< shown as the key's last error
};

/// Adds keys; one that stands there already gets the new name, upstream and word of the
/// operator. Answered by unit: the next request may be served by them.
struct add_keys {
  std::vector<pool_key> keys;
};

/// Takes keys out of the pool, and forgets their state if it is told to; calls in flight go on.
/// Answered by unit once none of them can be given out any more. Keys that are not there are no
/// error.
struct remove_keys {
  std::vector<std::uint64_t> keys;
  bool forget = true; ///< false: what is kept of their state stays
};

/// The disabled keys that are to be checked now: answered by them once there is one.
/// -> vector<uint64>
using take_rechecks_atom = caf::atom_constant<caf::atom("rechecks")>;

using pool_view_atom = caf::atom_constant<caf::atom("poolview")>; ///< -> pool_view

/// Keys that seem to share a quota without saying so: for the operator to look at.
struct suspected_sharing {
  std::vector<std::uint64_t> keys;
  std::string why; ///< in words
};

/// What the pool is doing, for people.
struct pool_view {
  pool_strategy strategy = pool_strategy::most_headroom;
  std::uint64_t keys = 0;
  std::uint64_t ready = 0, cooling = 0, disabled = 0; ///< of `keys`
  std::uint64_t waiting = 0;                          ///< requests in the waiting room
  std::int64_t longest_wait_ms = 0;
  std::vector<suspected_sharing> sharing;
};

/// What was decided about questions of these tickets, as far as it is remembered.
/// -> vector<choice_note>, in the order in which they were taken
struct explain_tickets {
  std::vector<std::uint64_t> tickets;
};

struct noted_look {
  std::uint64_t key = 0;
  float score = 0; ///< as the strategy counts; the lowest is taken
};

/// One decision of the pool.
struct choice_note {
  std::uint64_t ticket = 0;
  std::int64_t at_ms = 0;
  std::uint64_t chosen = 0; ///< 0: none
  std::uint32_t members = 0, usable = 0;
  std::int32_t tier = 0;
  bool by_affinity = false;
  std::vector<noted_look> looked;
  std::vector<turned_word> turned; ///< keys that had turned it away before
  std::int64_t waited_ms = 0;
  std::string outcome; ///< `sent`, `waits`, `resting`, `none_usable`, ...
};

using list_briefs_atom = caf::atom_constant<caf::atom("briefs")>; ///< -> vector<key_brief>

/// -> vector<key_status>, without those that are not there.
struct statuses_of {
  std::vector<std::uint64_t> keys;
};

/// How keys are chosen and judged from now on. Answered by unit.
struct change_policy {
  using travels_locally = void;
  pool_policy policy;
};

/// How a check outside of any lease ended. Answered by the new `key_status`, or
/// `errc::not_found`.
struct check_outcome {
  std::uint64_t key = 0;
  settlement end; ///< `lease` is ignored
};

// --- key actor, pool and storage -----------------------------------------------------------

/// Asks a key actor for its status -> key_status.
using status_atom = caf::atom_constant<caf::atom("status")>;
using tick_atom = caf::atom_constant<caf::atom("tick")>;
using flush_atom = caf::atom_constant<caf::atom("flush")>; ///< write and sync -> unit

struct model_rest {
  std::string model;
  std::int64_t wait_ms = 0;
  bool per_day = false;

  friend bool operator==(const model_rest&, const model_rest&) = default;
};

/// What the pool must know of a key to choose: told on each change, whole.
struct key_standing {
  bool disabled = false;                ///< or probing: not to be chosen until told otherwise
  key_reason reason = key_reason::none; ///< of the disablement, else of a rest; for people
  std::int64_t wait_ms = 0;             ///< key-wide rest; 0: none
  bool per_day = false;
  std::int64_t places = -1; ///< calls more that a slow start allows now; -1: as many as come
  std::vector<model_rest> models;

  friend bool operator==(const key_standing&, const key_standing&) = default;
};

/// Key actor -> pool.
struct standing_report {
  std::uint64_t key = 0;
  key_standing standing;
  bool throttled = false;     ///< just now
  bool without_words = false; ///< by an answer that named neither a limit nor a wait
  std::uint64_t egress = 0;   ///< by which it had gone out
  std::string project;        ///< that the upstream named in an error; empty: none
};

/// `quota_room` as it travels.
struct room_word {
  std::string model;
  std::uint32_t room = 0;
  std::uint32_t capacity = 1;
  std::int64_t wait_ms = 0; ///< -1: until some call ends
  std::uint32_t room_then = 1;
  bool per_day = false;
};

/// Key actor -> pool: what is left in a quota domain, whole.
struct room_report {
  std::uint64_t key = 0;    ///< that tells it
  std::uint64_t ledger = 0; ///< of the domain: the key may have left it meanwhile
  std::uint64_t number = 0; ///< of the domain's reports: the latest counts
  std::uint64_t seen = 0;   ///< requests of the domain that its keys have taken so far
  std::vector<room_word> rooms;
  bool call_ended = false; ///< which is why it is told
};

/// Pool -> key actor: answer what is asked of you, then end. Nobody will ask any more.
using leave_atom = caf::atom_constant<caf::atom("leave")>;

/// Key actor -> storage actor: the key's record as `storage/core/record_layout` writes it.
struct save_key_state {
  std::uint64_t key = 0;
  std::string record;
  bool urgent = false; ///< write at once instead of with the next batch
};

/// Pool -> storage actor: what is kept for one key -> std::string, empty: nothing.
struct load_key_state {
  std::uint64_t key = 0;
};

/// Pool -> storage actor: the key is gone, so is its state.
struct erase_key_state {
  std::uint64_t key = 0;
};

/// -> storage actor: a quota ledger's record, under a row of its own. Answered by unit once it is
/// safe from the loss of power, or by `errc::storage_failed`.
struct save_quota {
  std::string row;
  std::string record;
};

/// -> storage actor: the ledger is gone. Not answered.
struct erase_quota {
  std::string row;
};

/// -> storage actor: what is kept under `row` -> std::string, empty: nothing.
struct load_quota {
  std::string row;
};

/// -> storage actor: who made the resource `name`, as `storage/core/resource_item` writes it. Not
/// answered; written with the next batch.
struct save_resource {
  std::string name;
  std::string record;
};

/// -> storage actor: these resources are gone. Not answered; written with the next batch.
struct erase_resource {
  std::vector<std::string> names;
};

/// What the storage actor has done: `status_atom` -> storage_status.
struct storage_status {
  std::uint64_t rows_written = 0;
  std::uint64_t batches = 0;
  std::uint64_t failures = 0; ///< batches and syncs that the disk refused
  std::uint32_t pending = 0;  ///< rows that are not written yet
  std::string last_failure;
};

// --- how they travel -----------------------------------------------------------------------

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, limit& x) {
  return f(caf::meta::type_name("limit"), x.model, x.kind, x.amount);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, told_limit& x) {
  return f(caf::meta::type_name("told_limit"), x.model, x.kind, x.amount);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, turned_word& x) {
  return f(caf::meta::type_name("turned_word"), x.key, x.wait_ms, x.per_day);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, acquire_request& x) {
  return f(caf::meta::type_name("acquire_request"), x.model, x.tried, x.pinned, x.upstreams,
           x.groups, x.model_groups, x.affinity, x.input_tokens, x.output_tokens, x.credential,
           x.credential_ticket, x.ticket, x.wait_max_ms, x.turned, x.turned_back, x.arrived,
           x.credential_counted, x.egress, x.egress_trial, x.proxy);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, acquire_reply& x) {
  return f(caf::meta::type_name("acquire_reply"), x.grant, x.lease, x.key, x.upstream,
           x.secret_text, x.proxy, x.egress, x.egress_trial, x.key_actor, x.credential_ticket,
           x.counted_for, x.wait_ms, x.per_day, x.limited, x.keys, x.disabled);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, stop_waiting& x) {
  return f(caf::meta::type_name("stop_waiting"), x.ticket);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, sent_late& x) {
  return f(caf::meta::type_name("sent_late"), x.lease);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, settle_credential& x) {
  return f(caf::meta::type_name("settle_credential"), x.credential, x.ticket, x.sent, x.reported,
           x.input_tokens, x.output_tokens);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, egress_report& x) {
  return f(caf::meta::type_name("egress_report"), x.egress, x.worked);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, change_credentials& x) {
  return f(caf::meta::type_name("change_credentials"), x.limits);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, settlement& x) {
  return f(caf::meta::type_name("settlement"), x.lease, x.abandoned, x.model, x.what, x.scope,
           x.concerned_model, x.retry_after_ms, x.model_not_offered, x.unsent, x.reported, x.told,
           x.message, x.reason, x.project, x.prompt_tokens, x.output_tokens, x.thought_tokens,
           x.cached_tokens, x.latency_us, x.first_byte_us);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_status& x) {
  return f(caf::meta::type_name("model_status"), x.model, x.reason, x.until_at_ms, x.throttles);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, limit_status& x) {
  return f(caf::meta::type_name("limit_status"), x.model, x.kind, x.source, x.amount, x.used,
           x.excess, x.frees_in_ms, x.resets_at_ms);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, key_status& x) {
  return f(caf::meta::type_name("key_status"), x.key, x.name, x.state, x.reason, x.since_at_ms,
           x.until_at_ms, x.models, x.strikes, x.in_flight, x.granted, x.expired, x.abandoned,
           x.answers, x.prompt_tokens, x.output_tokens, x.thought_tokens, x.cached_tokens,
           x.last_used_at_ms, x.last_error_at_ms, x.last_error, x.restarts, x.quota,
           x.shares_domain, x.slow_start, x.next_recheck_at_ms, x.proxy_shown);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, key_command& x) {
  return f(caf::meta::type_name("key_command"), x.order, x.key, x.pause_ms, x.note);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, pool_key& x) {
  return f(caf::meta::type_name("pool_key"), x.key, x.name, x.secret_text, x.upstream, x.groups,
           x.returning, x.enabled, x.tier, x.weight, x.domain, x.limits, x.proxy);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, add_keys& x) {
  return f(caf::meta::type_name("add_keys"), x.keys);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, remove_keys& x) {
  return f(caf::meta::type_name("remove_keys"), x.keys, x.forget);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, key_brief& x) {
  return f(caf::meta::type_name("key_brief"), x.key, x.state, x.reason, x.last_used_ms_ago);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, statuses_of& x) {
  return f(caf::meta::type_name("statuses_of"), x.keys);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, check_outcome& x) {
  return f(caf::meta::type_name("check_outcome"), x.key, x.end);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_rest& x) {
  return f(caf::meta::type_name("model_rest"), x.model, x.wait_ms, x.per_day);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, key_standing& x) {
  return f(caf::meta::type_name("key_standing"), x.disabled, x.reason, x.wait_ms, x.per_day,
           x.places, x.models);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, standing_report& x) {
  return f(caf::meta::type_name("standing_report"), x.key, x.standing, x.throttled, x.without_words,
           x.egress, x.project);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, save_key_state& x) {
  return f(caf::meta::type_name("save_key_state"), x.key, x.record, x.urgent);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, suspected_sharing& x) {
  return f(caf::meta::type_name("suspected_sharing"), x.keys, x.why);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, pool_view& x) {
  return f(caf::meta::type_name("pool_view"), x.strategy, x.keys, x.ready, x.cooling, x.disabled,
           x.waiting, x.longest_wait_ms, x.sharing);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, explain_tickets& x) {
  return f(caf::meta::type_name("explain_tickets"), x.tickets);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, noted_look& x) {
  return f(caf::meta::type_name("noted_look"), x.key, x.score);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, choice_note& x) {
  return f(caf::meta::type_name("choice_note"), x.ticket, x.at_ms, x.chosen, x.members, x.usable,
           x.tier, x.by_affinity, x.looked, x.turned, x.waited_ms, x.outcome);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, room_word& x) {
  return f(caf::meta::type_name("room_word"), x.model, x.room, x.capacity, x.wait_ms, x.room_then,
           x.per_day);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, room_report& x) {
  return f(caf::meta::type_name("room_report"), x.key, x.ledger, x.number, x.seen, x.rooms,
           x.call_ended);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, save_quota& x) {
  return f(caf::meta::type_name("save_quota"), x.row, x.record);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, erase_quota& x) {
  return f(caf::meta::type_name("erase_quota"), x.row);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, load_quota& x) {
  return f(caf::meta::type_name("load_quota"), x.row);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, save_resource& x) {
  return f(caf::meta::type_name("save_resource"), x.name, x.record);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, erase_resource& x) {
  return f(caf::meta::type_name("erase_resource"), x.names);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, load_key_state& x) {
  return f(caf::meta::type_name("load_key_state"), x.key);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, erase_key_state& x) {
  return f(caf::meta::type_name("erase_key_state"), x.key);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, storage_status& x) {
  return f(caf::meta::type_name("storage_status"), x.rows_written, x.batches, x.failures, x.pending,
           x.last_failure);
}

} // namespace troupe
