#pragma once

#include "actors/core/egress.hpp"
#include "actors/core/key_health.hpp"
#include "actors/core/quota.hpp"
#include "actors/core/recheck.hpp"
#include "protocol/config/settings.hpp"

#include <cstddef>

namespace troupe {

/// How a pool chooses and judges its keys: what the settings say, in the words of the cores.
struct pool_policy {
  health_policy health;
  quota_policy quota;
  pool_strategy strategy = pool_strategy::most_headroom;
  std::size_t waiting_max = 10'000;
  bool learn_limits = true;
  recheck_policy recheck;
  egress_policy egress;
  egress_settings proxies; ///< which keys use which
};

/// @param days  of `s.pool.day_zone`: a shell reads zones
pool_policy pool_policy_of(const settings& s, day_clock days);

} // namespace troupe
