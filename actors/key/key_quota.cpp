#include "actors/key/key_actor.hpp"
#include "actors/key/quota_words.hpp"
#include "storage/core/quota_item.hpp"

#include <caf/actor_clock.hpp>

#include <algorithm>
#include <utility>

// The limits of a key: what its actor asks of the ledger of its quota domain, and what it tells
// pool and disk about it.

namespace troupe {
namespace {

/// Requests that wait for the disk at one key; more are turned away for a moment.
constexpr std::size_t pending_max = 1'024;
/// Fewer calls in a minute say nothing about a limit.
constexpr std::uint64_t estimate_min = 2;

quota_call call_of(const acquire_request& r) {
  return {.model = r.model, .input_tokens = r.input_tokens, .output_tokens = r.output_tokens};
}

} // namespace

caf::result<acquire_reply> key_actor_state::acquire(acquire_request& request) {
  const auto t = now();
  if (!may_begin(request, t)) {
    ++request.turned_back;
    self_->delegate(options_->pool, std::move(request));
    return caf::delegated<acquire_reply>{};
  }
  if (!ledger_->active())
    return grant(request, 0, t);
  const auto got = ledger_->take(call_of(request), t);
  if (got.write)
    write_ahead(t);
  if (got.verdict.granted) {
    if (got.tell)
      tell_rooms(t);
    return grant(request, got.verdict.ticket, t);
  }
  if (got.verdict.must_write && pending_.size() < pending_max) {
    auto asker = self_->make_response_promise();
    pending_.push_back({std::move(request), asker});
    write_ahead(t);
    return asker;
  }
  tell_rooms(t);
  turn_away(request, key_, got.verdict, t.now);
  self_->delegate(options_->pool, std::move(request));
  return caf::delegated<acquire_reply>{};
}

/// Whether the key's own state allows the call; if not, the pool has been told why.
bool key_actor_state::may_begin(acquire_request& request, const instants& t) {
  if (!admit(health_, request.model, t.now).granted) {
    // The pool chose from an older picture. It gets the present one first, then the request.
    if (ledger_->active())
      ledger_->seen_only();
    tell_standing(t);
    return false;
  }
  if (admits(pace_, static_cast<std::uint32_t>(leases_.size())))
    return true;
  if (ledger_->active())
    ledger_->seen_only();
  // The pool does not know of the slow start: this request is told to look elsewhere.
  request.turned.push_back({key_, -1, false});
  return false;
}

acquire_reply key_actor_state::grant(const acquire_request& request, std::uint64_t quota,
                                     const instants& t) {
  leases_.push_back({++last_lease_, t.now, quota, request.egress,
                     quota != 0 ? ledger_ : std::shared_ptr<shared_ledger>{}});
  load_->in_flight.store(static_cast<std::uint32_t>(leases_.size()), std::memory_order_relaxed);
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
  return reply;
}

void key_actor_state::turn_away(acquire_request& request, std::uint64_t key, const quota_verdict& v,
                                time_point now) {
  request.turned.push_back({key, wait_word(v.free_at, now), v.per_day});
  ++request.turned_back;
}

/// Asks the disk for more allowance. Without a disk everything is allowed.
void key_actor_state::write_ahead(const instants& t) {
  auto record = ledger_->begin_write(t);
  if (!record)
    return; // under way: its end serves those who wait
  if (!options_->storage) {
    ledger_->written(*record);
    self_->send(self_, allowed_atom::value);
    return;
  }
  const auto ledger = ledger_;
  self_
      ->request(options_->storage, caf::infinite,
                save_quota{ledger->row(), storage::encode(*record)})
      .then(
          [this, ledger, record = *record] {
            ledger->written(record);
            take_pending();
          },
          [this, ledger](const caf::error&) {
            ledger->refused(self_->clock().now() + options_->disk_retry);
            tell_rooms(now());
            take_pending();
          });
}

void key_actor_state::take_pending() {
  const auto t = now();
  bool tell = false;
  auto waiting = std::exchange(pending_, {});
  while (!waiting.empty()) {
    auto& [request, asker] = waiting.front();
    const auto got = ledger_->take_again(call_of(request), t);
    tell = tell || got.tell;
    if (got.verdict.granted) {
      asker.deliver(grant(request, got.verdict.ticket, t));
    } else if (got.verdict.must_write) {
      break;
    } else {
      if (std::exchange(tell, false))
        tell_rooms(t);
      turn_away(request, key_, got.verdict, t.now);
      asker.delegate(options_->pool, std::move(request));
    }
    waiting.pop_front();
  }
  pending_ = std::move(waiting);
  if (tell)
    tell_rooms(t);
  if (!pending_.empty())
    write_ahead(t);
}

void key_actor_state::tell_rooms(const instants& t) {
  auto r = ledger_->report_now(t);
  self_->send(options_->pool, room_report{key_, r.seen, to_words(r.rooms, t.now)});
}

void key_actor_state::end_quota(const lease& l, const settlement& s, const instants& t) {
  if (!l.ledger)
    return;
  const quota_end how{.sent = !s.unsent,
                      .reported = s.reported,
                      .input_tokens = s.prompt_tokens,
                      .output_tokens = s.output_tokens};
  if (l.ledger->end(l.quota, how, t) && l.ledger == ledger_)
    tell_rooms(t);
}

void key_actor_state::leave_late(std::uint64_t id) {
  const auto at = std::ranges::lower_bound(leases_, id, {}, &lease::id);
  if (at != leases_.end() && at->id == id && at->ledger)
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
  tell_rooms(t);
  write_ahead(t);
}

} // namespace troupe
