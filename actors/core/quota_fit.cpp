#include "actors/core/quota_scope.hpp"

#include <algorithm>

// When a call fits into one scope, and how many do.

namespace troupe {

std::uint64_t quota_scope::on_day(limit_kind kind, wall_time end) const {
  return kind == limit_kind::rpd ? days_.calls(end) : days_.tokens(end);
}

std::uint64_t quota_scope::used(limit_kind kind, const quota_moment& m) {
  const auto now = m.t.now;
  switch (kind) {
  case limit_kind::rpm:
    return calls_.used(now);
  case limit_kind::tpm:
    return input_.used(now) + output_.used(now) + tokens_.used(now) + output_held_;
  case limit_kind::input_tpm:
    return input_.used(now) + tokens_.used(now);
  case limit_kind::output_tpm:
    return output_.used(now) + tokens_.used(now) + output_held_;
  case limit_kind::rpd:
  case limit_kind::tpd:
    return std::max(on_day(kind, m.days.first), on_day(kind, m.days.second));
  case limit_kind::concurrency:
    break;
  }
  return in_flight_;
}

std::uint64_t quota_scope::need(const scope_limit& l, quota_tokens call) const {
  switch (l.kind) {
  case limit_kind::tpm:
  case limit_kind::tpd:
    return std::min(call.input + call.output, l.amount);
  case limit_kind::input_tpm:
    return std::min(call.input, l.amount);
  case limit_kind::output_tpm:
    return std::min(call.output, l.amount);
  case limit_kind::rpm:
  case limit_kind::rpd:
  case limit_kind::concurrency:
    break;
  }
  return 1;
}

time_point quota_scope::minute_free(limit_kind kind, std::uint64_t amount) const {
  switch (kind) {
  case limit_kind::rpm:
    return calls_.when(amount);
  case limit_kind::tpm:
    return quota_log::when({&input_, &output_, &tokens_}, amount);
  case limit_kind::input_tpm:
    return quota_log::when({&input_, &tokens_}, amount);
  case limit_kind::output_tpm:
    return quota_log::when({&output_, &tokens_}, amount);
  case limit_kind::rpd:
  case limit_kind::tpd:
  case limit_kind::concurrency:
    break;
  }
  return quota_log::never;
}

time_point quota_scope::day_free(const scope_limit& l, std::uint64_t need,
                                 const quota_moment& m) const {
  const auto full = [&](wall_time end) { return on_day(l.kind, end) + need > l.amount; };
  auto end = full(m.days.second) ? m.days.second : m.days.first;
  if (!full(end))
    return m.t.now;
  // A day of which nothing is kept has room, so this ends.
  for (auto next = m.clock->next_midnight(end); full(next); next = m.clock->next_midnight(end))
    end = next;
  return m.t.now + (end - m.t.wall) + std::chrono::ceil<std::chrono::milliseconds>(m.margin);
}

quota_wait quota_scope::fits_at(quota_tokens call, const quota_moment& m) {
  quota_wait latest{.at = m.t.now};
  for (const auto& l : limits_) {
    if (!l.enforced())
      continue;
    const auto wanted = need(l, call);
    auto at = m.t.now;
    if (l.amount == 0)
      at = quota_log::never;
    else if (is_daily(l.kind))
      at = day_free(l, wanted, m);
    else if (const auto sum = used(l.kind, m) + wanted; sum > l.amount)
      at = minute_free(l.kind, sum - l.amount);
    if (at > latest.at)
      latest = {at, is_daily(l.kind), l.kind};
  }
  return latest;
}

std::uint64_t quota_scope::left_by(limit_kind kind, time_point then) const {
  switch (kind) {
  case limit_kind::rpm:
    return calls_.left_by(then);
  case limit_kind::tpm:
    return input_.left_by(then) + output_.left_by(then) + tokens_.left_by(then);
  case limit_kind::input_tpm:
    return input_.left_by(then) + tokens_.left_by(then);
  case limit_kind::output_tpm:
    return output_.left_by(then) + tokens_.left_by(then);
  case limit_kind::rpd:
  case limit_kind::tpd:
  case limit_kind::concurrency:
    break;
  }
  return 0;
}

std::uint64_t quota_scope::room(const scope_limit& l, const quota_moment& m) {
  const auto now = used(l.kind, m);
  return now >= l.amount ? 0 : (l.amount - now) / std::max<std::uint64_t>(need(l, usual()), 1);
}

std::uint64_t quota_scope::room_at(const scope_limit& l, time_point then, const quota_moment& m) {
  auto sum = used(l.kind, m);
  if (is_daily(l.kind)) {
    const auto wall = m.t.wall + std::chrono::floor<std::chrono::milliseconds>(then - m.t.now);
    const auto days = days_of(*m.clock, wall, m.margin);
    sum = std::max(on_day(l.kind, days.first), on_day(l.kind, days.second));
  } else {
    sum -= left_by(l.kind, then);
  }
  return sum >= l.amount ? 0 : (l.amount - sum) / std::max<std::uint64_t>(need(l, usual()), 1);
}

std::uint64_t quota_scope::capacity(const scope_limit& l) const {
  return std::max<std::uint64_t>(l.amount / std::max<std::uint64_t>(need(l, usual()), 1), 1);
}

time_point quota_scope::next_free(limit_kind kind, const quota_moment& m) const {
  if (is_daily(kind))
    return m.t.now + (m.days.first - m.t.wall)
           + std::chrono::ceil<std::chrono::milliseconds>(m.margin);
  const auto at = minute_free(kind, 1);
  return at == quota_log::never ? m.t.now : at;
}

} // namespace troupe
