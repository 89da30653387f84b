#include "actors/key/pool_actor.hpp"
#include "actors/key/pool_atoms.hpp"

#include <caf/actor_clock.hpp>

#include <algorithm>
#include <utility>

// Outgoing proxies, and re-checks of disabled keys.

namespace troupe {

void pool_actor_state::use_proxies(const egress_settings& s) {
  const auto ids_of = [this](const std::vector<secret>& proxies) {
    std::vector<std::uint64_t> ids;
    for (const auto& p : proxies)
      ids.push_back(proxy_id(p));
    return ids;
  };
  egress_plan plan;
  plan.proxies = ids_of(s.proxies);
  for (const auto& g : s.groups)
    plan.groups.push_back({g.name, g.groups, ids_of(g.proxies)});
  egress_.change_plan(std::move(plan));
}

/// The same address has the same id on every node and in every life.
std::uint64_t pool_actor_state::proxy_id(const secret& address) {
  if (address.empty())
    return direct_egress;
  std::uint64_t id = 0xCBF29CE484222325U; // FNV-1a
  for (const unsigned char c : address.reveal())
    id = (id ^ c) * 0x100000001B3U;
  id = id == direct_egress ? 1 : id;
  proxies_.insert_or_assign(id, address);
  return id;
}

egress_key pool_actor_state::egress_of(const member& m, std::uint32_t slot) const {
  return {.key = m.key, .groups = selection_.traits_of(slot).groups, .own = m.own_proxy};
}

/// Writes the way out of the key in `slot` into the request. False: it has none now, and is kept
/// away until it may have one.
bool pool_actor_state::find_egress(std::uint32_t slot, acquire_request& r, time_point at) {
  const auto way = egress_.assign(egress_of(members_[slot], slot), at);
  if (!way.usable) {
    selection_.keep_away(members_[slot].key,
                         std::max(way.free_at, at + std::chrono::milliseconds{1}), at);
    return false;
  }
  r.egress = way.egress;
  r.egress_trial = way.egress != direct_egress && egress_.health_of(way.egress).dead;
  if (way.egress == direct_egress) {
    if (!r.proxy.empty())
      r.proxy = {};
  } else {
    r.proxy = proxies_.at(way.egress);
  }
  return true;
}

void pool_actor_state::rest_egress(const egress_rest& rest, time_point at) {
  for (std::uint32_t slot = 0; slot < members_.size(); ++slot)
    if (members_[slot].key != 0
        && egress_.assigned(egress_of(members_[slot], slot), at).egress == rest.egress)
      selection_.keep_away(members_[slot].key, rest.until, at);
  if (shared_->log->wants(log_area::pool, log_level::warning))
    shared_->log->write(
        log_area::pool, log_level::warning, {},
        "several keys were throttled at once by one way out ("
            + (rest.egress == direct_egress ? std::string{"without a proxy"} : "a proxy")
            + "), which rests for " + std::to_string(milliseconds_until(rest.until, at)) + " ms");
}

void pool_actor_state::take(const egress_report& r) {
  if (r.egress == direct_egress)
    return;
  const auto at = now();
  if (r.worked) {
    egress_.worked(r.egress, at);
    look_for_ways(at);
  } else {
    egress_.failed(r.egress, at);
  }
  wake(at); // its keys have another way now, or theirs is open again
}

/// Keys that had no way out may have one now.
void pool_actor_state::look_for_ways(time_point at) {
  for (std::uint32_t slot = 0; slot < members_.size(); ++slot) {
    if (members_[slot].key == 0)
      continue;
    const auto way = egress_.assigned(egress_of(members_[slot], slot), at);
    selection_.keep_away(members_[slot].key, way.usable ? time_point{} : way.free_at, at);
  }
}

caf::result<std::vector<std::uint64_t>> pool_actor_state::take_rechecks() {
  if (checker_)
    checker_->deliver(std::vector<std::uint64_t>{}); // one asks at a time; this one gave up
  checker_ = self_->make_response_promise();
  const auto asker = *checker_;
  give_rechecks();
  return asker;
}

void pool_actor_state::give_rechecks() {
  const auto at = now();
  if (recheck_at_ <= at)
    recheck_at_ = time_point::max();
  if (!checker_ || draining_)
    return;
  if (const auto next = recheck_.next_at(); next && *next <= at) {
    auto due = recheck_.due(at);
    if (!due.empty()) {
      gauges_->rechecks.add(due.size());
      std::exchange(checker_, std::nullopt)->deliver(std::move(due));
      return;
    }
  }
  const auto next = recheck_.next_at();
  if (!next || *next >= recheck_at_)
    return;
  recheck_at_ = *next;
  self_->delayed_send(self_, std::max<duration>(*next - at, std::chrono::milliseconds{1}),
                      recheck_atom::value);
}

} // namespace troupe
