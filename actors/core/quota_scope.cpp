#include "actors/core/quota_scope.hpp"

#include "protocol/base/result.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

quota_scope::quota_scope(std::string model, duration span)
    : model_(std::move(model)), calls_(span), input_(span), output_(span), tokens_(span) {}

scope_limit* quota_scope::limit_of(limit_kind kind) {
  const auto found = std::ranges::find(limits_, kind, &scope_limit::kind);
  return found == limits_.end() ? nullptr : &*found;
}

bool quota_scope::enforced() const {
  return std::ranges::any_of(limits_, &scope_limit::enforced);
}

bool quota_scope::counts_calls() const {
  return std::ranges::any_of(
      limits_, [](const scope_limit& l) { return l.enforced() && is_of_calls(l.kind); });
}

bool quota_scope::counts_tokens() const {
  return std::ranges::any_of(
      limits_, [](const scope_limit& l) { return l.enforced() && is_of_tokens(l.kind); });
}

bool quota_scope::forgettable(const quota_moment& m) {
  const auto now = m.t.now;
  return limits_.empty() && in_flight_ == 0 && calls_.used(now) == 0 && input_.used(now) == 0
         && output_.used(now) == 0 && tokens_.used(now) == 0
         && std::ranges::all_of(days_.days(), [&](const quota_days::day& d) {
              return (d.calls == 0 && d.tokens == 0) || d.end + m.margin <= m.t.wall;
            });
}

void quota_scope::begin(const counted_call& c) {
  const auto towards = [](std::uint64_t old, std::uint64_t now) {
    return old == 0 ? now : old - old / 8 + now / 8;
  };
  calls_.add(c.at, 1);
  input_.add(c.at, c.reserved.input);
  for (const auto& d : c.counted())
    count_day(c, d);
  ++in_flight_;
  output_held_ += c.reserved.output;
  usual_ = {towards(usual_.input, c.reserved.input), towards(usual_.output, c.reserved.output)};
}

quota_tokens quota_scope::usual() const {
  return {std::max<std::uint64_t>(usual_.input, 1), std::max<std::uint64_t>(usual_.output, 1)};
}

void quota_scope::count_day(const counted_call& c, const counted_day& d) {
  days_.add(d.end, d.call ? 1 : 0, c.reserved.output + (d.call ? c.reserved.input : 0));
}

void quota_scope::take_days(const counted_call& c) {
  for (const auto& d : c.counted())
    days_.take_back(d.end, d.call ? 1 : 0, c.reserved.output + (d.call ? c.reserved.input : 0));
}

void quota_scope::move(const counted_call& from, const counted_call& to) {
  calls_.move(from.at, to.at, 1);
  input_.move(from.at, to.at, from.reserved.input);
  take_days(from);
  for (const auto& d : to.counted())
    count_day(to, d);
}

void quota_scope::end_unsent(const counted_call& c) {
  TROUPE_ASSERT(in_flight_ > 0);
  --in_flight_;
  output_held_ -= c.reserved.output;
  calls_.take_back(c.at, 1);
  input_.take_back(c.at, c.reserved.input);
  take_days(c);
}

void quota_scope::end_unknown(const counted_call& c) {
  TROUPE_ASSERT(in_flight_ > 0);
  --in_flight_;
  output_held_ -= c.reserved.output;
  for (const auto& d : c.counted())
    days_.take_back(d.end, 0, c.reserved.output);
}

void quota_scope::end(const counted_call& c, quota_tokens actual, time_point now) {
  TROUPE_ASSERT(in_flight_ > 0);
  --in_flight_;
  output_held_ -= c.reserved.output;
  output_.add(now, actual.output);
  if (actual.input < c.reserved.input)
    input_.take_back(c.at, c.reserved.input - actual.input);
  else
    input_.add(c.at, actual.input - c.reserved.input);
  take_days(c);
  for (const auto& d : c.counted()) {
    const bool left_here = d.call && !d.provisional;
    days_.add(d.end, left_here ? 1 : 0, actual.output + (left_here ? actual.input : 0));
  }
  excess_.input += std::max(actual.input, c.reserved.input) - c.reserved.input;
  excess_.output += std::max(actual.output, c.reserved.output) - c.reserved.output;
}

void quota_scope::charge(std::uint64_t calls, std::uint64_t tokens, time_point at,
                         std::span<const wall_time> days) {
  std::uint64_t calls_max = 0;
  std::uint64_t tokens_max = 0;
  for (const auto& l : limits_)
    if (l.enforced() && l.kind != limit_kind::concurrency) {
      auto& most = is_of_calls(l.kind) ? calls_max : tokens_max;
      most = std::max(most, l.amount);
    }
  calls = std::min(calls, calls_max);
  tokens = std::min(tokens, tokens_max);
  calls_.add(at, calls);
  tokens_.add(at, tokens);
  for (const auto end : days)
    days_.add(end, calls, tokens);
}

void quota_scope::change_span(duration span) {
  for (auto* l : {&calls_, &input_, &output_, &tokens_})
    l->change_span(span);
}

quota_log& quota_scope::log(limit_kind kind) {
  switch (kind) {
  case limit_kind::input_tpm:
    return input_;
  case limit_kind::output_tpm:
    return output_;
  case limit_kind::tpm:
    return tokens_;
  case limit_kind::rpm:
  case limit_kind::rpd:
  case limit_kind::tpd:
  case limit_kind::concurrency:
    break;
  }
  return calls_;
}

std::uint64_t quota_scope::excess(limit_kind kind) const {
  switch (kind) {
  case limit_kind::tpm:
  case limit_kind::tpd:
    return excess_.input + excess_.output;
  case limit_kind::input_tpm:
    return excess_.input;
  case limit_kind::output_tpm:
    return excess_.output;
  case limit_kind::rpm:
  case limit_kind::rpd:
  case limit_kind::concurrency:
    break;
  }
  return 0;
}

} // namespace troupe
