#pragma once

// The health of one key.
//
// A key is hurt only by its own failures. A throttle rests the key for exactly the model that
// was throttled and for as long as the upstream said; a refusal of the key counts strikes or
// disables it; what the model, the network or the request did wrong changes nothing.
//
// A rest is an instant at which it is over, looked at when somebody asks: nothing has to
// happen at that instant, so no timer can be lost, and ten thousand resting keys cost nothing.
//
// Calls of one key overlap and settle in any order. Of two rests the later end wins; a burst
// of throttles counts as one; an `ok` that comes while its model rests was sent before the
// throttle and says nothing about it.

#include "actors/core/instants.hpp"
#include "actors/core/key_state.hpp"
#include "protocol/base/day_clock.hpp"
#include "protocol/base/time.hpp"
#include "protocol/gemini/classify.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

struct health_policy {
  std::uint32_t strikes_max = 3;                ///< refusals in a row before the key is disabled
  duration cooldown = std::chrono::seconds{60}; ///< for a throttle that names no delay
  duration cooldown_max = std::chrono::minutes{10}; ///< bounds our guess, not the upstream's word
  /// Models remembered for one key. One throttle more rests the whole key: too careful, but
  /// never a call before its time.
  std::size_t models_max = 64;
  day_clock days; ///< when a day's quota begins anew
};

/// A pause that is over at `until`. Without a reason there is none.
struct rest {
  time_point until{};
  key_reason why = key_reason::none;

  bool active(time_point now) const { return why != key_reason::none && now < until; }
  friend bool operator==(const rest&, const rest&) = default;
};

/// What is remembered of one model on one key.
struct model_health {
  std::string model;
  rest pause;
  std::uint32_t throttles = 0; ///< throttles in a row whose length had to be guessed
  std::uint32_t strikes = 0;   ///< refusals in a row that named this model

  friend bool operator==(const model_health&, const model_health&) = default;
};

/// A value, changed only by the functions below.
struct key_health {
  key_reason disabled = key_reason::none; ///< any other: disabled, and why
  bool probing = false;                   ///< disabled, and a re-check is under way
  wall_time since{};                      ///< of the present `state_of`; epoch: since the start
  std::uint32_t strikes = 0;              ///< refusals of the key in a row
  std::uint32_t faults = 0; ///< upstream faults in a row: shown, never held against the key
  rest pause;               ///< of the whole key
  std::vector<model_health> models;

  friend bool operator==(const key_health&, const key_health&) = default;
};

/// What a change asks of its owner.
struct health_effect {
  bool changed = false;  ///< anything that is stored
  bool standing = false; ///< whom the pool may choose
  bool urgent = false;   ///< store at once: a throttle, a refusal, a disablement

  health_effect& operator|=(const health_effect& other);
  friend bool operator==(const health_effect&, const health_effect&) = default;
};

/// Health after a call for `model` ended with `v`. The verdict's own model rests as well where
/// it differs: quotas name the model behind an alias.
health_effect settle(const health_policy& policy, key_health& h, std::string_view model,
                     const gemini::verdict& v, const instants& t);

/// Whether the upstream said how long to wait, and made sense.
bool names_wait(const gemini::verdict& v);

/// Forgets rests that are over. Changes what is remembered, never what may be chosen.
health_effect tidy(key_health& h, const instants& t);

/// An operator's words. `enable` keeps rests, `reset` leaves a clean key.
health_effect enable(key_health& h, const instants& t);
health_effect disable(key_health& h, key_reason why, const instants& t);
health_effect pause(key_health& h, duration length, const instants& t);
health_effect reset(key_health& h, const instants& t);

/// A re-check of a disabled key begins, and ends: only an `ok` of the re-check itself makes
/// the key ready again. A late answer to an older call does not.
health_effect begin_probe(key_health& h, const instants& t);
health_effect end_probe(key_health& h, bool ok, const instants& t);

key_state state_of(const key_health& h, time_point now);

/// Whether the key may serve `model` now, and if not, why and until when.
struct admission {
  bool granted = false;
  bool disabled = false;
  rest longest; ///< neither of both: the rest that ends last
};
admission admit(const key_health& h, std::string_view model, time_point now);

} // namespace troupe
