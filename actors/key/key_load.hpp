#pragma once

#include "actors/key/shared_ledger.hpp"
#include "protocol/base/time.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace troupe {

/// A call that is under way.
struct key_lease {
  std::uint64_t id = 0;
  time_point granted;
  std::uint64_t quota = 0; ///< ticket of `ledger`; 0: it counted nothing
  std::uint64_t egress = 0;
  std::shared_ptr<shared_ledger> ledger{}; ///< whose ticket it is: domains may change meanwhile
};

/// What the pool must have of a key even when the key's actor has crashed.
struct key_load {
  // How busy it is and how fast: written by its actor, read by the pool when it chooses. Each
  // number is right by itself; they need not be of the same moment.
  std::atomic<std::uint32_t> in_flight{0};
  std::atomic<float> latency_ms{0}; ///< moving average until the first byte; 0: unknown

  // The actor's alone while it lives. After its crash the pool ends what it left open.
  std::vector<key_lease> leases; ///< in the order of their ids, which is that of granting
  /// Whose records are on their way to the disk: several after a change of the domain.
  std::vector<std::shared_ptr<shared_ledger>> writing;
};

} // namespace troupe
