#pragma once

#include "protocol/base/counter.hpp"

namespace troupe {

/// What the pool counts, for the metrics page. Written by the pool, read by any thread.
struct pool_gauges {
  counter waiting;               ///< requests in the waiting room now
  counter waited;                ///< that entered it
  counter waited_in_vain;        ///< that left it at their deadline
  counter waiting_refused;       ///< because it was full
  counter turned_back;           ///< by key actors: the pool's picture was older than theirs
  counter refused_by_credential; ///< over a limit of the client's credential
  counter rechecks;              ///< of disabled keys
};

} // namespace troupe
