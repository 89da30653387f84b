#pragma once

#include "protocol/base/time.hpp"
#include "protocol/gemini/classify.hpp"

#include <cstdint>

namespace troupe {

/// How often and how fast one request may be tried.
struct retry_policy {
  std::uint32_t attempts_max = 3;   ///< upstream calls for one request, the first included
  std::uint32_t overloaded_max = 2; ///< more attempts after the first `model_overloaded`
  duration backoff = std::chrono::seconds{1}; ///< before the first of these; doubles each time
};

/// What has happened to one request so far. The caller sets `visible`, `decide_retry` counts
/// the rest.
struct retry_state {
  bool visible = false; ///< the client has seen a byte of an answer
  std::uint32_t attempts = 0;
  std::uint32_t overloaded = 0;
  std::uint32_t internal = 0; ///< answers of status 500
};

enum class retry_kind : std::uint8_t { give_up, again };

struct retry_decision {
  retry_kind what = retry_kind::give_up;
  duration wait{};               ///< before the next attempt
  bool same_key_allowed = false; ///< the key was not at fault: it may be chosen again
};

/// Decides what follows an attempt that ended with `v`. Counts that attempt in `state`.
///
/// @param time_left  until the request's deadline; no attempt begins after it
/// @param jitter     drawn evenly from [0, 1): backoffs spread over 75 to 125 %
/// @param status     the upstream's HTTP status, 0 if none came. A 500 is often caused by the
///                   request itself (gemini.md section 6 note 4): it is tried once more only.
retry_decision decide_retry(const retry_policy& policy, retry_state& state,
                            const gemini::verdict& v, duration time_left, double jitter,
                            int status = 0);

} // namespace troupe
