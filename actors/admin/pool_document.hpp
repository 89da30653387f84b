#pragma once

#include "actors/core/breaker.hpp"
#include "actors/front/explain.hpp"
#include "actors/inventory/inventory_messages.hpp"
#include "actors/messages.hpp"

#include <cstdint>
#include <string>
#include <vector>

// What the pool and the upstreams are doing, and why a request went as it did, as JSON.

namespace troupe {

/// The breaker of one upstream host, or of one model on it.
struct breaker_shown {
  std::string upstream;
  std::string model; ///< empty: of the host
  breaker_state state = breaker_state::closed;
  std::int64_t since_at_ms = 0;  ///< of the state; 0: it was never left
  std::string why;               ///< in words; empty: all calls are let through
  std::uint32_t calls = 0;       ///< within its window
  std::uint32_t failures = 0;    ///< of these
  std::int64_t retry_in_ms = -1; ///< until the next call is let through; -1: calls are
};

/// `{"upstreams":[...]}`, each with its breakers.
std::string upstreams_document(const std::vector<upstream_view>& upstreams,
                               const std::vector<breaker_shown>& breakers);

std::string pool_document(const pool_view& pool);

std::string explain_document(const explained_request& request);

} // namespace troupe
