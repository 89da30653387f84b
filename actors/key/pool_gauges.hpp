#pragma once

#include "protocol/base/counter.hpp"
#include "protocol/base/limit.hpp"

#include <atomic>

namespace troupe {

constexpr bool counts_tokens(limit_kind kind) {
  return kind == limit_kind::tpm || kind == limit_kind::input_tpm || kind == limit_kind::output_tpm
         || kind == limit_kind::tpd;
}

/// What the pool counts, for the metrics page. Written by the pool, read by any thread.
struct pool_gauges {
  counter waiting;               ///< requests in the waiting room now
  counter waited;                ///< that entered it
  counter waited_in_vain;        ///< that left it at their deadline
  counter waiting_refused;       ///< because it was full
  counter turned_back;           ///< by key actors: the pool's picture was older than theirs
  counter refused_by_credential; ///< over a limit of the client's credential
  counter rechecks;              ///< of disabled keys
  /// Some limit of tokens is, or was, in force: until then nobody has to estimate what a call
  /// will use. Never taken back.
  std::atomic<bool> tokens_counted{false};
};

} // namespace troupe
