#include "actors/core/quota.hpp"

#include <algorithm>
#include <array>

// What is written, and what a restart makes of it.

namespace troupe {

namespace {

using milliseconds = std::chrono::milliseconds;

constexpr std::array kept_logs{limit_kind::rpm, limit_kind::tpm, limit_kind::input_tpm,
                               limit_kind::output_tpm};
constexpr std::size_t exact_entries_max = 120;
constexpr std::int64_t coarse_ms = 1'000;

/// Sums stay far from their end, whatever was read.
constexpr std::uint64_t amount_max = 1'000'000'000'000;
constexpr std::uint64_t counter_max = std::uint64_t{1} << 62;

/// Days further away than this are not believed.
constexpr auto days_kept = std::chrono::days{8};

void append(std::vector<quota_record::entry>& entries, std::int64_t at_ms, std::uint64_t amount) {
  if (!entries.empty() && entries.back().at_ms == at_ms)
    entries.back().amount += amount;
  else
    entries.push_back({at_ms, amount});
}

std::vector<quota_record::entry> entries_of(quota_log& log, const instants& t) {
  log.used(t.now);
  const bool coarse = log.entries().size() > exact_entries_max;
  std::vector<quota_record::entry> entries;
  for (const auto& e : log.entries()) {
    if (e.amount == 0)
      continue;
    auto at_ms = (t.wall - std::chrono::floor<milliseconds>(t.now - e.latest)).time_since_epoch();
    if (coarse)
      at_ms = std::chrono::ceil<std::chrono::seconds>(at_ms);
    append(entries, at_ms.count(), e.amount);
  }
  return entries;
}

void write_scope(std::vector<quota_record::window>& out, quota_scope& s, const instants& t) {
  const bool tokens = s.counts_tokens();
  for (const auto kind : kept_logs)
    if (tokens || is_of_calls(kind))
      if (auto entries = entries_of(s.log(kind), t); !entries.empty())
        out.push_back({s.model(), kind, std::move(entries)});
  std::vector<quota_record::entry> calls;
  std::vector<quota_record::entry> day_tokens;
  for (const auto& d : s.days().days()) {
    if (d.calls != 0)
      calls.push_back({d.end.time_since_epoch().count(), d.calls});
    if (d.tokens != 0 && tokens)
      day_tokens.push_back({d.end.time_since_epoch().count(), d.tokens});
  }
  if (!calls.empty())
    out.push_back({s.model(), limit_kind::rpd, std::move(calls)});
  if (!day_tokens.empty())
    out.push_back({s.model(), limit_kind::tpd, std::move(day_tokens)});
}

} // namespace

void quota_ledger::unknown::charge_to(std::vector<quota_scope>& scopes) const {
  for (auto& s : scopes)
    if (s.enforced())
      s.charge(calls, tokens, at, days);
}

quota_record quota_ledger::record(const instants& t, bool last) const {
  quota_record r;
  r.written_at_ms = t.wall.time_since_epoch().count();
  r.calls = calls_;
  r.tokens = tokens_;
  r.calls_ceiling = last ? calls_ : std::max(calls_ceiling_, calls_ + calls_block_);
  r.tokens_ceiling = last ? tokens_ : std::max(tokens_ceiling_, tokens_ + tokens_block());

  auto kept = scopes_;
  if (unknown_ && enforced_ != 0) {
    unknown_->charge_to(kept);
  } else if (unknown_) { // there is nothing yet to charge it to: it stays unknown
    r.calls -= unknown_->calls;
    r.tokens -= unknown_->tokens;
  }
  for (const auto& c : open_calls_) {
    if (!c.open)
      continue;
    const bool young = t.now - c.counted.at < span();
    const auto& reserved = c.counted.reserved;
    r.calls -= young ? 1 : 0;
    r.tokens -= reserved.output + (young ? reserved.input : 0);
    for (std::uint32_t i = 0; i < c.scope_count; ++i)
      if (young)
        kept[c.scopes[i]].end_unsent(c.counted);
      else
        kept[c.scopes[i]].end_unknown(c.counted);
  }
  for (auto& s : kept) {
    write_scope(r.windows, s, t);
    for (const auto& l : s.limits())
      if (l.source != limit_source::declared)
        r.learnt.push_back(
            {{s.model(), l.kind, l.amount}, l.source, l.learnt_at.time_since_epoch().count()});
  }
  return r;
}

void quota_ledger::allow(const quota_record& r) {
  calls_ceiling_ = r.calls_ceiling;
  tokens_ceiling_ = r.tokens_ceiling;
}

void quota_ledger::restore(const quota_record& r, const instants& t) {
  const auto m = moment(t);
  for (const auto& w : r.windows)
    restore_window(w, m);
  restore_learnt(r, m);

  calls_ = calls_ceiling_ = std::min(std::max(r.calls, r.calls_ceiling), counter_max);
  tokens_ = tokens_ceiling_ = std::min(std::max(r.tokens, r.tokens_ceiling), counter_max);
  unknown lost{
      calls_ - std::min(r.calls, calls_), tokens_ - std::min(r.tokens, tokens_), t.now, {}};
  const wall_time written{milliseconds{r.written_at_ms}};
  for (const auto wall : {std::clamp(written, t.wall - days_kept, t.wall + days_kept), t.wall}) {
    const auto days = days_of(policy_.days, wall, policy_.margin);
    for (const auto end : {days.first, days.second})
      if (std::ranges::find(lost.days, end) == lost.days.end())
        lost.days.push_back(end);
  }
  unknown_ = std::move(lost);
  recount(m);
}

void quota_ledger::restore_window(const quota_record::window& w, const quota_moment& m) {
  auto& s = scope_of(w.model, m);
  const auto wall_ms = m.t.wall.time_since_epoch().count();
  const auto span_ms = std::chrono::ceil<milliseconds>(span()).count();
  for (const auto& e : w.entries) {
    const auto amount = std::min(e.amount, amount_max);
    if (is_daily(w.kind)) {
      wall_time end{milliseconds{e.at_ms}};
      if (end < m.t.wall - days_kept || end > m.t.wall + days_kept)
        continue;
      // The end of a day by another clock: what was used then was used today.
      if (policy_.days.next_midnight(end - milliseconds{1}) != end && end > m.t.wall)
        end = m.days.second;
      const bool of_calls = w.kind == limit_kind::rpd;
      s.days().add(end, of_calls ? amount : 0, of_calls ? 0 : amount);
    } else if (w.kind != limit_kind::concurrency && e.at_ms > wall_ms - span_ms - 1) {
      // Both clocks were read to the millisecond: the careful side is one later.
      const auto ago = std::max<std::int64_t>(wall_ms - 1 - std::min(e.at_ms, wall_ms), 0);
      s.log(w.kind).add(m.t.now - milliseconds{ago}, amount);
    }
  }
}

void quota_ledger::restore_learnt(const quota_record& r, const quota_moment& m) {
  for (const auto& told : r.learnt) {
    if (told.source == limit_source::declared || told.what.amount == 0)
      continue;
    auto& s = scope_of(told.what.model, m);
    const auto wall_ms = m.t.wall.time_since_epoch().count();
    if (!s.limit_of(told.what.kind))
      s.limits().push_back(
          {told.what.kind, told.source, told.what.amount,
           wall_time{milliseconds{std::clamp<std::int64_t>(told.at_ms, 0, wall_ms)}}});
  }
  while (learnt() > policy_.told_max)
    drop_oldest_learnt();
  forget(m);
}

} // namespace troupe
