#include "sandbox/limiter.hpp"

namespace sandbox {

std::optional<refusal> limiter::ask(account& a, const applied_limit& l, instant t) {
  if (l.until_midnight) {
    if (t >= a.day_ends) {
      a.day_ends = next_pacific_midnight(t);
      a.today = 0;
    }
    if (a.today < l.requests)
      return {};
    return refusal{l.requests, true, a.day_ends - t};
  }
  while (!a.within.empty() && a.within.front() + l.window <= t)
    a.within.pop_front();
  if (a.within.size() < l.requests)
    return {};
  const auto room_at = a.within.empty() ? t + l.window : a.within.front() + l.window;
  return refusal{l.requests, false, room_at - t};
}

std::optional<refusal> limiter::admit(const std::vector<applied_limit>& limits, instant t) {
  std::optional<refusal> worst;
  for (const auto& l : limits)
    if (auto no = ask(taken_[l.domain], l, t); no && (!worst || no->retry > worst->retry))
      worst = no;
  if (worst)
    return worst;
  for (const auto& l : limits) {
    auto& a = taken_[l.domain];
    if (l.until_midnight)
      ++a.today;
    else
      a.within.push_back(t);
  }
  return {};
}

} // namespace sandbox
