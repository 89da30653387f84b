#pragma once

// Which key serves the next request: the pool's picture of its keys, and the choice.
//
// Keys stand in slots. For each model that is asked for, and each circle of keys that may serve
// it (upstreams, groups), there is a *view*: per tier the set of slots that may serve now, and a
// hand that walks round, so that use is even per model, which is how upstreams count. What takes
// a key out of a view is a rest (its health said so) or that its quota domain is dry (nothing is
// left of a limit); both are instants at which they are over, looked at when somebody asks.
//
// Of quotas the selection knows only what owners of keys report: how many calls still fit. It
// counts its own grants down from there, so that no more requests are sent to a key than it can
// take; what is exact is the owner's ledger.
//
// A choice looks at one to sixteen keys, whether ten stand in the pool or ten thousand; each
// rest is paid for once, when it is over. `choice::steps` counts, so that tests can hold this
// promise without a clock.

#include "actors/core/key_health.hpp"
#include "actors/core/quota_room.hpp"
#include "actors/core/rest_set.hpp"
#include "actors/core/slot_set.hpp"
#include "protocol/base/time.hpp"
#include "protocol/config/settings.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe {

/// What a choice must know of one key's health.
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
  std::int64_t places = -1;          ///< calls more that it takes now; -1: as many as come
  std::vector<model_rest> models;

  friend bool operator==(const standing&, const standing&) = default;
};

/// The standing of a key of health `h`.
standing standing_of(const key_health& h, time_point now);

/// What an operator says of a key, as far as choices go.
struct key_traits {
  std::uint32_t upstream = 0;
  std::int32_t tier = 0; ///< lower tiers are used first
  std::uint32_t weight = 1;
  std::string domain{}; ///< quota domain; empty: the key's own
  std::vector<std::string> groups{};

  friend bool operator==(const key_traits&, const key_traits&) = default;
};

/// Which keys may serve at all. Each empty list allows every key.
struct key_circle {
  std::span<const std::uint32_t> upstreams{};
  std::span<const std::string> groups{};       ///< of the credential: a key is in one of them
  std::span<const std::string> model_groups{}; ///< of the model: and in one of these
};

/// A key that told this request to come back later: it does not fit into what is left.
struct turned_away {
  std::uint64_t key = 0;
  time_point until{}; ///< `quota_room::never`: unknown
  bool per_day = false;
};

struct wish {
  std::string_view model;
  std::span<const std::uint64_t> tried{}; ///< never chosen
  std::uint64_t pinned = 0;               ///< the only key that may be chosen; 0: any
  key_circle circle{};
  std::span<const turned_away> turned{};
  std::uint64_t affinity = 0; ///< equal numbers go to the same key while it has room; 0: none
};

enum class choice_kind : std::uint8_t { chosen, resting, none };

/// A key that was looked at, and how it did. Lower scores are better.
struct looked_at {
  std::uint64_t key = 0;
  float score = 0;
};

struct choice {
  static constexpr std::size_t looks_max = 16;

  choice_kind kind = choice_kind::none;
  std::uint64_t key = 0;
  std::uint32_t slot = 0; ///< `chosen`: where the key stands, for the caller's own table
  /// `resting`: when the soonest key is back, tried or not; `quota_room::never` if that hangs on
  /// the end of a call.
  time_point free_at{};
  bool per_day = false; ///< `resting`: that key rests for a daily quota
  bool by_affinity = false;
  std::int32_t tier = 0;     ///< `chosen`: of the key
  std::uint32_t usable = 0;  ///< keys of this tier (not `chosen`: of all) that could serve
  std::uint32_t members = 0; ///< keys that may serve at all, resting or not
  std::uint32_t steps = 0;
  std::uint32_t looks = 0;
  std::array<looked_at, looks_max> looked{}; ///< the first `looks` of them
};

/// How busy a key is and how fast, for the strategies that ask.
class load_reader {
public:
  struct load {
    std::uint32_t in_flight = 0;
    float latency_ms = 0; ///< moving average; 0: unknown
  };

  virtual ~load_reader() = default;
  virtual load of(std::uint32_t slot) const = 0;
};

/// Owned by one actor. Keys are `key_id::value`, never 0.
class selection {
public:
  /// @param views_max  views kept. Beyond it the one asked for longest ago gives way; rests and
  ///                   dry quotas are never forgotten with it.
  /// @param seed       of the draws of `p2c_ewma`
  explicit selection(std::size_t views_max = 256, std::uint64_t seed = 1)
      : views_max_(views_max), random_(seed) {}

  /// The slot of the new key, or nothing if it stands there already.
  std::optional<std::uint32_t> add(std::uint64_t key, key_traits traits = {});
  bool remove(std::uint64_t key);
  std::optional<std::uint32_t> slot_of(std::uint64_t key) const;

  /// An unknown key is ignored.
  void set_traits(std::uint64_t key, key_traits traits);
  const key_traits& traits_of(std::uint32_t slot) const { return slots_[slot].traits; }

  void use(pool_strategy strategy) { strategy_ = strategy; }

  /// Replaces what is known of `key`'s health; an unknown key is ignored.
  void update(std::uint64_t key, const standing& s, time_point now);
  /// What is known of its health now.
  standing known_of(std::uint64_t key, time_point now) const;

  /// What is left of the quota domain of `key`, whole. `seen`: how many requests the owner has
  /// taken of this domain so far; those that were chosen since are still on their way.
  void update_rooms(std::uint64_t key, const std::vector<quota_room>& rooms, std::uint64_t seen,
                    time_point now);

  /// The key may not serve before `until`, for a reason of the pool's own; `time_point{}`: it may.
  void keep_away(std::uint64_t key, time_point until, time_point now);

  /// A request was sent to the key that was chosen: counts against what is left of its domain.
  void sent(std::uint32_t slot, std::string_view model);

  /// The owner of the domain of `key` begins anew, after `seen` requests: none is on its way.
  void forget_sent(std::uint64_t key, std::uint64_t seen);

  /// `loads` is asked by `least_busy` and `p2c_ewma` only; without it they see idle keys.
  choice choose(const wish& w, time_point now, const load_reader* loads = nullptr);

  /// A number for the view that `w` belongs to: requests of one line hope for the same keys.
  static std::uint64_t line_of(const wish& w);

  std::size_t size() const { return slots_of_.size(); }
  std::size_t disabled() const { return disabled_; }
  std::size_t models() const { return views_.size(); }

private:
  static constexpr std::uint32_t no_domain = ~std::uint32_t{0};

  struct slot_state {
    std::uint64_t key = 0; ///< 0: nobody stands here
    bool disabled = false;
    std::int64_t places = -1;         ///< as in `standing`, counted down
    std::uint32_t domain = no_domain; ///< a key of its own has one only once it has a limit
    key_traits traits;
  };
  struct domain_state {
    std::string name; ///< empty: of one key
    std::vector<std::uint32_t> slots;
    std::uint64_t sent = 0;
    std::vector<quota_room> rooms;
  };
  struct tier_set {
    std::int32_t tier = 0;
    slot_set usable;
    std::uint32_t hand = 0;
    double turn = 0; ///< of `weighted`: where starts are now
  };
  struct view;
  struct model_state {
    rest_set rests;
    rest_set dry;
    std::vector<view*> views;
  };
  struct view {
    std::string model;
    model_state* of = nullptr;
    std::vector<std::uint32_t> upstreams;
    std::vector<std::string> groups, model_groups;
    std::vector<tier_set> tiers; ///< lowest first
    std::vector<double> turns;   ///< of `weighted`: by slot, where its last one ended
    std::uint32_t members = 0;
    std::uint64_t asked = 0; ///< when it was asked for last, in choices

    key_circle circle() const { return {upstreams, groups, model_groups}; }
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  template <class T>
  using by_name = std::unordered_map<std::string, T, text_hash, std::equal_to<>>;
  struct pick;

  static void name_view(const wish& w, std::string& name);
  view& view_of(const wish& w, time_point now);
  void forget_oldest_view();
  void drop_if_idle(const std::string& model);
  bool in_circle(std::uint32_t slot, const key_circle& c) const;
  void refresh(view& v, std::uint32_t slot);
  void refresh_all(std::uint32_t slot);
  void refresh_model(model_state& m, std::uint32_t slot);
  static tier_set& tier_of(view& v, std::int32_t tier, std::size_t capacity);
  bool is_open(std::uint32_t slot) const;
  std::uint32_t release_due(model_state* m, std::string_view model, time_point now);
  void refill(std::uint32_t slot, std::string_view model);

  void join_domain(std::uint32_t slot);
  void leave_domain(std::uint32_t slot);
  std::uint32_t domain_for(std::uint32_t slot);
  void make_dry(domain_state& d, std::string_view model, rest_set::entry e);
  void make_wet(domain_state& d, std::string_view model);
  float headroom(std::uint32_t slot, std::string_view model) const;

  bool excluded(std::uint32_t slot, const wish& w) const;
  time_point back_at(std::uint32_t slot, const model_state* m, bool& per_day) const;
  bool choose_in(view& v, tier_set& t, const wish& w, const load_reader* loads, choice& c);
  std::optional<std::uint32_t> by_affinity(const view& v, const tier_set& t, const wish& w,
                                           choice& c) const;
  std::optional<std::uint32_t> by_strategy(view& v, tier_set& t, const wish& w,
                                           const load_reader* loads, choice& c);
  static double earliest_start(const tier_set& t);
  float score(const view& v, const tier_set& t, std::uint32_t slot, const load_reader* loads) const;
  void choose_pinned(const wish& w, const model_state* m, time_point now, choice& c);
  void soonest(const wish& w, const model_state* m, choice& c) const;
  std::uint64_t draw();

  std::size_t views_max_;
  std::uint64_t random_;
  pool_strategy strategy_ = pool_strategy::most_headroom;
  std::vector<slot_state> slots_;
  std::vector<std::uint32_t> vacant_;
  std::unordered_map<std::uint64_t, std::uint32_t> slots_of_;
  rest_set rests_; ///< key-wide, of health
  rest_set dry_;   ///< key-wide, of quotas
  rest_set away_;  ///< key-wide, by `keep_away`
  rest_set full_;  ///< key-wide: no place is left of a slow start
  by_name<model_state> models_;
  by_name<std::unique_ptr<view>> views_;
  std::vector<domain_state> domains_;
  std::vector<std::uint32_t> vacant_domains_;
  by_name<std::uint32_t> domains_of_; ///< those that have a name
  std::string name_;                  ///< of the view asked for; kept for its memory
  std::size_t disabled_ = 0;
  std::uint64_t choices_ = 0;
};

} // namespace troupe
