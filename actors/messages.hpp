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

/// Asks the pool for a lease. Answered by `acquire_reply`, always.
struct acquire_request {
  std::string model;
  /// Keys (`key_id::value`) that this request has used already: never chosen again.
  std::vector<std::uint64_t> tried;
  /// The only key that may be chosen, 0 for any (files and caches belong to one key).
  std::uint64_t pinned = 0;
  /// Only keys of one of these groups may be chosen; empty: any.
  std::vector<std::string> groups{};
  /// How many key actors turned this request back to the pool. Who asks leaves it 0.
  std::uint32_t turned_back = 0;
};

enum class grant_kind : std::uint8_t {
  granted,
  resting,     ///< every key that could serve rests: `wait_ms` until the soonest is free
  none_usable, ///< no key at all, or all disabled, or all that are left were tried
  shutting_down,
};

struct acquire_reply {
  grant_kind grant = grant_kind::none_usable;
  std::uint64_t lease = 0;
  std::uint64_t key = 0;      ///< `key_id::value`
  std::uint32_t upstream = 0; ///< number of the upstream that the key is for
  secret secret_text;
  caf::actor key_actor;       ///< takes the `settlement`
  std::int64_t wait_ms = 0;   ///< `resting`: until the soonest key is free, rounded up
  bool per_day = false;       ///< `resting`: every one of these rests is a daily quota's
  std::uint32_t keys = 0;     ///< not `granted`: how many keys the pool has
  std::uint32_t disabled = 0; ///< not `granted`: how many of them are disabled
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

using list_briefs_atom = caf::atom_constant<caf::atom("briefs")>; ///< -> vector<key_brief>

/// -> vector<key_status>, without those that are not there.
struct statuses_of {
  std::vector<std::uint64_t> keys;
};

/// How refusals and throttles are judged from now on. Not answered.
struct change_policy {
  std::uint32_t strikes_max = 3;
  std::int64_t cooldown_ms = 60'000;
  std::int64_t cooldown_max_ms = 600'000;
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
  std::vector<model_rest> models;

  friend bool operator==(const key_standing&, const key_standing&) = default;
};

/// Key actor -> pool.
struct standing_report {
  std::uint64_t key = 0;
  key_standing standing;
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
typename Inspector::result_type inspect(Inspector& f, acquire_request& x) {
  return f(caf::meta::type_name("acquire_request"), x.model, x.tried, x.pinned, x.groups,
           x.turned_back);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, acquire_reply& x) {
  return f(caf::meta::type_name("acquire_reply"), x.grant, x.lease, x.key, x.upstream,
           x.secret_text, x.key_actor, x.wait_ms, x.per_day, x.keys, x.disabled);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, settlement& x) {
  return f(caf::meta::type_name("settlement"), x.lease, x.abandoned, x.model, x.what, x.scope,
           x.concerned_model, x.retry_after_ms, x.model_not_offered, x.message, x.reason,
           x.prompt_tokens, x.output_tokens, x.thought_tokens, x.cached_tokens, x.latency_us,
           x.first_byte_us);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_status& x) {
  return f(caf::meta::type_name("model_status"), x.model, x.reason, x.until_at_ms, x.throttles);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, key_status& x) {
  return f(caf::meta::type_name("key_status"), x.key, x.name, x.state, x.reason, x.since_at_ms,
           x.until_at_ms, x.models, x.strikes, x.in_flight, x.granted, x.expired, x.abandoned,
           x.answers, x.prompt_tokens, x.output_tokens, x.thought_tokens, x.cached_tokens,
           x.last_used_at_ms, x.last_error_at_ms, x.last_error, x.restarts);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, key_command& x) {
  return f(caf::meta::type_name("key_command"), x.order, x.key, x.pause_ms, x.note);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, pool_key& x) {
  return f(caf::meta::type_name("pool_key"), x.key, x.name, x.secret_text, x.upstream, x.groups,
           x.returning, x.enabled);
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
typename Inspector::result_type inspect(Inspector& f, change_policy& x) {
  return f(caf::meta::type_name("change_policy"), x.strikes_max, x.cooldown_ms, x.cooldown_max_ms);
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
           x.models);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, standing_report& x) {
  return f(caf::meta::type_name("standing_report"), x.key, x.standing);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, save_key_state& x) {
  return f(caf::meta::type_name("save_key_state"), x.key, x.record, x.urgent);
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
