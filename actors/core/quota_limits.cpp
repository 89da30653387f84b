#include "actors/core/quota.hpp"

#include <algorithm>
#include <limits>
#include <utility>

// Which limits there are.

namespace troupe {

namespace {

constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t calls_block_max = 64;
constexpr std::uint64_t block_share = 8; ///< of the smallest limit

} // namespace

void quota_ledger::change_policy(quota_policy policy) {
  if (policy.days != policy_.days && days_ != day_pair{})
    replaced_days_ = days_;
  policy_ = std::move(policy);
  days_until_ = days_from_; // look again
  for (auto& s : scopes_)
    s.change_span(span());
  forget_at_ = wall_time::min();
}

quota_scope& quota_ledger::scope_of(std::string_view model, const quota_moment& m) {
  const auto known = std::ranges::find(scopes_, model, &quota_scope::model);
  if (known != scopes_.end())
    return *known;
  quota_scope fresh(std::string{model}, span());
  const auto unused =
      std::ranges::find_if(scopes_, [&m](quota_scope& s) { return s.forgettable(m); });
  if (unused != scopes_.end())
    return *unused = std::move(fresh);
  return scopes_.emplace_back(std::move(fresh));
}

void quota_ledger::declare(std::vector<limit> limits, const instants& t) {
  const auto m = moment(t);
  for (auto& s : scopes_)
    std::erase_if(s.limits(),
                  [](const scope_limit& l) { return l.source == limit_source::declared; });
  for (const auto& l : limits) {
    auto& s = scope_of(l.model, m);
    const scope_limit declared{l.kind, limit_source::declared, l.amount, {}};
    auto* known = s.limit_of(l.kind);
    if (!known)
      s.limits().push_back(declared);
    else if (known->source != limit_source::declared || known->amount > l.amount)
      *known = declared;
  }
  recount(m);
}

bool quota_ledger::learn(const limit& what, limit_source source, const instants& t) {
  if (what.amount == 0 || source == limit_source::declared)
    return false;
  const auto m = moment(t);
  if (t.wall >= forget_at_)
    forget(m);
  const scope_limit fresh{what.kind, source, what.amount, t.wall};
  const auto known_scope = std::ranges::find(scopes_, what.model, &quota_scope::model);
  if (auto* known = known_scope == scopes_.end() ? nullptr : known_scope->limit_of(what.kind)) {
    if (known->source == limit_source::declared)
      return false;
    if (known->source == limit_source::told && source == limit_source::estimated)
      return false;
    const bool same = known->source == source && known->amount == what.amount;
    if (source == limit_source::estimated && known->amount >= what.amount)
      return false;
    *known = fresh;
    recount(m);
    return !same;
  }
  if (policy_.told_max == 0)
    return false;
  while (learnt() >= policy_.told_max)
    drop_oldest_learnt();
  scope_of(what.model, m).limits().push_back(fresh);
  recount(m);
  return true;
}

std::size_t quota_ledger::learnt() const {
  std::size_t count = 0;
  for (const auto& s : scopes_)
    count += static_cast<std::size_t>(std::ranges::count_if(
        s.limits(), [](const scope_limit& l) { return l.source != limit_source::declared; }));
  return count;
}

void quota_ledger::drop_oldest_learnt() {
  quota_scope* where = nullptr;
  std::size_t oldest = 0;
  for (auto& s : scopes_)
    for (std::size_t i = 0; i < s.limits().size(); ++i) {
      const auto& l = s.limits()[i];
      if (l.source != limit_source::declared
          && (!where || l.learnt_at < where->limits()[oldest].learnt_at)) {
        where = &s;
        oldest = i;
      }
    }
  if (where)
    where->limits().erase(where->limits().begin() + static_cast<std::ptrdiff_t>(oldest));
}

void quota_ledger::forget(const quota_moment& m) {
  for (auto& s : scopes_)
    std::erase_if(s.limits(), [&](const scope_limit& l) {
      return l.source != limit_source::declared && l.learnt_at + policy_.told_ttl <= m.t.wall;
    });
  recount(m);
}

/// Everything that follows from the limits there are.
void quota_ledger::recount(const quota_moment& m) {
  while (!scopes_.empty() && scopes_.back().forgettable(m))
    scopes_.pop_back();
  enforced_ = 0;
  tokens_limit_min_ = none;
  forget_at_ = wall_time::max();
  auto calls_limit_min = none;
  for (const auto& s : scopes_)
    for (const auto& l : s.limits()) {
      if (l.source != limit_source::declared)
        forget_at_ =
            std::min(forget_at_,
                     l.learnt_at + std::chrono::ceil<std::chrono::milliseconds>(policy_.told_ttl));
      if (!l.enforced())
        continue;
      ++enforced_;
      if (is_of_calls(l.kind))
        calls_limit_min = std::min({calls_limit_min, l.amount, none - 1});
      else if (is_of_tokens(l.kind))
        tokens_limit_min_ = std::min({tokens_limit_min_, l.amount, none - 1});
    }
  calls_block_ = calls_limit_min == none
                     ? 0
                     : std::clamp<std::uint64_t>(calls_limit_min / block_share, 1, calls_block_max);
}

/// Enough for two large calls, so that one of them is allowed while the next record is written.
std::uint64_t quota_ledger::tokens_block() const {
  if (tokens_limit_min_ == none)
    return 0;
  return std::max({tokens_limit_min_ / block_share, 2 * usual_tokens_, std::uint64_t{1}});
}

bool quota_ledger::unlimited() const {
  return enforced_ == 0;
}

bool quota_ledger::should_write() const {
  return (calls_block_ != 0 && calls_ + calls_block_ / 2 >= calls_ceiling_)
         || (tokens_block() != 0 && tokens_ + tokens_block() / 2 >= tokens_ceiling_);
}

} // namespace troupe
