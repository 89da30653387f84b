#include "actors/key/key_actor.hpp"
#include "actors/key/quota_words.hpp"
#include "storage/core/quota_item.hpp"

#include <caf/actor_clock.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

// The limits of a key: what its actor asks of the ledger of its quota domain, and what it tells
// pool and disk about it.

namespace troupe {
namespace {

/// Requests that wait for the disk at one key; more are turned away for a moment.
constexpr std::size_t pending_max = 1'024;
constexpr duration pending_moment = std::chrono::milliseconds{20};
/// Fewer calls in a minute say nothing about a limit.
constexpr std::uint64_t estimate_min = 2;

quota_call call_of(const acquire_request& r) {
  return {.model = r.model, .input_tokens = r.input_tokens, .output_tokens = r.output_tokens};
}

} // namespace

caf::result<acquire_reply> key_actor_state::acquire(acquire_request& request) {
  const auto t = now();
  if (!may_begin(request, t)) {
    if (ledger_->seen_only(t))
      tell_rooms(*ledger_, t);
    ++request.turned_back;
    self_->delegate(options_->pool, std::move(request));
    return caf::delegated<acquire_reply>{};
  }
  if (!ledger_->active()) {
    ledger_->seen_only(t);
    return grant(request, 0, t);
  }
  auto got = ledger_->take(call_of(request), t);
  if (got.write)
    write_ahead(t);
  if (got.verdict.must_write && pending_.size() < pending_max) {
    auto asker = self_->make_response_promise();
    pending_.push_back({std::move(request), asker});
    write_ahead(t);
    return asker;
  }
  if (got.verdict.must_write) {
    got.verdict.free_at = t.now + pending_moment;
    ledger_->seen_only(t);
  }
  if (got.tell || got.verdict.must_write)
    tell_rooms(*ledger_, t);
  if (got.verdict.granted)
    return grant(request, got.verdict.ticket, t);
  turn_away(request, got.verdict, t);
  self_->delegate(options_->pool, std::move(request));
  return caf::delegated<acquire_reply>{};
}

/// Whether the key's own state allows the call; if not, the pool has been told why.
bool key_actor_state::may_begin(const acquire_request& request, const instants& t) {
  if (admit(health_, request.model, t.now).granted
      && admits(pace_, static_cast<std::uint32_t>(load_->leases.size())))
    return true;
  // The pool chose from an older picture. It gets the present one first, then the request.
  tell_standing(t);
  return false;
}

acquire_reply key_actor_state::grant(const acquire_request& request, std::uint64_t quota,
                                     const instants& t) {
  load_->leases.push_back({++last_lease_, t.now, quota, request.egress,
                           quota != 0 ? ledger_ : std::shared_ptr<shared_ledger>{}});
  count_leases();
  ++tally_.granted;
  watch_.note(request.model, t.now);
  watch();
  acquire_reply reply;
  reply.grant = grant_kind::granted;
  reply.lease = last_lease_;
  reply.key = key_;
  reply.upstream = upstream_;
  reply.secret_text = secret_;
  reply.proxy = request.proxy;
  reply.egress = request.egress;
  reply.egress_trial = request.egress_trial;
  reply.key_actor = caf::actor_cast<caf::actor>(self_);
  reply.credential_ticket = request.credential_ticket;
  reply.counted_for = request.credential_counted ? request.credential : 0;
  return reply;
}

void key_actor_state::turn_away(acquire_request& request, const quota_verdict& v,
                                const instants& t) {
  request.turned.push_back({key_, wait_word(v.free_at, t.now), v.per_day});
  ++request.turned_back;
  tell_place(t);
}

/// The pool took a place of the slow start for a request that goes back: it is free again, and no
/// end of a call will say so.
void key_actor_state::tell_place(const instants& t) {
  if (pace_.allowed != 0)
    tell_standing(t);
}

/// Asks the disk for more allowance. Without a disk everything is allowed.
void key_actor_state::write_ahead(const instants& t) {
  auto record = ledger_->begin_write(t, caf::actor_cast<caf::weak_actor_ptr>(self_));
  if (!record)
    return; // under way, by this key or another of the domain: its end serves those who wait
  if (!options_->storage) {
    ledger_->written(*record);
    tell_waiters(*ledger_);
    self_->send(self_, allowed_atom::value);
    return;
  }
  // The ledger that is written, whatever the key's domain is by the time of the answer.
  load_->writing.push_back(ledger_);
  self_
      ->request(options_->storage, caf::infinite,
                save_quota{ledger_->row(), storage::encode(*record)})
      .then(
          [this, ledger = ledger_, record = *record] {
            ledger->written(record);
            write_ended(ledger);
          },
          [this, ledger = ledger_](const caf::error&) {
            ledger->refused(self_->clock().now() + options_->disk_retry);
            tell_rooms(*ledger, now());
            write_ended(ledger);
          });
}

void key_actor_state::write_ended(const std::shared_ptr<shared_ledger>& ledger) {
  std::erase(load_->writing, ledger);
  tell_waiters(*ledger);
  take_pending();
  if (leaving_ && load_->writing.empty())
    self_->quit();
}

void key_actor_state::tell_waiters(shared_ledger& ledger) {
  for (const auto& other : ledger.take_waiters())
    if (other != self_)
      self_->send(other, allowed_atom::value);
}

void key_actor_state::take_pending() {
  const auto t = now();
  auto waiting = std::exchange(pending_, {});
  auto next = waiting.begin();
  for (; next != waiting.end(); ++next) {
    auto& [request, asker] = *next;
    if (!may_begin(request, t)) { // its health may have changed since
      give_back(request, asker, t);
      continue;
    }
    const auto got = ledger_->take(call_of(request), t);
    if (got.verdict.must_write)
      break;
    if (got.tell)
      tell_rooms(*ledger_, t); // before the request, which may go to the pool too
    if (got.verdict.granted) {
      asker.deliver(grant(request, got.verdict.ticket, t));
    } else {
      turn_away(request, got.verdict, t);
      asker.delegate(options_->pool, std::move(request));
    }
  }
  pending_.assign(std::make_move_iterator(next), std::make_move_iterator(waiting.end()));
  if (!pending_.empty())
    write_ahead(t);
}

/// A request that waited for the disk goes back to the pool.
void key_actor_state::give_back(acquire_request& request, caf::response_promise& asker,
                                const instants& t) {
  if (ledger_->seen_only(t))
    tell_rooms(*ledger_, t);
  ++request.turned_back;
  asker.delegate(options_->pool, std::move(request));
}

/// Those who wait for the disk were sent by what was left of the domain before.
void key_actor_state::take_ledger_of(take_ledger& m) {
  for (auto& [request, asker] : std::exchange(pending_, {}))
    give_back(request, asker, now());
  ledger_ = std::move(m.ledger);
  tell_place(now());
}

/// After a crash nobody else would answer those who wait for the disk.
key_actor_state::~key_actor_state() {
  for (auto& [request, asker] : pending_) {
    ++request.turned_back;
    asker.delegate(options_->pool, std::move(request));
  }
}

/// The key was removed: nobody will ask any more. Whoever was sent here before has been answered
/// or is given back; what is out settles with nobody, so it is taken to have used what was
/// reserved. The last words are saved; if the key is deleted, they are erased after them.
void key_actor_state::leave() {
  const auto t = now();
  leaving_ = true;
  for (auto& [request, asker] : std::exchange(pending_, {}))
    give_back(request, asker, t);
  for (const auto& l : std::exchange(load_->leases, {}))
    end_quota(l, {}, t);
  if (std::exchange(unsaved_, false))
    save(false, t);
  if (load_->writing.empty())
    self_->quit();
}

void key_actor_state::tell_rooms(shared_ledger& ledger, const instants& t, bool call_ended) {
  auto r = ledger.report_now(t);
  self_->send(options_->pool, room_report{key_, ledger.id(), r.number, r.seen,
                                          to_words(r.rooms, t.now), call_ended});
}

void key_actor_state::end_quota(const key_lease& l, const settlement& s, const instants& t) {
  if (!l.ledger)
    return;
  const quota_end how{.sent = !s.unsent,
                      .reported = s.reported,
                      .input_tokens = s.prompt_tokens,
                      .output_tokens = s.output_tokens};
  if (l.ledger->end(l.quota, how, t))
    tell_rooms(*l.ledger, t, true);
}

void key_actor_state::leave_late(std::uint64_t id) {
  const auto at = std::ranges::lower_bound(load_->leases, id, {}, &key_lease::id);
  if (at != load_->leases.end() && at->id == id && at->ledger)
    at->ledger->sent_late(at->quota, now());
}

/// Limits that an answer tells or betrays.
void key_actor_state::learn(const settlement& s, const instants& t) {
  if (!policy()->learn_limits)
    return;
  bool learnt = false;
  for (const auto& told : s.told)
    learnt = ledger_->learn({.model = told.model.empty() ? s.model : told.model,
                             .kind = told.kind,
                             .amount = told.amount},
                            limit_source::told, t)
             || learnt;
  const bool throttled =
      s.what == gemini::answer_class::quota_minute || s.what == gemini::answer_class::quota_unknown;
  if (throttled && s.told.empty())
    // The call that was refused is among them.
    if (const auto pace = watch_.in_last_minute(s.model, t.now); pace > estimate_min)
      ledger_->learn({.model = s.model, .kind = limit_kind::rpm, .amount = pace - 1},
                     limit_source::estimated, t);
  if (!learnt)
    return;
  tell_rooms(*ledger_, t);
  write_ahead(t);
}

} // namespace troupe
