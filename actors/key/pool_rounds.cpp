#include "actors/error.hpp"
#include "actors/key/pool_actor.hpp"
#include "actors/key/quota_words.hpp"
#include "protocol/config/values.hpp"
#include "storage/core/quota_item.hpp"

#include <caf/actor_clock.hpp>

#include <algorithm>
#include <utility>

// What operators ask of one key or all of them, and the end of the pool.

namespace troupe {

/// One question to every key actor, a bounded number of them at a time.
struct pool_actor_state::round {
  bool drain = false;
  std::vector<key_status> all;     ///< in the order of `keys`
  std::vector<std::uint64_t> keys; ///< whom to ask
  std::size_t next = 0;
  std::size_t open = 0;
  bool ledgers_saved = false; ///< `drain`: the last thing that it does was begun
  bool failed = false;
  std::vector<caf::response_promise> askers;
};

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
  recheck_.ended(c.key, c.end.what == gemini::answer_class::ok, now(), jitter());
  give_rechecks();
  self_->delegate(members_[*slot].actor, std::move(c));
  return caf::delegated<key_status>{};
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

pool_view pool_actor_state::view() const {
  pool_view v;
  v.strategy = shared_->live->get()->strategy;
  for (const auto& b : briefs()) {
    ++v.keys;
    v.ready += b.state == key_state::ready ? 1 : 0;
    v.cooling += b.state == key_state::cooling ? 1 : 0;
    v.disabled += b.state == key_state::disabled ? 1 : 0;
  }
  v.waiting = room_.size();
  v.longest_wait_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(room_.longest_wait(now())).count();
  for (auto& s : sharing_.suspected())
    v.sharing.push_back({std::move(s.keys), std::move(s.why)});
  return v;
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

/// What the pool knows of a key and its actor does not.
void pool_actor_state::complete(key_status& s) const {
  const auto slot = selection_.slot_of(s.key);
  if (!slot)
    return;
  const auto t = instants{now(), shared_->wall()};
  s.shares_domain = !selection_.traits_of(*slot).domain.empty();
  if (const auto plan = recheck_.when(s.key))
    s.next_recheck_at_ms = t.wall.time_since_epoch().count() + milliseconds_until(plan->at, t.now);
  const auto way = egress_.assigned(egress_of(members_[*slot], *slot), t.now);
  if (const auto at = proxies_.find(way.egress); at != proxies_.end())
    s.proxy_shown = config::masked_proxy(at->second.reveal());
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
  if (checker_)
    std::exchange(checker_, std::nullopt)->deliver(std::vector<std::uint64_t>{});
  const auto at = now();
  while (!waiting_.empty()) {
    const auto ticket = waiting_.begin()->first;
    room_.leave(ticket);
    answer_refused(ticket, grant_kind::shutting_down, at);
  }
  auto r = std::make_shared<round>();
  r->drain = true;
  const auto promise = self_->make_response_promise();
  r->askers.push_back(promise);
  ask_all(r);
  return promise;
}

/// The last records: what was granted is then what is allowed, and the next start knows all.
void pool_actor_state::save_ledgers(const std::shared_ptr<round>& r) {
  r->ledgers_saved = true;
  if (!shared_->storage)
    return;
  std::vector<ledger_pointer> all;
  for (const auto& m : members_)
    if (m.ledger
        && selection_.traits_of(static_cast<std::uint32_t>(&m - members_.data())).domain.empty())
      all.push_back(m.ledger);
  for (const auto& [called, d] : domains_)
    all.push_back(d.ledger);
  for (const auto& [id, account] : credentials_)
    all.push_back(account.ledger);
  for (const auto& ledger : all) {
    const auto record = ledger->last_record(both());
    if (!record)
      continue;
    ++r->open;
    const auto done = [this, r] {
      --r->open;
      ask_next(r);
    };
    self_
        ->request(shared_->storage, caf::infinite,
                  save_quota{ledger->row(), storage::encode(*record)})
        .then(done, [r, done](const caf::error&) {
          r->failed = true;
          done();
        });
  }
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
              [this, r, at, done](key_status& s) {
                complete(s);
                r->all[at] = std::move(s);
                done();
              },
              failed);
  }
  if (r->open != 0 || r->next < r->keys.size())
    return;
  if (r->drain && !r->ledgers_saved) {
    save_ledgers(r);
    if (r->open != 0)
      return;
  }
  // A key that was removed, or whose actor crashed, in the middle of the round left a gap.
  std::erase_if(r->all, [](const key_status& s) { return s.key == 0; });
  for (auto& asker : std::exchange(r->askers, {})) {
    if (!r->drain)
      asker.deliver(r->all);
    else if (r->failed)
      asker.deliver(make_error(errc::storage_failed));
    else
      asker.deliver(caf::unit);
  }
  if (listing_ == r)
    listing_.reset();
}

} // namespace troupe
