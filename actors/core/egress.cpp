#include "actors/core/egress.hpp"

#include "protocol/base/result.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

/// A bijection whose every output bit depends on every input bit (the finalizer of SplitMix64).
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

/// Higher wins. Ids break a tie, so that every node chooses alike.
std::pair<std::uint64_t, std::uint64_t> score(std::uint64_t key, std::uint64_t proxy) {
  return {mixed(key ^ mixed(proxy)), proxy};
}

bool share_any(std::span<const std::string> some, std::span<const std::string> others) {
  return std::ranges::find_first_of(some, others) != some.end();
}

} // namespace

egress_choice egress::assign(const egress_key& k, time_point now) {
  const auto c = assigned(k, now);
  const auto at = records_.find(c.egress);
  if (c.usable && at != records_.end() && at->second.failed > 0) {
    at->second.trial = true;
    at->second.trial_at = now + policy_.retry;
    at->second.touched = now;
  }
  return c;
}

egress_choice egress::assigned(const egress_key& k, time_point now) const {
  auto c =
      k.own != direct_egress ? among({&k.own, 1}, k.key, now) : among(proxies_of(k), k.key, now);
  if (const auto* r = find(c.egress); c.usable && r != nullptr && r->rests_until > now)
    c = {.egress = c.egress, .usable = false, .throttled = true, .free_at = r->rests_until};
  return c;
}

void egress::failed(std::uint64_t proxy, time_point now) {
  TROUPE_ASSERT(proxy != direct_egress);
  auto& r = record_of(proxy, now);
  if (r.failed > 0 && !r.trial)
    return;
  ++r.failed;
  r.trial = false;
  r.trial_at = now + pause_after(r.failed);
}

void egress::worked(std::uint64_t proxy, time_point now) {
  const auto at = records_.find(proxy);
  if (at == records_.end() || !at->second.trial)
    return;
  auto& r = at->second;
  r.failed = 0;
  r.trial = false;
  if (r.rests_until <= now && r.throttled.empty())
    records_.erase(at);
}

void egress::put_back(std::uint64_t proxy) {
  const auto at = records_.find(proxy);
  if (at == records_.end() || !at->second.trial)
    return;
  at->second.trial = false;
  at->second.trial_at = {};
}

std::optional<egress_rest> egress::throttled(std::uint64_t id, std::uint64_t key, duration rest,
                                             time_point now) {
  if (policy_.throttled_keys == 0)
    return std::nullopt;
  auto& r = record_of(id, now);
  if (r.rests_until > now)
    return std::nullopt;
  std::erase_if(r.throttled, [&](const sighting& s) {
    return s.key == key || now - s.at > policy_.throttled_within;
  });
  if (r.throttled.size() + 1 < policy_.throttled_keys) {
    r.throttled.push_back({key, now});
    return std::nullopt;
  }
  r.throttled.clear();
  r.rests_until = now + rest;
  return egress_rest{.egress = id, .until = r.rests_until};
}

egress_health egress::health_of(std::uint64_t id) const {
  const auto* r = find(id);
  if (r == nullptr)
    return {};
  return {.dead = r->failed > 0,
          .failed = r->failed,
          .trial_at = r->trial_at,
          .rests_until = r->rests_until};
}

const std::vector<std::uint64_t>& egress::proxies_of(const egress_key& k) const {
  const egress_plan::group* others = nullptr;
  for (const auto& g : plan_.groups) {
    if (share_any(k.groups, g.key_groups))
      return g.proxies;
    if (others == nullptr && g.key_groups.empty())
      others = &g;
  }
  return others != nullptr ? others->proxies : plan_.proxies;
}

const egress::record* egress::find(std::uint64_t id) const {
  if (records_.empty()) // nothing is wrong with any, as nearly always
    return nullptr;
  const auto at = records_.find(id);
  return at == records_.end() ? nullptr : &at->second;
}

egress::record& egress::record_of(std::uint64_t id, time_point now) {
  if (!records_.contains(id) && records_.size() >= remembered_max)
    records_.erase(std::ranges::min_element(records_, {},
                                            [](const auto& item) { return item.second.touched; }));
  auto& r = records_[id];
  r.touched = now;
  return r;
}

egress_choice egress::among(std::span<const std::uint64_t> proxies, std::uint64_t key,
                            time_point now) const {
  if (proxies.empty())
    return {};
  using scored = std::pair<std::uint64_t, std::uint64_t>;
  scored first{};  // of all of them
  scored usable{}; // ids are never 0, so this is below every proxy's
  auto free_at = time_point::max();
  for (const auto p : proxies) {
    const auto own = score(key, p);
    first = std::max(first, own);
    const auto* r = find(p);
    if (r != nullptr && r->failed > 0 && now < r->trial_at)
      free_at = std::min(free_at, r->trial_at);
    else
      usable = std::max(usable, own);
  }
  if (usable.second != direct_egress)
    return {.egress = usable.second};
  return {.egress = first.second, .usable = false, .throttled = false, .free_at = free_at};
}

duration egress::pause_after(std::uint32_t failed) const {
  auto pause = policy_.retry;
  for (std::uint32_t i = 1; i < failed && pause < policy_.retry_max; ++i)
    pause *= 2;
  return std::min(pause, std::max(policy_.retry, policy_.retry_max));
}

} // namespace troupe
