#include "actors/error.hpp"
#include "actors/key/pool_actor.hpp"
#include "actors/key/pool_atoms.hpp"
#include "actors/key/quota_words.hpp"
#include "protocol/base/key_id.hpp"
#include "storage/core/quota_item.hpp"

#include <caf/actor_clock.hpp>

#include <algorithm>
#include <utility>

// Keys that come and go, crash and come back.

namespace troupe {
namespace {

constexpr duration crash_series = std::chrono::minutes{1};
constexpr duration revive_wait_max = std::chrono::seconds{60};

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

key_traits traits_of(const pool_key& k) {
  return {.upstream = k.upstream,
          .tier = k.tier,
          .weight = k.weight,
          .domain = k.domain,
          .groups = k.groups};
}

/// Of several limits on the same thing the strictest holds.
void add_strictest(std::vector<limit>& all, const std::vector<limit>& some) {
  for (const auto& l : some) {
    const auto same = std::ranges::find_if(
        all, [&](const limit& other) { return other.model == l.model && other.kind == l.kind; });
    if (same == all.end())
      all.push_back(l);
    else
      same->amount = std::min(same->amount, l.amount);
  }
}

} // namespace

/// Who waits for removed keys to be gone, or for keys that come back to be there.
struct pool_actor_state::farewell {
  caf::response_promise asker;
  std::size_t open = 0;
};

caf::result<void> pool_actor_state::add(add_keys& wanted) {
  auto whose = std::make_shared<farewell>();
  for (auto& k : wanted.keys) {
    if (k.key == 0)
      return make_error(errc::invalid_argument);
    if (const auto slot = selection_.slot_of(k.key))
      change_key(*slot, k);
    else if (k.returning && shared_->storage)
      welcome_back(std::move(k), whose);
    else
      admit_key(std::move(k), std::nullopt);
  }
  wake(now());
  if (whose->open == 0)
    return caf::unit;
  whose->asker = self_->make_response_promise();
  return whose->asker;
}

/// A key that stands there already: what an operator says of it is new, its state stays.
void pool_actor_state::change_key(std::uint32_t slot, pool_key& k) {
  auto& m = members_[slot];
  m.name = k.name;
  m.secret_text = k.secret_text;
  m.upstream = k.upstream;
  m.enabled = k.enabled;
  m.limits = k.limits;
  m.own_proxy = proxy_id(k.proxy);
  const auto domain_before = selection_.traits_of(slot).domain;
  selection_.set_traits(k.key, traits_of(k));
  if (k.domain != domain_before) {
    leave_domain(domain_before, k.key);
    m.ledger = enter_domain(k.domain, k.key);
    if (m.actor)
      self_->send(m.actor, take_ledger{m.ledger});
    sharing_.forget(k.key);
  }
  declare(slot);
  selection_.keep_away(k.key, {}, now()); // its way out may be another
  if (m.actor)
    self_->send(m.actor, std::move(k));
}

/// Gives the key a slot and a ledger.
pool_actor_state::member* pool_actor_state::seat(pool_key& k) {
  const auto slot = selection_.add(k.key, traits_of(k));
  if (!slot)
    return nullptr;
  if (*slot >= members_.size())
    members_.resize(*slot + 1);
  auto& m = members_[*slot];
  m.key = k.key;
  m.name = std::move(k.name);
  m.secret_text = std::move(k.secret_text);
  m.upstream = k.upstream;
  m.enabled = k.enabled;
  m.limits = std::move(k.limits);
  m.own_proxy = proxy_id(k.proxy);
  m.ledger = enter_domain(k.domain, k.key);
  m.load = std::make_shared<key_load>();
  declare(*slot);
  return &m;
}

bool pool_actor_state::admit_key(pool_key k, std::optional<storage::key_state_record> past) {
  const auto* m = seat(k);
  if (m == nullptr)
    return false;
  give_birth(static_cast<std::uint32_t>(m - members_.data()), std::move(past));
  return true;
}

/// It is shut until storage has said what it knows of the key.
void pool_actor_state::welcome_back(pool_key k, const std::shared_ptr<farewell>& whose) {
  // A domain that other keys use, or have used, knows already what is kept of it.
  const bool knows = domains_.contains(k.domain);
  const auto* m = seat(k);
  if (m == nullptr)
    return;
  standing shut;
  shut.disabled = true;
  selection_.update(k.key, shut, now());
  ++whose->open;
  const auto born = [this, key = k.key, whose](const std::string& record) {
    revive_with(key, record);
    one_less(whose);
  };
  const auto with_state = [this, key = k.key, born, ledger = m->ledger](const std::string& quota) {
    if (auto kept = storage::decode_quota_record(quota))
      ledger->restore(*kept, both());
    show_rooms(key, *ledger);
    self_->request(shared_->storage, caf::infinite, load_key_state{key})
        .then(born, [born](const caf::error&) { born({}); });
  };
  if (knows)
    return with_state({});
  self_->request(shared_->storage, caf::infinite, load_quota{m->ledger->row()})
      .then(with_state, [with_state](const caf::error&) { with_state({}); });
}

void pool_actor_state::one_less(const std::shared_ptr<farewell>& whose) {
  if (--whose->open == 0)
    whose->asker.deliver(caf::unit);
}

pool_actor_state::ledger_pointer pool_actor_state::enter_domain(const std::string& called,
                                                                std::uint64_t key) {
  const auto make = [this](std::string row) {
    auto made =
        std::make_shared<shared_ledger>(std::move(row), shared_->live->get()->quota, gauges_);
    if (const auto kept = options_.quotas.find(made->row()); kept != options_.quotas.end())
      made->restore(kept->second, both());
    return made;
  };
  if (called.empty())
    return make(quota_row_of_key(key));
  auto& d = domains_[called];
  if (!d.ledger)
    d.ledger = make(quota_row_of_domain(called));
  d.keys.push_back(key);
  return d.ledger;
}

void pool_actor_state::leave_domain(const std::string& called, std::uint64_t key) {
  const auto at = domains_.find(called);
  if (called.empty() || at == domains_.end())
    return;
  std::erase(at->second.keys, key);
  // Its limits were the domain's too. A domain without keys stays, and with it what was used.
  if (!at->second.keys.empty())
    declare(*selection_.slot_of(at->second.keys.front()));
}

/// Tells the ledger of the key in `slot` what its limits are: its own, or those of all keys of
/// its domain.
void pool_actor_state::declare(std::uint32_t slot) {
  auto& m = members_[slot];
  const auto& called = selection_.traits_of(slot).domain;
  auto limits = m.limits;
  if (!called.empty())
    for (const auto key : domains_.at(called).keys)
      if (const auto other = selection_.slot_of(key); other && *other != slot)
        add_strictest(limits, members_[*other].limits);
  m.ledger->declare(limits, both());
  show_rooms(m.key, *m.ledger);
}

void pool_actor_state::show_rooms(std::uint64_t key, shared_ledger& ledger) {
  const auto t = both();
  const auto r = ledger.report_now(t);
  ledger.is_news(r.number);
  selection_.update_rooms(key, r.rooms, r.seen, t.now);
}

/// A key whose domain has this ledger; 0: none has. Nearly always the one that tells of it, unless
/// it left the domain while calls were under way.
std::uint64_t pool_actor_state::key_of(std::uint64_t ledger, std::uint64_t told_by) const {
  if (const auto slot = selection_.slot_of(told_by); slot && members_[*slot].ledger->id() == ledger)
    return told_by;
  for (const auto& [called, d] : domains_)
    if (d.ledger->id() == ledger)
      return d.keys.empty() ? 0 : d.keys.front();
  return 0;
}

/// Nobody will tell how the calls of a crashed actor ended: they are taken to have used what was
/// reserved.
void pool_actor_state::end_calls(std::uint64_t key, key_load& load) {
  const auto t = both();
  for (const auto& l : std::exchange(load.leases, {}))
    if (l.ledger) {
      l.ledger->end(l.quota, {}, t);
      if (const auto other = key_of(l.ledger->id(), key); other != 0)
        show_rooms(other, *l.ledger);
    }
  for (const auto& lost : std::exchange(load.writing, {})) {
    lost->write_lost();
    for (const auto& waiter : lost->take_waiters())
      self_->send(waiter, allowed_atom::value);
  }
}

void pool_actor_state::give_birth(std::uint32_t slot,
                                  std::optional<storage::key_state_record> past) {
  auto& m = members_[slot];
  const auto t = both();
  m.born = t.now;
  key_seed seed;
  seed.key = m.key;
  seed.name = m.name;
  seed.secret_text = m.secret_text;
  seed.upstream = m.upstream;
  seed.enabled = m.enabled;
  seed.past = std::move(past);
  seed.restarts = m.restarts;
  seed.ledger = m.ledger;
  seed.load = m.load;
  const auto known = standing_of(health_at_birth(seed, t), t.now);
  selection_.update(seed.key, known, t.now);
  if (known.disabled)
    recheck_.found_disabled(m.key, known.why, t.now, jitter());
  note(m, known);
  // Lazy: ten thousand keys are there at once, and each wakes up for its first lease.
  m.actor = self_->spawn<caf::lazy_init + caf::monitored>(key_actor, shared_, std::move(seed));
  keys_of_.emplace(m.actor.id(), m.key);
}

void pool_actor_state::note(member& m, const standing& s) {
  if (s.disabled)
    recheck_.disabled(m.key, s.why, now(), jitter());
  else
    recheck_.forget(m.key);
  m.why = s.why;
  m.shut = s.disabled;
  m.rests_until = s.until;
  for (const auto& r : s.models)
    m.rests_until = std::max(m.rests_until, r.until);
  give_rechecks();
}

caf::result<void> pool_actor_state::remove(const remove_keys& wanted) {
  auto whose = std::make_shared<farewell>();
  for (const auto key : wanted.keys) {
    const auto slot = selection_.slot_of(key);
    if (!slot)
      continue;
    auto& m = members_[*slot];
    const auto shared_with = selection_.traits_of(*slot).domain;
    leaver gone{key, whose, wanted.forget, shared_with.empty() ? m.ledger->row() : std::string{}};
    if (m.actor) {
      // Its state is erased once it is gone, or its last words would bring the state back. It
      // ends by itself, after the requests that were passed to it before: none is lost.
      keys_of_.erase(m.actor.id());
      leaving_.emplace(m.actor.id(), std::move(gone));
      ++whose->open;
      self_->send(m.actor, leave_atom::value);
    } else {
      erase_state(gone);
    }
    recheck_.forget(key);
    sharing_.forget(key);
    m = {};
    selection_.remove(key);
    leave_domain(shared_with, key);
  }
  wake(now()); // those who waited for these keys alone
  if (whose->open == 0)
    return caf::unit;
  whose->asker = self_->make_response_promise();
  return whose->asker;
}

void pool_actor_state::erase_state(const leaver& gone) {
  if (!shared_->storage || !gone.forget)
    return;
  self_->send(shared_->storage, erase_key_state{gone.key});
  if (!gone.quota_row.empty())
    self_->send(shared_->storage, erase_quota{gone.quota_row});
}

void pool_actor_state::on_down(caf::down_msg& down) {
  const auto id = down.source.id();
  if (const auto gone = leaving_.find(id); gone != leaving_.end()) {
    if (!selection_.slot_of(gone->second.key))
      erase_state(gone->second);
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
  end_calls(key, *m.load);
  selection_.forget_sent(key, m.ledger->report_now(both()).seen); // nobody is on the way to it
  show_rooms(key, *m.ledger);
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
  std::optional<storage::key_state_record> past;
  if (auto known = storage::decode_key_state(record)) {
    past = *std::move(known);
  } else {
    const auto t = both();
    past = to_record(health_from(m.known, t.now), {}, t);
  }
  m.known = {};
  give_birth(*slot, std::move(past));
  wake(now());
}

} // namespace troupe
