#pragma once

// Which key serves the next request: the pool's picture of its keys, and the choice.
//
// Keys stand in a ring of slots. For each model that is asked for there is a set of the slots
// that may serve it and a hand that walks round: every key in the set is used once per turn,
// so use is even per model, which is how upstreams count. A rest takes the slot out of the
// set and notes when it comes back; ends of rests are looked at when somebody asks.
//
// A choice costs a few words of a bitmap, whether ten keys stand in the ring or ten thousand;
// each rest is paid for once, when it is over. `choice::steps` counts, so that tests can hold
// this promise without a clock.

#include "actors/core/key_health.hpp"
#include "actors/core/rest_set.hpp"
#include "actors/core/slot_set.hpp"
#include "protocol/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe {

/// What a choice must know of one key.
struct standing {
  struct model_rest {
    std::string model;
    time_point until{};
    bool per_day = false;

    friend bool operator==(const model_rest&, const model_rest&) = default;
  };

  bool disabled = false;
  key_reason why = key_reason::none; ///< of the disablement, else of a rest; not used to choose
  time_point until{};                ///< end of a key-wide rest; past: none
  bool per_day = false;              ///< of the key-wide rest
  std::vector<model_rest> models;

  friend bool operator==(const standing&, const standing&) = default;
};

/// The standing of a key of health `h`.
standing standing_of(const key_health& h, time_point now);

struct wish {
  std::string_view model;
  std::span<const std::uint64_t> tried;  ///< never chosen
  std::uint64_t pinned = 0;              ///< the only key that may be chosen; 0: any
  std::span<const std::string> groups{}; ///< only keys of one of these; empty: of all
};

enum class choice_kind : std::uint8_t { chosen, resting, none };

struct choice {
  choice_kind kind = choice_kind::none;
  std::uint64_t key = 0;
  std::uint32_t slot = 0; ///< `chosen`: where the key stands, for the caller's own table
  time_point free_at{};   ///< `resting`: when the soonest key is back, tried or not
  bool per_day = false;   ///< `resting`: every rest concerned is a daily quota's
  std::uint32_t steps = 0;
};

/// Owned by one actor. Keys are `key_id::value`, never 0.
class selection {
public:
  /// @param models_max  models with a hand of their own. Beyond it the one asked for longest
  ///                    ago gives way; models on which keys rest never do.
  explicit selection(std::size_t models_max = 256) : models_max_(models_max) {}

  /// The slot of the new key, or nothing if it stands there already.
  std::optional<std::uint32_t> add(std::uint64_t key);
  bool remove(std::uint64_t key);
  std::optional<std::uint32_t> slot_of(std::uint64_t key) const;

  /// The groups that `key` is in from now on; an unknown key is ignored.
  void set_groups(std::uint64_t key, const std::vector<std::string>& groups);

  /// Replaces what is known of `key`; an unknown key is ignored.
  void update(std::uint64_t key, const standing& s, time_point now);
  /// What is known of `key` now.
  standing known_of(std::uint64_t key, time_point now) const;

  choice choose(const wish& w, time_point now);

  std::size_t size() const { return slots_of_.size(); }
  std::size_t disabled() const { return disabled_; }
  std::size_t models() const { return rings_.size(); }

private:
  struct slot_state {
    std::uint64_t key = 0; ///< 0: nobody stands here
    bool disabled = false;
    std::vector<std::string> groups;
  };
  /// A choice among some keys walks over those that may not serve now: it costs up to the size of
  /// the groups, not a few words of a bitmap.
  struct group {
    slot_set members;
    std::uint32_t hand = 0;
  };
  struct ring {
    slot_set usable;
    rest_set rests; ///< of this model; key-wide ones are in `rests_`
    std::uint32_t hand = 0;
    std::uint64_t asked = 0; ///< when it was asked for last, in choices
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  template <class T>
  using by_name = std::unordered_map<std::string, T, text_hash, std::equal_to<>>;
  using rings = by_name<ring>;

  ring& ring_of(std::string_view model, time_point now);
  void forget_oldest_ring(time_point now);
  void set_open(std::uint32_t slot, bool open);
  std::uint32_t release_due(ring* r, time_point now);
  choice choose_pinned(const wish& w, const ring* r, time_point now) const;
  choice soonest(const ring* r, choice so_far) const;
  choice choose_in_groups(const wish& w, const ring* r, choice so_far);
  choice soonest_in_groups(const wish& w, const ring* r, choice so_far) const;
  bool in_groups(std::uint32_t slot, std::span<const std::string> groups) const;

  std::size_t models_max_;
  std::vector<slot_state> slots_;
  std::vector<std::uint32_t> vacant_;
  std::unordered_map<std::uint64_t, std::uint32_t> slots_of_;
  slot_set open_;  ///< neither disabled nor resting as a whole
  rest_set rests_; ///< key-wide
  rings rings_;
  by_name<group> groups_;
  std::size_t disabled_ = 0;
  std::uint64_t choices_ = 0;
};

} // namespace troupe
