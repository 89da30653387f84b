#pragma once

#include <atomic>
#include <cstdint>

namespace troupe {

/// How busy a key is and how fast: written by its actor, read by the pool when it chooses. Each
/// number is right by itself; they need not be of the same moment.
struct key_load {
  std::atomic<std::uint32_t> in_flight{0};
  std::atomic<float> latency_ms{0}; ///< moving average until the first byte; 0: unknown
};

} // namespace troupe
