#include "actors/key/pool_policy.hpp"

#include <utility>

namespace troupe {

pool_policy pool_policy_of(const settings& s, day_clock days) {
  pool_policy p;
  p.health.strikes_max = s.pool.strikes_max;
  p.health.cooldown = s.pool.cooldown;
  p.health.cooldown_max = s.pool.cooldown_max;
  p.health.days = days;
  p.quota.margin = s.pool.quota_margin;
  p.quota.days = std::move(days);
  p.strategy = s.pool.strategy;
  p.waiting_max = s.pool.waiting_max;
  p.learn_limits = s.pool.learn_limits;
  p.recheck.min = s.pool.recheck_min;
  p.recheck.max = s.pool.recheck_max;
  p.recheck.per_minute = static_cast<std::uint32_t>(s.pool.rechecks_per_minute);
  p.egress.retry = s.egress.retry;
  p.egress.throttled_keys = static_cast<std::uint32_t>(s.egress.throttled_keys);
  p.egress.throttled_within = s.egress.throttled_within;
  p.proxies = s.egress;
  return p;
}

} // namespace troupe
