#pragma once

// What is said of keys, as plain values: shared by those who send it between actors and those
// who show it.

#include "actors/core/key_state.hpp"
#include "actors/core/limit_source.hpp"
#include "protocol/base/limit.hpp"
#include "protocol/gemini/classify.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// A limit as the upstream told it with an answer.
struct told_limit {
  std::string model; ///< empty: the model that was asked for
  limit_kind kind = limit_kind::rpm;
  std::uint64_t amount = 0;
};

/// How the call of a lease ended: sent once to `acquire_reply::key_actor`, never answered.
/// The fields from `what` to `reason` are those of `gemini::verdict`.
struct settlement {
  std::uint64_t lease = 0;
  /// The client left or the call was never made: ends the lease, says nothing of the key.
  bool abandoned = false;
  std::string model; ///< as asked upstream
  gemini::answer_class what = gemini::answer_class::ok;
  gemini::answer_scope scope = gemini::answer_scope::none;
  std::string concerned_model;      ///< `verdict::model`; may be empty or differ from `model`
  std::int64_t retry_after_ms = -1; ///< -1: the upstream gave none
  bool model_not_offered = false;
  bool unsent = false;          ///< no byte of the call left this node: it used nothing
  bool reported = false;        ///< the upstream told the tokens
  std::vector<told_limit> told; ///< limits that the answer named
  std::string message;          ///< the upstream's words, masked, at most a few hundred bytes
  std::string reason;
  std::string project; ///< `projects/NUM` if the answer reveals it, else empty
  std::uint64_t prompt_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::uint64_t thought_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::int64_t latency_us = -1;    ///< from sending to the end; -1: unknown
  std::int64_t first_byte_us = -1; ///< from sending to the answer's first byte; -1: none came
};

struct model_status {
  std::string model;
  key_reason reason = key_reason::none;
  std::int64_t until_at_ms = 0;
  std::uint32_t throttles = 0; ///< consecutive throttles whose length we had to guess
};

/// One limit of a key's quota domain.
struct limit_status {
  std::string model; ///< empty: all models together
  limit_kind kind = limit_kind::rpm;
  limit_source source = limit_source::declared;
  std::uint64_t amount = 0;
  std::uint64_t used = 0;
  std::uint64_t excess = 0;      ///< tokens that were reported beyond their reservations, in all
  std::int64_t frees_in_ms = -1; ///< until something is free again; -1: nothing is used
  std::int64_t resets_at_ms = 0; ///< of a day's limit; else 0
};

/// Everything the admin API shows of one key. No field holds a secret.
struct key_status {
  std::uint64_t key = 0;
  std::string name;
  key_state state = key_state::ready;
  key_reason reason = key_reason::none;
  std::int64_t since_at_ms = 0;     ///< of the state; 0: since the start
  std::int64_t until_at_ms = 0;     ///< end of a key-wide rest; 0: none, or no end known
  std::vector<model_status> models; ///< models that rest on this key
  std::uint32_t strikes = 0;
  std::uint32_t in_flight = 0;
  std::uint64_t granted = 0;
  std::uint64_t expired = 0;               ///< leases that nobody settled
  std::uint64_t abandoned = 0;             ///< calls whose client left
  std::array<std::uint64_t, 13> answers{}; ///< settled calls, by `gemini::answer_class`
  std::uint64_t prompt_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::uint64_t thought_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::int64_t last_used_at_ms = 0;
  std::int64_t last_error_at_ms = 0;
  std::string last_error;     ///< masked
  std::uint32_t restarts = 0; ///< of the key's actor
  std::vector<limit_status> quota;
  bool shares_domain = false;          ///< `quota` is that of a domain with other keys
  std::uint32_t slow_start = 0;        ///< calls that it may have at one time; 0: as many as come
  std::int64_t next_recheck_at_ms = 0; ///< of a disabled key; 0: none is planned
  std::string proxy_shown;             ///< outgoing proxy in use, without user and password
};

enum class key_order : std::uint8_t {
  enable,  ///< ends a disablement and clears strikes; rests stay
  disable, ///< until enabled by hand
  pause,   ///< a key-wide rest of `pause_ms`
  reset,   ///< ready and clean: ends disablement, rests, strikes (counts stay)
};

/// What can be said of a key without asking its actor.
struct key_brief {
  std::uint64_t key = 0;
  key_state state = key_state::ready;
  key_reason reason = key_reason::none;
  std::int64_t last_used_ms_ago = -1; ///< -1: not since the start
};
} // namespace troupe
