#include "sandbox/limiter.hpp"

#include <algorithm>

namespace sandbox {

namespace {

constexpr std::size_t entries_max = 1'000'000; ///< per limit; beyond it the oldest are forgiven

/// What an arrival takes at once.
std::uint64_t taken_on_arrival(measure counts, std::uint64_t input_tokens) {
  switch (counts) {
  case measure::requests:
  case measure::in_flight:
    return 1;
  case measure::tokens:
  case measure::input_tokens:
    return input_tokens;
  case measure::output_tokens:
    return 0;
  }
  return 0;
}

} // namespace

bool settles(const applied_limit& l) {
  return l.counts == measure::tokens || l.counts == measure::output_tokens
         || l.counts == measure::in_flight;
}

limiter::account& limiter::at(const applied_limit& l, instant t) {
  auto& a = taken_[l.domain];
  if (l.counts == measure::in_flight)
    return a;
  if (!l.until_midnight) {
    a.within.forget(t, l.window);
  } else if (t >= a.day_ends) {
    a.day_ends = next_pacific_midnight(t);
    a.today = 0;
  }
  return a;
}

std::optional<refusal> limiter::ask(const account& a, const applied_limit& l, std::uint64_t input,
                                    instant t) {
  // Output is not known yet: there must be room for some.
  const auto wanted = std::max<std::uint64_t>(taken_on_arrival(l.counts, input), 1);
  const bool at_once = l.counts == measure::in_flight;
  const auto used = at_once ? a.in_flight : l.until_midnight ? a.today : a.within.sum();
  if (used + wanted <= l.allowed)
    return {};
  refusal no{l.allowed, l.until_midnight, {}, l.counts, used};
  if (l.until_midnight)
    no.retry = a.day_ends - t;
  else if (!at_once)
    no.retry = wanted > l.allowed || a.within.size() == 0
                   ? l.window
                   : a.within.falls_to(l.allowed - wanted, l.window, t) - t;
  return no;
}

void limiter::charge(account& a, const applied_limit& l, std::uint64_t amount, instant t) {
  if (l.counts == measure::in_flight) {
    a.in_flight += amount;
  } else if (l.until_midnight) {
    a.today += amount;
  } else if (amount > 0) {
    if (a.within.size() >= entries_max)
      a.within.drop_oldest();
    a.within.add(t, amount);
  }
}

std::optional<refusal> limiter::admit(const std::vector<applied_limit>& limits,
                                      std::uint64_t input_tokens, instant t) {
  std::optional<refusal> worst;
  for (const auto& l : limits)
    if (auto no = ask(at(l, t), l, input_tokens, t); no && (!worst || no->retry > worst->retry))
      worst = no;
  if (worst)
    return worst;
  for (const auto& l : limits)
    charge(at(l, t), l, taken_on_arrival(l.counts, input_tokens), t);
  return {};
}

void limiter::ended(const std::vector<applied_limit>& limits, std::uint64_t output_tokens,
                    instant t) {
  for (const auto& l : limits) {
    if (!settles(l))
      continue;
    auto& a = at(l, t);
    if (l.counts != measure::in_flight)
      charge(a, l, output_tokens, t);
    else if (a.in_flight > 0) // zero: forgotten in the meantime
      --a.in_flight;
  }
}

std::vector<standing> limiter::standings(const std::vector<applied_limit>& limits, instant t) {
  std::vector<standing> all;
  for (const auto& l : limits) {
    if (l.counts == measure::in_flight)
      continue;
    const auto& a = at(l, t);
    const auto used = l.until_midnight ? a.today : a.within.sum();
    const auto reset = l.until_midnight ? a.day_ends : a.within.falls_to(0, l.window, t);
    all.push_back(
        {l.counts, l.until_midnight, l.allowed, l.allowed - std::min(used, l.allowed), reset - t});
  }
  return all;
}

} // namespace sandbox
