#include "actors/key/pool_actor.hpp"

#include "actors/defaults.hpp"
#include "actors/error.hpp"
#include "actors/key/pool_atoms.hpp"
#include "actors/key/quota_words.hpp"

#include <caf/actor_clock.hpp>
#include <caf/exit_reason.hpp>

#include <algorithm>
#include <utility>

// The way of a request through the pool.

namespace troupe {
namespace {

/// A request that this many key actors turned back has met a storm of throttles. It is told to
/// wait a moment rather than sent round for ever.
constexpr std::uint32_t turned_back_max = 32;
constexpr duration storm_wait = std::chrono::milliseconds{100};

} // namespace

/// What the strategies ask of the keys.
class pool_actor_state::loads final : public load_reader {
public:
  explicit loads(const std::vector<member>& members) : members_(members) {}

  load of(std::uint32_t slot) const override {
    const auto* known = members_[slot].load.get();
    if (known == nullptr)
      return {};
    return {.in_flight = known->in_flight.load(std::memory_order_relaxed),
            .latency_ms = known->latency_ms.load(std::memory_order_relaxed)};
  }

private:
  const std::vector<member>& members_;
};

caf::behavior pool_actor_state::start(pool_options options, std::vector<pool_seed> keys) {
  options_ = std::move(options);
  gauges_ = options_.gauges;
  random_.seed(static_cast<std::minstd_rand::result_type>(options_.seed | 1));
  const auto& policy = options_.keys.policy;
  selection_ = selection(options_.models_max, options_.seed);
  selection_.use(policy.strategy);
  room_.change_max(policy.waiting_max);
  recheck_ = recheck(policy.recheck);
  egress_ = egress(policy.egress);
  choices_ = choice_log(options_.explained_max);
  auto shared = options_.keys;
  shared.pool = caf::actor_cast<caf::actor>(self_);
  shared.live = std::make_shared<shared_policy>(shared.policy);
  shared_ = std::make_shared<const key_actor_options>(std::move(shared));
  use_proxies(policy.proxies);
  members_.reserve(keys.size());
  keys_of_.reserve(keys.size());
  for (auto& seed : keys)
    admit_key(std::move(seed.key), std::move(seed.past));
  change(options_.credentials);
  options_.quotas.clear();

  set_default_handlers(self_, *shared_->log, log_area::pool, name);
  self_->set_down_handler([this](caf::down_msg& down) { on_down(down); });
  self_->set_exit_handler([this](caf::scheduled_actor* self, caf::exit_msg& m) {
    for (const auto& one : members_)
      if (one.actor)
        self_->send_exit(one.actor, m.reason);
    self->quit(std::move(m.reason));
  });
  return behavior();
}

caf::behavior pool_actor_state::behavior() {
  return {
      [this](acquire_request& request) { return acquire(request); },
      [this](const standing_report& r) { take(r); },
      [this](const room_report& r) { take(r); },
      [this](const stop_waiting& s) { stop(s.ticket); },
      [this](const settle_credential& s) { settle(s); },
      [this](const egress_report& r) { take(r); },
      [this](key_command& command) { return obey(command); },
      [this](check_outcome& c) { return pass_on(c); },
      [this](add_keys& wanted) { return add(wanted); },
      [this](const remove_keys& leaving) { return remove(leaving); },
      [this](const change_policy& p) { change(p); },
      [this](const change_credentials& c) { change(c.limits); },
      [this](list_keys_atom) { return list(); },
      [this](list_briefs_atom) { return briefs(); },
      [this](pool_view_atom) { return view(); },
      [this](const explain_tickets& q) { return choices_.of(q.tickets); },
      [this](take_rechecks_atom) { return take_rechecks(); },
      [this](statuses_of& wanted) { return some(wanted); },
      [this](drain_atom) { return drain(); },
      [this](revive_atom, std::uint64_t key) { revive(key); },
      [this](wake_atom) { wake(now()); },
      [this](recheck_atom) { give_rechecks(); },
  };
}

caf::result<acquire_reply> pool_actor_state::acquire(acquire_request& request) {
  acquire_reply reply;
  if (request.turned_back == 0)
    request.arrived = ++arrivals_;
  switch (ask_credential(request, reply)) {
  case gate::shut:
    choices_.note(request.ticket, choice_log::outcome::limited, {}, {}, shared_->wall(), {});
    return reply;
  case gate::later: {
    const auto asker = self_->make_response_promise();
    credentials_.at(request.credential).pending.emplace_back(std::move(request), asker);
    return asker;
  }
  case gate::open:
    break;
  }
  return place(request, nullptr);
}

/// Sends the request to a key, lets it wait, or refuses it. `asker`: the promise that it already
/// has; then nothing is returned that matters.
caf::result<acquire_reply> pool_actor_state::place(acquire_request& request,
                                                   caf::response_promise* asker) {
  const auto at = now();
  const auto answer = [&](acquire_reply reply) -> caf::result<acquire_reply> {
    if (asker == nullptr)
      return reply;
    asker->deliver(std::move(reply));
    return caf::delegated<acquire_reply>{};
  };
  if (draining_) {
    acquire_reply reply;
    reply.grant = grant_kind::shutting_down;
    forget_call(request);
    return answer(reply);
  }
  gauges_->turned_back.add(request.turned_back != 0 && asker == nullptr ? 1 : 0);
  auto turned = turned_of(request, at);
  std::uint64_t line = 0;
  // Who comes first is served first: nobody passes those who wait for the same keys.
  bool others_wait = false;
  if (room_.size() != 0) {
    line = selection::line_of(wish_of(request, turned));
    if (request.turned_back == 0 && room_.waiting_in(line) != 0) {
      others_wait = wake_line(line, at, false).blocked;
    }
  }
  choice c;
  if (others_wait) {
    c.kind = choice_kind::resting;
    c.free_at = quota_room::never;
  } else {
    c = pick(request, turned, at);
  }
  if (c.kind == choice_kind::chosen && request.turned_back <= turned_back_max) {
    choices_.note(request.ticket, choice_log::outcome::sent, c, request.turned, shared_->wall(),
                  {});
    selection_.sent(c.slot, request.model);
    members_[c.slot].granted = at;
    if (asker != nullptr)
      return asker->delegate(members_[c.slot].actor, std::move(request)),
             caf::delegated<acquire_reply>{};
    self_->delegate(members_[c.slot].actor, std::move(request));
    return caf::delegated<acquire_reply>{};
  }
  if (c.kind == choice_kind::chosen) {
    c.kind = choice_kind::resting;
    c.free_at = at + storm_wait;
  }
  const auto may_wait = std::chrono::milliseconds{std::max<std::int64_t>(request.wait_max_ms, 0)};
  const bool near = c.free_at == quota_room::never || c.free_at - at < may_wait;
  if (c.kind == choice_kind::resting && may_wait > duration::zero() && near) {
    choices_.note(request.ticket, choice_log::outcome::waits, c, request.turned, shared_->wall(),
                  {});
    if (line == 0)
      line = selection::line_of(wish_of(request, turned));
    const auto waits = asker != nullptr ? *asker : self_->make_response_promise();
    enter(std::move(request), waits, line, std::move(turned), at);
    if (c.free_at != quota_room::never)
      wake_later(c.free_at, at);
    return caf::delegated<acquire_reply>{};
  }
  choices_.note(request.ticket,
                c.kind == choice_kind::resting ? choice_log::outcome::resting
                                               : choice_log::outcome::none_usable,
                c, request.turned, shared_->wall(), {});
  forget_call(request);
  return answer(refusal(c, at));
}

wish pool_actor_state::wish_of(const acquire_request& r, const std::vector<turned_away>& turned) {
  return {.model = r.model,
          .tried = r.tried,
          .pinned = r.pinned,
          .circle = {.upstreams = r.upstreams, .groups = r.groups, .model_groups = r.model_groups},
          .turned = turned,
          .affinity = r.affinity};
}

std::vector<turned_away> pool_actor_state::turned_of(const acquire_request& r, time_point now) {
  std::vector<turned_away> turned;
  turned.reserve(r.turned.size());
  for (const auto& w : r.turned)
    turned.push_back({w.key, instant_of(w.wait_ms, now), w.per_day});
  return turned;
}

/// Chooses a key that has a way out to its upstream.
choice pool_actor_state::pick(acquire_request& r, std::vector<turned_away>& turned, time_point at) {
  const loads busy(members_);
  for (;;) {
    const auto c = selection_.choose(wish_of(r, turned), at, &busy);
    // Without a way out it is kept away for a while, so this ends.
    if (c.kind != choice_kind::chosen || find_egress(c.slot, r, at))
      return c;
  }
}

acquire_reply pool_actor_state::refusal(const choice& c, time_point at) const {
  acquire_reply reply;
  reply.keys = static_cast<std::uint32_t>(selection_.size());
  reply.disabled = static_cast<std::uint32_t>(selection_.disabled());
  if (c.kind == choice_kind::resting) {
    reply.grant = grant_kind::resting;
    reply.wait_ms = wait_word(c.free_at, at);
    reply.per_day = c.per_day;
  }
  return reply;
}

void pool_actor_state::take(const standing_report& r) {
  const auto slot = selection_.slot_of(r.key);
  if (!slot)
    return;
  const auto at = now();
  const auto s = from_message(r.standing, at);
  selection_.update(r.key, s, at);
  note(members_[*slot], s);
  if (selection_.traits_of(*slot).domain.empty()) {
    sharing_.names_project(r.key, r.project);
    if (r.throttled)
      sharing_.throttled(r.key, selection_.size() - selection_.disabled(), at);
  }
  if (r.throttled && r.without_words)
    if (const auto rest =
            egress_.throttled(r.egress, r.key, shared_->live->get()->health.cooldown, at))
      rest_egress(*rest, at);
  wake(at);
}

void pool_actor_state::take(const room_report& r) {
  const auto at = now();
  const auto key = key_of(r.ledger, r.key);
  const auto slot = selection_.slot_of(key);
  if (!slot || !members_[*slot].ledger->is_news(r.number))
    return;
  selection_.update_rooms(key, from_words(r.rooms, at), r.seen, at);
  wake(at, r.call_ended);
}

void pool_actor_state::change(const change_policy& p) {
  shared_->live->set(p.policy);
  selection_.use(p.policy.strategy);
  room_.change_max(p.policy.waiting_max);
  recheck_.change_policy(p.policy.recheck);
  egress_.change_policy(p.policy.egress);
  use_proxies(p.policy.proxies);
  for (const auto& m : members_)
    if (m.ledger)
      m.ledger->change_policy(p.policy.quota);
  for (const auto& [id, account] : credentials_)
    account.ledger->change_policy(p.policy.quota);
  look_for_ways(now());
  give_rechecks();
  wake(now());
}

caf::behavior pool_actor(pool_actor_state::self_pointer self, pool_options options,
                         std::vector<pool_seed> keys) {
  return self->state.start(std::move(options), std::move(keys));
}

} // namespace troupe
