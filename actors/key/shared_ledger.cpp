#include "actors/key/shared_ledger.hpp"

#include <caf/actor_cast.hpp>

#include <algorithm>
#include <utility>

namespace troupe {

quota_ledger& shared_ledger::ledger() {
  if (!ledger_)
    ledger_ = std::make_unique<quota_ledger>(policy_);
  return *ledger_;
}

void shared_ledger::note_kind(limit_kind kind) const {
  if (gauges_ && counts_tokens(kind))
    gauges_->tokens_counted.store(true, std::memory_order_relaxed);
}

void shared_ledger::declare(const std::vector<limit>& limits, const instants& t) {
  const std::lock_guard lock(access_);
  if (limits.empty() && !ledger_)
    return;
  for (const auto& l : limits)
    note_kind(l.kind);
  ledger().declare(limits, t);
  active_.store(!ledger_->unlimited(), std::memory_order_release);
}

bool shared_ledger::learn(const limit& what, limit_source source, const instants& t) {
  const std::lock_guard lock(access_);
  if (source == limit_source::told)
    note_kind(what.kind);
  const bool learnt = ledger().learn(what, source, t);
  active_.store(!ledger_->unlimited(), std::memory_order_release);
  return learnt;
}

void shared_ledger::change_policy(const quota_policy& policy) {
  const std::lock_guard lock(access_);
  policy_ = policy;
  if (ledger_)
    ledger_->change_policy(policy);
}

void shared_ledger::restore(const quota_record& r, const instants& t) {
  const std::lock_guard lock(access_);
  for (const auto& l : r.learnt)
    note_kind(l.what.kind);
  ledger().restore(r, t);
  active_.store(!ledger_->unlimited(), std::memory_order_release);
}

shared_ledger::taken shared_ledger::take(const quota_call& call, const instants& t) {
  const std::lock_guard lock(access_);
  taken got;
  got.verdict = ledger().admit(call, t);
  if (got.verdict.must_write && t.now < refused_until_) {
    got.verdict.must_write = false;
    got.verdict.free_at = refused_until_;
  }
  if (!got.verdict.must_write) {
    seen_.fetch_add(1, std::memory_order_relaxed);
    got.tell = count_down(t.now) || !got.verdict.granted;
    if (!got.verdict.granted && got.verdict.free_at == quota_room::never)
      end_awaited_ = true;
  }
  got.write = !writing_ && t.now >= refused_until_ && ledger_->should_write();
  return got;
}

bool shared_ledger::seen_only(const instants& t) {
  if (!active()) {
    seen_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  const std::lock_guard lock(access_);
  seen_.fetch_add(1, std::memory_order_relaxed);
  return count_down(t.now);
}

/// One more request was seen. Of a room of one model the pool subtracts requests of all models
/// that are on their way, so all are counted here: by the time that the pool believes a room to
/// be used up, it is told how much there really is.
bool shared_ledger::count_down(time_point now) {
  bool used_up = false;
  for (auto& r : told_) {
    if (r.room == 0 && r.free_at <= now)
      r.room = r.room_then; // as the pool does
    if (r.room != 0)
      used_up = --r.room == 0 || used_up;
  }
  return used_up;
}

bool shared_ledger::end(std::uint64_t ticket, const quota_end& how, const instants& t) {
  const std::lock_guard lock(access_);
  if (!ledger_)
    return false;
  ledger_->end(ticket, how, t);
  if (std::exchange(end_awaited_, false))
    return true;
  return std::ranges::any_of(told_, [](const quota_room& r) { return r.room == 0; });
}

void shared_ledger::sent_late(std::uint64_t ticket, const instants& t) {
  const std::lock_guard lock(access_);
  if (ledger_)
    ledger_->sent_late(ticket, t);
}

shared_ledger::report shared_ledger::report_now(const instants& t) {
  const std::lock_guard lock(access_);
  report r;
  r.number = ++reports_;
  r.seen = seen_.load(std::memory_order_relaxed);
  if (ledger_)
    r.rooms = ledger_->rooms(t);
  // What the disk does not allow is no room, whatever the limits say.
  if (t.now < refused_until_)
    r.rooms.push_back({.model = {},
                       .room = 0,
                       .capacity = 1,
                       .free_at = refused_until_,
                       .room_then = 1,
                       .per_day = false});
  told_ = r.rooms;
  return r;
}

bool shared_ledger::is_news(std::uint64_t number) {
  const std::lock_guard lock(access_);
  if (number <= known_)
    return false;
  known_ = number;
  return true;
}

std::optional<quota_record> shared_ledger::begin_write(const instants& t,
                                                       const caf::weak_actor_ptr& waiter) {
  const std::lock_guard lock(access_);
  if (writing_ && waiter && std::ranges::find(waiters_, waiter) == waiters_.end())
    waiters_.push_back(waiter);
  if (writing_ || !ledger_)
    return std::nullopt;
  writing_ = true;
  return ledger_->record(t);
}

void shared_ledger::written(const quota_record& r) {
  const std::lock_guard lock(access_);
  writing_ = false;
  refused_until_ = {};
  ledger().allow(r);
}

void shared_ledger::refused(time_point until) {
  const std::lock_guard lock(access_);
  writing_ = false;
  refused_until_ = until;
}

void shared_ledger::write_lost() {
  const std::lock_guard lock(access_);
  writing_ = false;
}

std::vector<caf::actor> shared_ledger::take_waiters() {
  const std::lock_guard lock(access_);
  std::vector<caf::actor> alive;
  for (const auto& w : std::exchange(waiters_, {}))
    if (const auto one = caf::actor_cast<caf::strong_actor_ptr>(w))
      alive.push_back(caf::actor_cast<caf::actor>(one));
  return alive;
}

std::optional<quota_record> shared_ledger::last_record(const instants& t) {
  const std::lock_guard lock(access_);
  if (!ledger_)
    return std::nullopt;
  return ledger_->record(t, true);
}

std::vector<quota_use> shared_ledger::uses(const instants& t) {
  const std::lock_guard lock(access_);
  return ledger_ ? ledger_->uses(t) : std::vector<quota_use>{};
}

} // namespace troupe
