#include "actors/key/key_record.hpp"

#include <algorithm>

namespace troupe {
namespace {

std::int64_t since_1970(wall_time t) {
  return t.time_since_epoch().count();
}

std::int64_t end_at_ms(const rest& r, const instants& t) {
  return since_1970(t.wall) + milliseconds_until(r.until, t.now);
}

/// A reason that this version does not know was written by a later one: the key stays shut
/// until a person looks.
key_reason reason_of(std::uint8_t stored) {
  return stored <= static_cast<std::uint8_t>(key_reason::by_operator)
             ? static_cast<key_reason>(stored)
             : key_reason::forbidden;
}

rest rest_of(std::uint8_t reason, std::int64_t until_at_ms, const instants& t) {
  // Bounded before the subtraction: what lies on disk may be anything.
  constexpr std::int64_t bound = std::int64_t{1} << 45;
  // The wall clock counts whole milliseconds and was almost one behind, perhaps, when this was
  // written: a call must not be a moment too early.
  const auto left = std::clamp(until_at_ms, -bound, bound) - since_1970(t.wall) + 1;
  if (reason == 0 || left <= 1)
    return {};
  return {t.now + std::min<duration>(std::chrono::milliseconds{left}, std::chrono::hours{24 * 366}),
          reason_of(reason)};
}

} // namespace

std::int64_t milliseconds_until(time_point until, time_point now) {
  if (until <= now)
    return 0;
  return std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
}

storage::key_state_record to_record(const key_health& h, const key_tally& tally,
                                    const instants& t) {
  storage::key_state_record r;
  r.disabled = static_cast<std::uint8_t>(h.disabled);
  r.since_at_ms = since_1970(h.since);
  r.strikes = h.strikes;
  if (h.pause.active(t.now)) {
    r.rest_reason = static_cast<std::uint8_t>(h.pause.why);
    r.rest_until_at_ms = end_at_ms(h.pause, t);
  }
  for (const auto& m : h.models) {
    const bool rests = m.pause.active(t.now);
    r.models.push_back({.model = m.model,
                        .reason = rests ? static_cast<std::uint8_t>(m.pause.why) : std::uint8_t{0},
                        .until_at_ms = rests ? end_at_ms(m.pause, t) : 0,
                        .throttles = m.throttles,
                        .strikes = m.strikes});
  }
  r.granted = tally.granted;
  r.expired = tally.expired;
  r.abandoned = tally.abandoned;
  r.answers = tally.answers;
  r.prompt_tokens = tally.prompt_tokens;
  r.output_tokens = tally.output_tokens;
  r.thought_tokens = tally.thought_tokens;
  r.cached_tokens = tally.cached_tokens;
  r.last_used_at_ms = tally.last_used_at_ms;
  r.last_error_at_ms = tally.last_error_at_ms;
  r.last_error = tally.last_error;
  return r;
}

key_health health_of(const storage::key_state_record& r, const instants& t) {
  key_health h;
  h.disabled = reason_of(r.disabled);
  h.since = wall_time{std::chrono::milliseconds{r.since_at_ms}};
  h.strikes = r.strikes;
  h.pause = rest_of(r.rest_reason, r.rest_until_at_ms, t);
  for (const auto& m : r.models) {
    model_health kept{.model = m.model,
                      .pause = rest_of(m.reason, m.until_at_ms, t),
                      .throttles = m.throttles,
                      .strikes = m.strikes};
    if (kept.pause.active(t.now) || kept.throttles != 0 || kept.strikes != 0)
      h.models.push_back(std::move(kept));
  }
  return h;
}

key_tally tally_of(const storage::key_state_record& r) {
  return {.granted = r.granted,
          .expired = r.expired,
          .abandoned = r.abandoned,
          .answers = r.answers,
          .prompt_tokens = r.prompt_tokens,
          .output_tokens = r.output_tokens,
          .thought_tokens = r.thought_tokens,
          .cached_tokens = r.cached_tokens,
          .last_used_at_ms = r.last_used_at_ms,
          .last_error_at_ms = r.last_error_at_ms,
          .last_error = r.last_error};
}

key_status status_of(const key_health& h, const key_tally& tally, const instants& t) {
  key_status s;
  s.state = state_of(h, t.now);
  s.since_at_ms = since_1970(h.since);
  s.strikes = h.strikes;
  if (h.pause.active(t.now)) {
    s.until_at_ms = end_at_ms(h.pause, t);
    s.reason = h.pause.why;
  }
  for (const auto& m : h.models) {
    if (!m.pause.active(t.now))
      continue;
    s.models.push_back({m.model, m.pause.why, end_at_ms(m.pause, t), m.throttles});
    if (s.reason == key_reason::none)
      s.reason = m.pause.why;
  }
  if (h.disabled != key_reason::none)
    s.reason = h.disabled;
  s.granted = tally.granted;
  s.expired = tally.expired;
  s.abandoned = tally.abandoned;
  s.answers = tally.answers;
  s.prompt_tokens = tally.prompt_tokens;
  s.output_tokens = tally.output_tokens;
  s.thought_tokens = tally.thought_tokens;
  s.cached_tokens = tally.cached_tokens;
  s.last_used_at_ms = tally.last_used_at_ms;
  s.last_error_at_ms = tally.last_error_at_ms;
  s.last_error = tally.last_error;
  return s;
}

key_standing to_message(const standing& s, time_point now) {
  key_standing m;
  m.disabled = s.disabled;
  m.reason = s.why;
  m.wait_ms = milliseconds_until(s.until, now);
  m.per_day = s.per_day;
  m.places = s.places;
  for (const auto& r : s.models)
    m.models.push_back({r.model, milliseconds_until(r.until, now), r.per_day});
  return m;
}

standing from_message(const key_standing& m, time_point now) {
  const auto after = [now](std::int64_t ms) { return now + std::chrono::milliseconds{ms}; };
  standing s;
  s.disabled = m.disabled;
  s.why = m.reason;
  s.places = m.places;
  if (m.wait_ms > 0) {
    s.until = after(m.wait_ms);
    s.per_day = m.per_day;
  }
  for (const auto& r : m.models)
    s.models.push_back({r.model, after(r.wait_ms), r.per_day});
  return s;
}

} // namespace troupe
