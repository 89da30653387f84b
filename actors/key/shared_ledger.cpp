#include "actors/key/shared_ledger.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

quota_ledger& shared_ledger::ledger() {
  if (!ledger_)
    ledger_ = std::make_unique<quota_ledger>(policy_);
  return *ledger_;
}

void shared_ledger::declare(const std::vector<limit>& limits, const instants& t) {
  const std::lock_guard lock(access_);
  if (limits.empty() && !ledger_)
    return;
  ledger().declare(limits, t);
  active_.store(!ledger_->unlimited(), std::memory_order_release);
}

bool shared_ledger::learn(const limit& what, limit_source source, const instants& t) {
  const std::lock_guard lock(access_);
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
  ledger().restore(r, t);
  active_.store(!ledger_->unlimited(), std::memory_order_release);
}

shared_ledger::taken shared_ledger::take(const quota_call& call, const instants& t) {
  const std::lock_guard lock(access_);
  ++seen_;
  return take_locked(call, t);
}

shared_ledger::taken shared_ledger::take_again(const quota_call& call, const instants& t) {
  const std::lock_guard lock(access_);
  return take_locked(call, t);
}

shared_ledger::taken shared_ledger::take_locked(const quota_call& call, const instants& t) {
  taken got;
  got.verdict = ledger().admit(call, t);
  for (auto& r : told_)
    if (r.room != 0 && (r.model.empty() || r.model == call.model))
      got.tell = --r.room == 0 || got.tell;
  got.tell = got.tell || !got.verdict.granted;
  if (got.verdict.must_write && t.now < refused_until_) {
    got.verdict.must_write = false;
    got.verdict.free_at = refused_until_;
  }
  got.write = !writing_ && t.now >= refused_until_ && ledger_->should_write();
  return got;
}

void shared_ledger::seen_only() {
  const std::lock_guard lock(access_);
  ++seen_;
}

bool shared_ledger::end(std::uint64_t ticket, const quota_end& how, const instants& t) {
  const std::lock_guard lock(access_);
  if (!ledger_)
    return false;
  ledger_->end(ticket, how, t);
  return std::ranges::any_of(told_, [](const quota_room& r) { return r.room == 0; });
}

void shared_ledger::forget_calls(const instants& t) {
  const std::lock_guard lock(access_);
  if (!ledger_)
    return;
  auto declared = std::vector<limit>{};
  for (const auto& u : ledger_->uses(t))
    if (u.limit.source == limit_source::declared)
      declared.push_back(u.limit.what);
  const auto kept = ledger_->record(t, true);
  ledger_ = std::make_unique<quota_ledger>(policy_);
  ledger_->restore(kept, t);
  ledger_->declare(std::move(declared), t);
}

void shared_ledger::sent_late(std::uint64_t ticket, const instants& t) {
  const std::lock_guard lock(access_);
  if (ledger_)
    ledger_->sent_late(ticket, t);
}

shared_ledger::report shared_ledger::report_now(const instants& t) {
  const std::lock_guard lock(access_);
  report r;
  r.seen = seen_;
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

std::optional<quota_record> shared_ledger::begin_write(const instants& t) {
  const std::lock_guard lock(access_);
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
