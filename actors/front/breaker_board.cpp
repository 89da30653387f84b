#include "actors/front/breaker_board.hpp"

#include <algorithm>

namespace troupe {

breaker_policy breaker_policy_of(const breaker_settings& s) {
  return {.calls_min = static_cast<std::uint32_t>(s.calls_min),
          .failures_percent = static_cast<std::uint32_t>(s.failures_percent),
          .window = s.window,
          .open_min = s.open_min,
          .open_max = s.open_max,
          .probes = static_cast<std::uint32_t>(s.probes),
          .slow_start = s.slow_start};
}

void breaker_board::change_policy(bool enabled, const breaker_policy& policy) {
  const std::lock_guard lock(access_);
  enabled_ = enabled;
  policy_ = policy;
  if (!enabled)
    breakers_.clear();
  for (auto& [where, b] : breakers_)
    b.change_policy(policy);
}

breaker_board::pass breaker_board::allow(std::uint32_t upstream, std::string_view model,
                                         time_point now, double jitter) {
  const std::lock_guard lock(access_);
  pass p;
  if (!enabled_)
    return p;
  auto host = breakers_.find(order::key{upstream, {}});
  if (host == breakers_.end())
    host = breakers_.emplace(place{upstream, {}}, breaker{policy_}).first;
  const auto refuse = [&](const breaker& b, const breaker_pass& refused) {
    p.allowed = false;
    p.recovering = b.state() != breaker_state::open;
    p.retry_in = refused.retry_in;
  };
  const auto by_host = host->second.allow(now, jitter);
  if (!by_host.allowed) {
    refuse(host->second, by_host);
    return p;
  }
  p.host = by_host.generation;
  const auto own = breakers_.find(order::key{upstream, model});
  if (own == breakers_.end() || model.empty())
    return p;
  const auto by_model = own->second.allow(now, jitter);
  if (!by_model.allowed) {
    host->second.note(by_host.generation, breaker_outcome::neutral, now, jitter);
    refuse(own->second, by_model);
    return p;
  }
  p.model = by_model.generation;
  p.has_model = true;
  return p;
}

duration breaker_board::closed_for(std::uint32_t upstream, std::string_view model,
                                   time_point now) const {
  const std::lock_guard lock(access_);
  duration longest{};
  const auto look = [&](std::string_view which) {
    const auto at = breakers_.find(order::key{upstream, which});
    if (at != breakers_.end() && at->second.state() == breaker_state::open)
      longest = std::max(longest, at->second.describe(now).retry_in);
  };
  look({});
  if (!model.empty())
    look(model);
  return longest;
}

void breaker_board::note(std::uint32_t upstream, std::string_view model, const pass& p,
                         outcome what, time_point now, double jitter) {
  const std::lock_guard lock(access_);
  const auto host = breakers_.find(order::key{upstream, {}});
  if (!enabled_ || host == breakers_.end())
    return;
  host->second.note(p.host, what.host, now, jitter);
  auto own = breakers_.find(order::key{upstream, model});
  if (model.empty())
    return;
  if (own == breakers_.end()) {
    if (what.model != breaker_outcome::failed || breakers_.size() >= models_max)
      return;
    // Its first overload: from here on its calls are counted.
    own = breakers_.emplace(place{upstream, std::string{model}}, breaker{policy_}).first;
    own->second.note(own->second.allow(now, jitter).generation, what.model, now, jitter);
    return;
  }
  if (p.has_model)
    own->second.note(p.model, what.model, now, jitter);
}

std::vector<breaker_view> breaker_board::view(time_point now) const {
  const std::lock_guard lock(access_);
  std::vector<breaker_view> all;
  for (const auto& [where, b] : breakers_)
    all.push_back({where.first, where.second, b.describe(now)});
  return all;
}

} // namespace troupe
