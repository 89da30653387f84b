#include "actors/key/pool_actor.hpp"

#include "actors/defaults.hpp"
#include "actors/error.hpp"
#include "protocol/base/key_id.hpp"

#include <caf/actor_clock.hpp>
#include <caf/exit_reason.hpp>

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

using revive_atom = caf::atom_constant<caf::atom("revive")>;

constexpr duration crash_series = std::chrono::minutes{1};
constexpr duration revive_wait_max = std::chrono::seconds{60};

/// A request that this many key actors turned back has met a storm of throttles. It is told to
/// wait a moment rather than sent round for ever.
constexpr std::uint32_t turned_back_max = 32;
constexpr std::int64_t storm_wait_ms = 100;

duration revive_wait(std::uint32_t crashes) {
  if (crashes <= 1)
    return duration::zero();
  const auto doublings = std::min(crashes - 2, 6U);
  return std::min<duration>(std::chrono::seconds{std::int64_t{1} << doublings}, revive_wait_max);
}

/// Health as far as the pool knows it: for a key whose stored state cannot be had.
key_health health_from(const standing& s, time_point now) {
  key_health h;
  if (s.disabled)
    h.disabled = s.why == key_reason::none ? key_reason::forbidden : s.why;
  if (s.until > now)
    h.pause = {s.until, s.per_day ? key_reason::quota_day : key_reason::quota_unknown};
  for (const auto& m : s.models)
    h.models.push_back(
        {.model = m.model,
         .pause = {m.until, m.per_day ? key_reason::quota_day : key_reason::quota_unknown},
         .throttles = 0,
         .strikes = 0});
  return h;
}

} // namespace

/// One question to every key actor, a bounded number of them at a time.
struct pool_actor_state::round {
  bool drain = false;
  std::vector<key_status> all;     ///< in the order of `slots`
  std::vector<std::uint64_t> keys; ///< whom to ask
  std::size_t next = 0;
  std::size_t open = 0;
  std::vector<caf::response_promise> askers;
};

/// Who waits for removed keys to be gone, or for keys that come back to be there.
struct pool_actor_state::farewell {
  caf::response_promise asker;
  std::size_t open = 0;
};

caf::behavior pool_actor_state::start(pool_options options, std::vector<key_seed> keys) {
  options_ = std::move(options);
  selection_ = selection(options_.models_max);
  auto shared = options_.keys;
  shared.pool = caf::actor_cast<caf::actor>(self_);
  shared.live = std::make_shared<shared_policy>(shared.policy);
  shared_ = std::make_shared<const key_actor_options>(std::move(shared));
  members_.reserve(keys.size());
  keys_of_.reserve(keys.size());
  for (auto& seed : keys)
    admit_key(std::move(seed));

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
      [this](const standing_report& r) {
        const auto s = from_message(r.standing, now());
        selection_.update(r.key, s, now());
        if (const auto slot = selection_.slot_of(r.key))
          note(members_[*slot], s);
      },
      [this](key_command& command) { return obey(command); },
      [this](check_outcome& c) { return pass_on(c); },
      [this](add_keys& wanted) { return add(wanted); },
      [this](const remove_keys& leaving) { return remove(leaving); },
      [this](const change_policy& p) { change(p); },
      [this](list_keys_atom) { return list(); },
      [this](list_briefs_atom) { return briefs(); },
      [this](statuses_of& wanted) { return some(wanted); },
      [this](drain_atom) { return drain(); },
      [this](revive_atom, std::uint64_t key) { revive(key); },
  };
}

caf::result<acquire_reply> pool_actor_state::acquire(acquire_request& request) {
  acquire_reply reply;
  if (draining_) {
    reply.grant = grant_kind::shutting_down;
    return reply;
  }
  const auto at = now();
  const auto c = selection_.choose({.model = request.model,
                                    .tried = request.tried,
                                    .pinned = request.pinned,
                                    .groups = request.groups},
                                   at);
  const bool storm = request.turned_back > turned_back_max;
  if (c.kind == choice_kind::chosen && !storm) {
    members_[c.slot].granted = at;
    self_->delegate(members_[c.slot].actor, std::move(request));
    return caf::delegated<acquire_reply>{};
  }
  reply.keys = static_cast<std::uint32_t>(selection_.size());
  reply.disabled = static_cast<std::uint32_t>(selection_.disabled());
  if (c.kind == choice_kind::chosen) {
    reply.grant = grant_kind::resting;
    reply.wait_ms = storm_wait_ms;
  } else if (c.kind == choice_kind::resting) {
    reply.grant = grant_kind::resting;
    reply.wait_ms = milliseconds_until(c.free_at, at);
    reply.per_day = c.per_day;
  }
  return reply;
}

caf::result<key_status> pool_actor_state::obey(key_command& command) {
  const auto slot = selection_.slot_of(command.key);
  if (!slot || !members_[*slot].actor)
    return make_error(slot ? errc::no_key_available : errc::not_found);
  self_->delegate(members_[*slot].actor, std::move(command));
  return caf::delegated<key_status>{};
}

caf::result<key_status> pool_actor_state::pass_on(check_outcome& c) {
  const auto slot = selection_.slot_of(c.key);
  if (!slot || !members_[*slot].actor)
    return make_error(slot ? errc::no_key_available : errc::not_found);
  self_->delegate(members_[*slot].actor, std::move(c));
  return caf::delegated<key_status>{};
}

caf::result<void> pool_actor_state::add(add_keys& wanted) {
  auto whose = std::make_shared<farewell>();
  for (auto& k : wanted.keys) {
    if (k.key == 0)
      return make_error(errc::invalid_argument);
    if (const auto slot = selection_.slot_of(k.key)) {
      auto& m = members_[*slot];
      m.name = k.name;
      m.secret_text = k.secret_text;
      m.upstream = k.upstream;
      m.enabled = k.enabled;
      selection_.set_groups(k.key, k.groups);
      if (m.actor)
        self_->send(m.actor, std::move(k));
      continue;
    }
    key_seed seed;
    seed.key = k.key;
    seed.name = std::move(k.name);
    seed.secret_text = std::move(k.secret_text);
    seed.upstream = k.upstream;
    seed.groups = std::move(k.groups);
    seed.enabled = k.enabled;
    if (k.returning && shared_->storage)
      welcome_back(std::move(seed), whose);
    else
      admit_key(std::move(seed));
  }
  if (whose->open == 0)
    return caf::unit;
  whose->asker = self_->make_response_promise();
  return whose->asker;
}

caf::result<void> pool_actor_state::remove(const remove_keys& wanted) {
  auto whose = std::make_shared<farewell>();
  for (const auto key : wanted.keys) {
    const auto slot = selection_.slot_of(key);
    if (!slot)
      continue;
    auto& m = members_[*slot];
    if (m.actor) {
      // Its state is erased once it is gone, or its last words would bring the state back. It
      // ends by itself, after the requests that were passed to it before: none is lost.
      keys_of_.erase(m.actor.id());
      leaving_.emplace(m.actor.id(), leaver{key, whose, wanted.forget});
      ++whose->open;
      self_->send(m.actor, leave_atom::value);
    } else if (shared_->storage && wanted.forget) {
      self_->send(shared_->storage, erase_key_state{key});
    }
    m = {};
    selection_.remove(key);
  }
  if (whose->open == 0)
    return caf::unit;
  whose->asker = self_->make_response_promise();
  return whose->asker;
}

void pool_actor_state::note(member& m, const standing& s) const {
  m.why = s.why;
  m.shut = s.disabled;
  m.rests_until = s.until;
  for (const auto& r : s.models)
    m.rests_until = std::max(m.rests_until, r.until);
}

std::vector<key_brief> pool_actor_state::briefs() const {
  std::vector<key_brief> all;
  all.reserve(selection_.size());
  const auto at = now();
  for (const auto& m : members_) {
    if (m.key == 0)
      continue;
    auto& b = all.emplace_back();
    b.key = m.key;
    const bool rests = m.rests_until > at;
    b.state = m.shut || !m.actor ? key_state::disabled
              : rests            ? key_state::cooling
                                 : key_state::ready;
    b.reason = m.shut || rests ? m.why : key_reason::none;
    if (m.granted != time_point{})
      b.last_used_ms_ago =
          std::chrono::duration_cast<std::chrono::milliseconds>(at - m.granted).count();
  }
  return all;
}

void pool_actor_state::change(const change_policy& p) {
  auto changed = shared_->live->get();
  changed.strikes_max = p.strikes_max;
  changed.cooldown = std::chrono::milliseconds{p.cooldown_ms};
  changed.cooldown_max = std::chrono::milliseconds{p.cooldown_max_ms};
  shared_->live->set(changed);
}

/// It is shut until storage has said what it knows of the key.
void pool_actor_state::welcome_back(key_seed seed, const std::shared_ptr<farewell>& whose) {
  const auto slot = selection_.add(seed.key);
  if (!slot)
    return;
  if (*slot >= members_.size())
    members_.resize(*slot + 1);
  auto& m = members_[*slot];
  m.key = seed.key;
  m.name = std::move(seed.name);
  m.secret_text = std::move(seed.secret_text);
  m.upstream = seed.upstream;
  m.enabled = seed.enabled;
  selection_.set_groups(seed.key, seed.groups);
  standing shut;
  shut.disabled = true;
  selection_.update(seed.key, shut, now());
  ++whose->open;
  const auto born = [this, key = seed.key, whose](const std::string& record) {
    revive_with(key, record);
    one_less(whose);
  };
  self_->request(shared_->storage, caf::infinite, load_key_state{seed.key})
      .then(born, [born](const caf::error&) { born({}); });
}

void pool_actor_state::one_less(const std::shared_ptr<farewell>& whose) {
  if (--whose->open == 0)
    whose->asker.deliver(caf::unit);
}

bool pool_actor_state::admit_key(key_seed seed) {
  const auto slot = selection_.add(seed.key);
  if (!slot)
    return false;
  if (*slot >= members_.size())
    members_.resize(*slot + 1);
  auto& m = members_[*slot];
  m.key = seed.key;
  m.name = seed.name;
  m.secret_text = seed.secret_text;
  m.upstream = seed.upstream;
  m.enabled = seed.enabled;
  selection_.set_groups(seed.key, seed.groups);
  give_birth(*slot, std::move(seed));
  return true;
}

void pool_actor_state::give_birth(std::uint32_t slot, key_seed seed) {
  auto& m = members_[slot];
  const instants t{now(), shared_->wall()};
  m.born = t.now;
  const auto known = standing_of(health_at_birth(seed, t), t.now);
  selection_.update(seed.key, known, t.now);
  note(m, known);
  // Lazy: ten thousand keys are there at once, and each wakes up for its first lease.
  m.actor = self_->spawn<caf::lazy_init + caf::monitored>(key_actor, shared_, std::move(seed));
  keys_of_.emplace(m.actor.id(), m.key);
}

void pool_actor_state::on_down(caf::down_msg& down) {
  const auto id = down.source.id();
  if (const auto gone = leaving_.find(id); gone != leaving_.end()) {
    if (shared_->storage && gone->second.forget && !selection_.slot_of(gone->second.key))
      self_->send(shared_->storage, erase_key_state{gone->second.key});
    one_less(gone->second.whose);
    leaving_.erase(gone);
    return;
  }
  const auto at = keys_of_.find(id);
  if (at == keys_of_.end())
    return;
  const auto key = at->second;
  keys_of_.erase(at);
  auto& m = members_[*selection_.slot_of(key)];
  m.actor = nullptr;
  m.known = selection_.known_of(key, now());
  m.known.why = m.why;
  standing shut;
  shut.disabled = true;
  selection_.update(key, shut, now());
  ++m.restarts;
  m.crashes = now() - m.born > crash_series ? 1 : m.crashes + 1;
  const auto wait = revive_wait(m.crashes);
  if (shared_->log->wants(log_area::pool, log_level::error))
    shared_->log->write(log_area::pool, log_level::error, {},
                        to_string(key_id{key}) + ": its actor crashed, again in "
                            + std::to_string(std::chrono::floor<std::chrono::seconds>(wait).count())
                            + " s");
  if (wait == duration::zero())
    revive(key);
  else
    self_->delayed_send(self_, wait, revive_atom::value, key);
}

void pool_actor_state::revive(std::uint64_t key) {
  const auto slot = selection_.slot_of(key);
  if (!slot || members_[*slot].actor)
    return; // removed meanwhile, or removed and added
  if (!shared_->storage)
    return revive_with(key, {});
  self_->request(shared_->storage, caf::infinite, load_key_state{key})
      .then([this, key](const std::string& record) { revive_with(key, record); },
            [this, key](const caf::error&) { revive_with(key, {}); });
}

void pool_actor_state::revive_with(std::uint64_t key, const std::string& record) {
  const auto slot = selection_.slot_of(key);
  if (!slot || members_[*slot].actor)
    return;
  auto& m = members_[*slot];
  key_seed seed;
  seed.key = key;
  seed.name = m.name;
  seed.secret_text = m.secret_text;
  seed.upstream = m.upstream;
  seed.enabled = m.enabled;
  seed.restarts = m.restarts;
  if (auto past = storage::decode_key_state(record)) {
    seed.past = *std::move(past);
  } else {
    const instants t{now(), shared_->wall()};
    seed.past = to_record(health_from(m.known, t.now), {}, t);
  }
  m.known = {};
  give_birth(*slot, std::move(seed));
}

key_status pool_actor_state::status_without_actor(const member& m) const {
  key_status s;
  s.key = m.key;
  s.name = m.name;
  s.state = key_state::disabled;
  s.restarts = m.restarts;
  s.last_error = "the key's actor crashed and is being started again";
  return s;
}

caf::result<std::vector<key_status>> pool_actor_state::list() {
  auto promise = self_->make_response_promise();
  if (listing_) {
    listing_->askers.push_back(promise);
  } else {
    listing_ = std::make_shared<round>();
    listing_->askers.push_back(promise);
    ask_all(listing_);
  }
  return promise;
}

caf::result<std::vector<key_status>> pool_actor_state::some(statuses_of& wanted) {
  auto r = std::make_shared<round>();
  const auto promise = self_->make_response_promise();
  r->askers.push_back(promise);
  r->keys = std::move(wanted.keys);
  r->all.resize(r->keys.size());
  ask_next(r);
  return promise;
}

caf::result<void> pool_actor_state::drain() {
  draining_ = true;
  auto r = std::make_shared<round>();
  r->drain = true;
  const auto promise = self_->make_response_promise();
  r->askers.push_back(promise);
  ask_all(r);
  return promise;
}

void pool_actor_state::ask_all(const std::shared_ptr<round>& r) {
  for (const auto& m : members_)
    if (m.key != 0)
      r->keys.push_back(m.key);
  r->all.resize(r->drain ? 0 : r->keys.size());
  ask_next(r);
}

void pool_actor_state::ask_next(const std::shared_ptr<round>& r) {
  while (r->open < options_.asked_at_once && r->next < r->keys.size()) {
    const auto at = r->next++;
    const auto slot = selection_.slot_of(r->keys[at]);
    const auto* m = slot ? &members_[*slot] : nullptr;
    if (m == nullptr || !m->actor) {
      if (m != nullptr && !r->drain)
        r->all[at] = status_without_actor(*m);
      continue;
    }
    ++r->open;
    const auto done = [this, r] {
      --r->open;
      ask_next(r);
    };
    const auto failed = [done](const caf::error&) { done(); };
    if (r->drain)
      self_->request(m->actor, caf::infinite, drain_atom::value).then(done, failed);
    else
      self_->request(m->actor, caf::infinite, status_atom::value)
          .then(
              [r, at, done](key_status& s) {
                r->all[at] = std::move(s);
                done();
              },
              failed);
  }
  if (r->open != 0 || r->next < r->keys.size())
    return;
  // A key that was removed, or whose actor crashed, in the middle of the round left a gap.
  std::erase_if(r->all, [](const key_status& s) { return s.key == 0; });
  for (auto& asker : std::exchange(r->askers, {})) {
    if (r->drain)
      asker.deliver(caf::unit);
    else
      asker.deliver(r->all);
  }
  if (listing_ == r)
    listing_.reset();
}

caf::behavior pool_actor(pool_actor_state::self_pointer self, pool_options options,
                         std::vector<key_seed> keys) {
  return self->state.start(std::move(options), std::move(keys));
}

} // namespace troupe
