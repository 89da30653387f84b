#include "actors/core/quota.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

constexpr duration window = std::chrono::minutes{1};

/// No estimate and no report is believed beyond it, so that sums stay far from their end.
constexpr std::uint64_t tokens_max = 1'000'000'000'000;

/// The ticket of calls that nothing counts: no place has the number 0.
constexpr std::uint64_t uncounted = std::uint64_t{1} << 32;

quota_tokens bounded(std::uint64_t input, std::uint64_t output) {
  return {std::min(input, tokens_max), std::min(output, tokens_max)};
}

void count_on(counted_call& c, const day_pair& days) {
  c.day[0] = {days.first, true, false};
  c.day[1] = {days.second, true, false};
  c.days = days.first == days.second ? 1 : 2;
}

} // namespace

quota_ledger::quota_ledger(quota_policy policy) : policy_(std::move(policy)) {}

duration quota_ledger::span() const {
  return window + policy_.margin;
}

quota_moment quota_ledger::moment(const instants& t) {
  if (t.wall < days_from_ || t.wall >= days_until_) {
    const auto days = days_of(policy_.days, t.wall, policy_.margin);
    days_from_ = t.wall;
    // One midnight is enough to know when it changes next, unless it is about to.
    const auto margin = std::chrono::ceil<std::chrono::milliseconds>(policy_.margin);
    days_until_ = days.first == days.second ? days.first - margin : days.first + margin;
    if (std::exchange(days_, days) != days || replaced_days_)
      enter_days(days, t);
  }
  return {t, days_, policy_.margin, &policy_.days};
}

quota_moment quota_ledger::ready(const instants& t) {
  const auto m = moment(t);
  if (t.wall >= forget_at_)
    forget(m);
  if (unknown_ && enforced_ != 0) {
    unknown_->charge_to(scopes_);
    unknown_.reset();
  }
  return m;
}

void quota_ledger::enter_days(const day_pair& days, const instants& t) {
  if (replaced_days_)
    count_days_anew(days);
  for (auto& c : open_calls_)
    if (c.open) {
      carry(c, days.first, t);
      carry(c, days.second, t);
    }
}

/// A call in flight when a day begins: what it produces counts there too, and so does the call
/// itself while it may still have to leave.
void quota_ledger::carry(open_call& c, wall_time end, const instants& t) {
  auto& counted = c.counted;
  if (std::ranges::any_of(counted.counted(), [end](const auto& d) { return d.end == end; }))
    return;
  if (counted.days == std::size(counted.day)) {
    counted.day[0] = counted.day[1]; // what it was counted for on the earliest day stays there
    --counted.days;
  }
  auto& added = counted.day[counted.days++];
  added = {end, t.now - counted.at < span(), true};
  for (std::uint32_t i = 0; i < c.scope_count; ++i)
    scopes_[c.scopes[i]].count_day(counted, added);
}

/// After a change of the day clock: what was used today was used today, whenever today ends.
void quota_ledger::count_days_anew(const day_pair& days) {
  const auto was = replaced_days_->second;
  for (auto& s : scopes_)
    s.days().rename(was, days.second);
  for (auto& c : open_calls_)
    for (auto& d : c.counted.day)
      if (d.end == was)
        d.end = days.second;
  replaced_days_.reset();
}

quota_verdict quota_ledger::admit(const quota_call& call, const instants& t) {
  if (enforced_ == 0)
    return {.granted = true, .ticket = uncounted};
  const auto m = ready(t);
  open_call c;
  c.counted.at = t.now;
  c.counted.reserved = bounded(call.input_tokens, call.output_tokens);
  quota_wait latest{.at = t.now};
  bool needs_calls = false;
  bool needs_tokens = false;
  for (std::uint32_t i = 0; i < scopes_.size() && c.scope_count < scopes_of_a_call; ++i) {
    auto& s = scopes_[i];
    if (!(s.model().empty() || s.model() == call.model) || !s.enforced())
      continue;
    c.scopes[c.scope_count++] = i;
    if (const auto wait = s.fits_at(c.counted.reserved, m); wait.at > latest.at)
      latest = wait;
    needs_calls = needs_calls || s.counts_calls();
    needs_tokens = needs_tokens || s.counts_tokens();
  }
  if (c.scope_count == 0)
    return {.granted = true, .ticket = uncounted};
  const auto tokens = c.counted.reserved.input + c.counted.reserved.output;
  if (needs_tokens)
    usual_tokens_ = std::max(tokens, usual_tokens_ - usual_tokens_ / 16);
  if (latest.at > t.now)
    return {.free_at = latest.at, .per_day = latest.per_day, .why = latest.why};
  if ((needs_calls && calls_ >= calls_ceiling_)
      || (needs_tokens && tokens_ + tokens > tokens_ceiling_))
    return {.must_write = true, .free_at = t.now};

  ++calls_;
  tokens_ += tokens;
  count_on(c.counted, m.days);
  for (std::uint32_t i = 0; i < c.scope_count; ++i)
    scopes_[c.scopes[i]].begin(c.counted);
  return {.granted = true, .ticket = open(c)};
}

std::uint64_t quota_ledger::open(const open_call& c) {
  // Tickets of an earlier ledger may still come back: begin somewhere else each time.
  if (generation_ == 0)
    generation_ = static_cast<std::uint32_t>(c.counted.at.time_since_epoch().count() / 1'000);
  std::uint32_t place = 0;
  if (free_places_.empty()) {
    place = static_cast<std::uint32_t>(open_calls_.size());
    open_calls_.push_back(c);
  } else {
    place = free_places_.back();
    free_places_.pop_back();
    open_calls_[place] = c;
  }
  open_calls_[place].open = true;
  open_calls_[place].generation = ++generation_;
  return std::uint64_t{generation_} << 32 | (place + 1);
}

quota_ledger::open_call* quota_ledger::find(std::uint64_t ticket) {
  const auto place = (ticket & 0xFFFF'FFFF) - 1;
  if (place >= open_calls_.size())
    return nullptr;
  auto& c = open_calls_[place];
  return c.open && c.generation == ticket >> 32 ? &c : nullptr;
}

void quota_ledger::sent_late(std::uint64_t ticket, const instants& t) {
  auto* c = find(ticket);
  if (!c)
    return;
  const auto m = moment(t);
  auto moved = c->counted;
  moved.at = std::max(t.now, moved.at);
  count_on(moved, m.days);
  for (std::uint32_t i = 0; i < c->scope_count; ++i)
    scopes_[c->scopes[i]].move(c->counted, moved);
  c->counted = moved;
}

void quota_ledger::end(std::uint64_t ticket, const quota_end& how, const instants& t) {
  auto* c = find(ticket);
  if (!c)
    return;
  moment(t);
  const auto& reserved = c->counted.reserved;
  const auto used = how.reported ? bounded(how.input_tokens, how.output_tokens) : reserved;
  for (std::uint32_t i = 0; i < c->scope_count; ++i) {
    auto& s = scopes_[c->scopes[i]];
    if (how.sent)
      s.end(c->counted, used, t.now);
    else
      s.end_unsent(c->counted);
  }
  if (how.sent) // what was used beyond the reservation is not free on disk either
    tokens_ += std::max(used.input, reserved.input) - reserved.input
               + std::max(used.output, reserved.output) - reserved.output;
  c->open = false;
  free_places_.push_back(static_cast<std::uint32_t>(c - open_calls_.data()));
}

std::size_t quota_ledger::in_flight() const {
  return open_calls_.size() - free_places_.size();
}

} // namespace troupe
