#include "actors/core/retry.hpp"

#include <algorithm>

namespace troupe {
namespace {

using gemini::answer_class;

constexpr int internal_error = 500;

/// An overload concerns the model: another key is likely to meet the same one, so time is
/// given rather than keys. A wait that the upstream names is believed if it is the longer.
duration overload_backoff(const retry_policy& policy, const retry_state& state,
                          const gemini::verdict& v, double jitter) {
  const auto doublings = std::min(state.overloaded - 1, 16U);
  const duration plain = policy.backoff * (std::int64_t{1} << doublings);
  const auto spread = std::chrono::duration<double, std::nano>(plain) * (0.75 + 0.5 * jitter);
  const auto wait = std::chrono::duration_cast<duration>(spread);
  return std::max(wait, duration(v.retry_after.value_or(std::chrono::milliseconds{0})));
}

} // namespace

retry_decision decide_retry(const retry_policy& policy, retry_state& state,
                            const gemini::verdict& v, duration time_left, double jitter,
                            int status) {
  ++state.attempts;
  if (v.what == answer_class::model_overloaded)
    ++state.overloaded;
  if (v.what == answer_class::upstream_fault && status == internal_error)
    ++state.internal;
  if (state.visible || state.attempts >= policy.attempts_max)
    return {};

  retry_decision next{.what = retry_kind::again};
  switch (v.what) {
  case answer_class::ok:
  case answer_class::resource_forbidden:
  case answer_class::location:
  case answer_class::request_fault:
    return {};
  case answer_class::key_invalid:
  case answer_class::key_suspended:
  case answer_class::key_forbidden:
  case answer_class::quota_day:
  case answer_class::quota_minute:
  case answer_class::quota_unknown:
    break;
  case answer_class::model_overloaded:
    if (state.overloaded > policy.overloaded_max)
      return {};
    next.wait = overload_backoff(policy, state, v, jitter);
    next.same_key_allowed = true;
    break;
  case answer_class::upstream_fault:
    if (state.internal > 1)
      return {};
    next.same_key_allowed = true;
    break;
  case answer_class::upstream_timeout:
    next.same_key_allowed = true;
    break;
  }
  if (next.wait >= time_left)
    return {};
  return next;
}

} // namespace troupe
