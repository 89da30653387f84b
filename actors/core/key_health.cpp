#include "actors/core/key_health.hpp"

#include <algorithm>

namespace troupe {
namespace {

using gemini::answer_class;
using gemini::answer_scope;

/// What the classifier gives for a throttle that names no delay (gemini.md section 6).
constexpr std::chrono::milliseconds classifier_default{60'000};

/// Bounds arithmetic, not the upstream: nanoseconds in 64 bits end after 292 years.
constexpr std::chrono::milliseconds word_max = std::chrono::hours{24 * 366};

constexpr health_effect struck{.changed = true, .standing = false, .urgent = true};
constexpr health_effect shut{.changed = true, .standing = true, .urgent = true};
constexpr health_effect opened{.changed = true, .standing = true, .urgent = true};

model_health* find(key_health& h, std::string_view model) {
  const auto at = std::ranges::find(h.models, model, &model_health::model);
  return at == h.models.end() ? nullptr : &*at;
}

const model_health* find(const key_health& h, std::string_view model) {
  const auto at = std::ranges::find(h.models, model, &model_health::model);
  return at == h.models.end() ? nullptr : &*at;
}

bool worth_keeping(const model_health& m, time_point now) {
  return m.pause.active(now) || m.throttles != 0 || m.strikes != 0;
}

/// The entry of `model`, made if there is room; room is made of what rests no longer.
model_health* entry_of(const health_policy& policy, key_health& h, std::string_view model,
                       time_point now) {
  if (auto* m = find(h, model))
    return m;
  if (h.models.size() >= policy.models_max)
    std::erase_if(h.models, [now](const model_health& m) { return !m.pause.active(now); });
  if (h.models.size() >= policy.models_max)
    return nullptr;
  h.models.push_back({.model = std::string{model}, .pause = {}, .throttles = 0, .strikes = 0});
  return &h.models.back();
}

bool lengthen(rest& r, const rest& other, time_point now) {
  if (r.active(now) && r.until >= other.until)
    return false;
  r = other;
  return true;
}

/// Doubles with each throttle in a row; the exponent is bounded before the shift.
duration guess(const health_policy& policy, std::uint32_t throttles) {
  const auto doublings = std::min(throttles - 1, 20U);
  return std::min(policy.cooldown * (std::int64_t{1} << doublings), policy.cooldown_max);
}

/// The wait that the upstream named; nothing if it named none or nonsense.
std::optional<duration> word_of(const gemini::verdict& v) {
  if (!v.retry_after || v.retry_after->count() <= 0 || *v.retry_after == classifier_default)
    return std::nullopt;
  return duration(std::min(*v.retry_after, word_max));
}

duration until_daily_reset(const health_policy& policy, const instants& t) {
  return policy.days.next_midnight(t.wall) - t.wall;
}

rest rest_of(const health_policy& policy, model_health* m, const gemini::verdict& v,
             const instants& t) {
  if (v.model_not_offered)
    return {t.now + until_daily_reset(policy, t), key_reason::not_offered};
  const auto word = word_of(v);
  if (v.what == answer_class::quota_day)
    return {t.now + word.value_or(until_daily_reset(policy, t)), key_reason::quota_day};
  if (v.what == answer_class::quota_minute)
    return {t.now + word.value_or(policy.cooldown), key_reason::quota_minute};
  if (word)
    return {t.now + *word, key_reason::quota_unknown};
  if (m == nullptr)
    return {t.now + policy.cooldown, key_reason::quota_unknown};
  if (!m->pause.active(t.now)) // a burst of calls that fail together is one throttle
    ++m->throttles;
  return {t.now + guess(policy, std::max(m->throttles, 1U)), key_reason::quota_unknown};
}

bool rest_model(const health_policy& policy, key_health& h, std::string_view model, const rest& r,
                time_point now) {
  auto* m = entry_of(policy, h, model, now);
  return lengthen(m != nullptr ? m->pause : h.pause, r, now);
}

health_effect throttle(const health_policy& policy, key_health& h, std::string_view model,
                       const gemini::verdict& v, const instants& t) {
  bool longer = false;
  if (v.scope == answer_scope::key || model.empty()) {
    longer = lengthen(h.pause, rest_of(policy, nullptr, v, t), t.now);
  } else {
    const auto r = rest_of(policy, entry_of(policy, h, model, t.now), v, t);
    longer = rest_model(policy, h, model, r, t.now);
    if (!v.model.empty() && v.model != model)
      longer = rest_model(policy, h, v.model, r, t.now) || longer;
  }
  return longer ? shut : health_effect{};
}

/// What is known to be worse stays: a suspended key is never re-checked, an operator's word
/// is only taken back by an operator.
health_effect shut_down(key_health& h, key_reason why) {
  const bool worse = h.disabled == key_reason::none
                     || (why == key_reason::by_operator && h.disabled != why)
                     || (h.disabled != key_reason::by_operator && why == key_reason::suspended
                         && h.disabled != why);
  if (!worse)
    return {};
  h.disabled = why;
  h.probing = false;
  return shut;
}

health_effect refuse(const health_policy& policy, key_health& h, const gemini::verdict& v,
                     const instants& t) {
  if (v.scope != answer_scope::key_and_model || v.model.empty()) {
    h.strikes = std::min(h.strikes + 1, policy.strikes_max);
    return h.strikes >= policy.strikes_max ? (shut_down(h, key_reason::forbidden) |= struck)
                                           : struck;
  }
  auto* m = entry_of(policy, h, v.model, t.now);
  if (m == nullptr)
    return {};
  m->strikes = std::min(m->strikes + 1, policy.strikes_max);
  if (m->strikes < policy.strikes_max)
    return struck;
  return lengthen(m->pause, {t.now + until_daily_reset(policy, t), key_reason::forbidden}, t.now)
             ? shut
             : struck;
}

health_effect praise(key_health& h, std::string_view model, time_point now) {
  const bool had = h.strikes != 0 || h.faults != 0;
  h.strikes = 0;
  h.faults = 0;
  const auto* m = find(h, model);
  if (m == nullptr || m->pause.active(now))
    return {.changed = had};
  std::erase_if(h.models, [model](const model_health& x) { return x.model == model; });
  return {.changed = true};
}

/// Runs `change` and keeps `since` true.
template <class Change>
health_effect noting_since(key_health& h, const instants& t, Change change) {
  const auto before = state_of(h, t.now);
  auto effect = change();
  if (state_of(h, t.now) != before)
    h.since = t.wall;
  return effect;
}

} // namespace

health_effect& health_effect::operator|=(const health_effect& other) {
  changed = changed || other.changed;
  standing = standing || other.standing;
  urgent = urgent || other.urgent;
  return *this;
}

health_effect settle(const health_policy& policy, key_health& h, std::string_view model,
                     const gemini::verdict& v, const instants& t) {
  auto effect = tidy(h, t);
  effect |= noting_since(h, t, [&]() -> health_effect {
    switch (v.what) {
    case answer_class::ok:
      return praise(h, model, t.now);
    case answer_class::key_invalid:
      return shut_down(h, key_reason::invalid);
    case answer_class::key_suspended:
      return shut_down(h, key_reason::suspended);
    case answer_class::key_forbidden:
      return refuse(policy, h, v, t);
    case answer_class::quota_day:
    case answer_class::quota_minute:
    case answer_class::quota_unknown:
      return throttle(policy, h, model, v, t);
    case answer_class::upstream_fault:
      ++h.faults;
      return {};
    case answer_class::resource_forbidden:
    case answer_class::location:
    case answer_class::request_fault:
    case answer_class::model_overloaded:
    case answer_class::upstream_timeout:
      return {};
    }
    return {};
  });
  return effect;
}

bool names_wait(const gemini::verdict& v) {
  return word_of(v).has_value();
}

health_effect tidy(key_health& h, const instants& t) {
  bool changed = false;
  time_point last_end{};
  const auto end = [&](rest& r) {
    if (r.why == key_reason::none || r.active(t.now))
      return;
    last_end = std::max(last_end, r.until);
    r = {};
    changed = true;
  };
  end(h.pause);
  for (auto& m : h.models)
    end(m.pause);
  std::erase_if(h.models, [&](const model_health& m) { return !worth_keeping(m, t.now); });
  if (changed && state_of(h, t.now) == key_state::ready)
    h.since = t.wall - std::chrono::duration_cast<std::chrono::milliseconds>(t.now - last_end);
  return {.changed = changed};
}

health_effect enable(key_health& h, const instants& t) {
  if (h.disabled == key_reason::none && h.strikes == 0)
    return {};
  return noting_since(h, t, [&] {
    h.disabled = key_reason::none;
    h.probing = false;
    h.strikes = 0;
    return opened;
  });
}

health_effect disable(key_health& h, key_reason why, const instants& t) {
  return noting_since(h, t, [&] { return shut_down(h, why); });
}

health_effect pause(key_health& h, duration length, const instants& t) {
  return noting_since(h, t, [&]() -> health_effect {
    const rest r{t.now + length, key_reason::by_operator};
    return lengthen(h.pause, r, t.now) ? shut : health_effect{};
  });
}

health_effect reset(key_health& h, const instants& t) {
  return noting_since(h, t, [&] {
    const auto since = h.since;
    h = {};
    h.since = since;
    return opened;
  });
}

health_effect begin_probe(key_health& h, const instants& t) {
  if (h.disabled == key_reason::none || h.probing)
    return {};
  return noting_since(h, t, [&]() -> health_effect {
    h.probing = true;
    return {.changed = true};
  });
}

health_effect end_probe(key_health& h, bool ok, const instants& t) {
  if (!h.probing)
    return {};
  if (ok)
    return enable(h, t);
  return noting_since(h, t, [&]() -> health_effect {
    h.probing = false;
    return {.changed = true};
  });
}

key_state state_of(const key_health& h, time_point now) {
  if (h.probing)
    return key_state::probing;
  if (h.disabled != key_reason::none)
    return key_state::disabled;
  const auto rests = [now](const model_health& m) { return m.pause.active(now); };
  return h.pause.active(now) || std::ranges::any_of(h.models, rests) ? key_state::cooling
                                                                     : key_state::ready;
}

admission admit(const key_health& h, std::string_view model, time_point now) {
  if (h.disabled != key_reason::none)
    return {.granted = false, .disabled = true, .longest = {}};
  const auto* m = find(h, model);
  rest longest = h.pause.active(now) ? h.pause : rest{};
  if (m != nullptr && m->pause.active(now) && m->pause.until > longest.until)
    longest = m->pause;
  return {.granted = longest.why == key_reason::none, .disabled = false, .longest = longest};
}

} // namespace troupe
