#pragma once

// Which outgoing address a key uses.
//
// Each key and each proxy make a hash, and the proxy with the highest serves the key
// (rendezvous). So a proxy that comes or goes moves only its own share of the keys, on every
// node alike and without anything remembered. A dead proxy is left out the same way: its keys
// move, and come back when it lives. A key never goes out directly because its proxies are
// dead: who configured proxies does not want the upstream to see this machine.
//
// An upstream may also throttle an address instead of a key. It does not say so, but several
// keys throttled without words on one address within moments give it away. Then the address
// rests, and its keys rest with it: moving them would draw the throttle to the next address.

#include "protocol/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

/// An outgoing address: a proxy's id, or this.
constexpr std::uint64_t direct_egress = 0;

struct egress_plan {
  struct group {
    std::string name;
    std::vector<std::string> key_groups; ///< empty: all keys that no other group names
    std::vector<std::uint64_t> proxies;  ///< empty: direct

    friend bool operator==(const group&, const group&) = default;
  };

  std::vector<group> groups;          ///< the first that names one of a key's groups serves it
  std::vector<std::uint64_t> proxies; ///< of keys that no group serves; empty: direct

  friend bool operator==(const egress_plan&, const egress_plan&) = default;
};

struct egress_policy {
  duration retry = std::chrono::seconds{30};     ///< a dead proxy's first pause; doubles
  duration retry_max = std::chrono::minutes{10}; ///< up to this
  std::uint32_t throttled_keys = 3; ///< so many keys throttled on one egress rest it; 0: never
  duration throttled_within = std::chrono::seconds{5};

  friend bool operator==(const egress_policy&, const egress_policy&) = default;
};

/// What decides a key's egress.
struct egress_key {
  std::uint64_t key = 0;
  std::span<const std::string> groups{};
  std::uint64_t own = direct_egress; ///< its own proxy, which wins over every group
};

struct egress_choice {
  std::uint64_t egress = direct_egress;
  bool usable = true;
  bool throttled = false; ///< not usable: the egress rests, rather than being dead
  time_point free_at{};   ///< not usable: when asking again makes sense
};

/// An egress that rests.
struct egress_rest {
  std::uint64_t egress = direct_egress;
  time_point until{};

  friend bool operator==(const egress_rest&, const egress_rest&) = default;
};

/// For people.
struct egress_health {
  bool dead = false;
  std::uint32_t failed = 0; ///< trials in a row, the call that found it dead included
  time_point trial_at{};    ///< dead: the next trial may begin then
  time_point rests_until{}; ///< past: it does not rest
};

/// Owned by one actor. Ids of proxies are the caller's, never 0.
class egress {
public:
  /// Addresses remembered because something is wrong with them. Beyond it the one that was
  /// touched longest ago is taken for well.
  static constexpr std::size_t remembered_max = 4'096;

  explicit egress(egress_policy policy = {}) : policy_(policy) {}

  void change_plan(egress_plan plan) { plan_ = std::move(plan); }
  void change_policy(const egress_policy& policy) { policy_ = policy; }

  /// The egress of a call that begins now. A dead proxy whose pause is over is given to one of
  /// its keys as a trial; others get it again once the trial went well.
  egress_choice assign(const egress_key& k, time_point now);
  /// The same for people: no trial begins.
  egress_choice assigned(const egress_key& k, time_point now) const;

  /// A call could not reach the proxy, or was refused by it. Late failures of calls that began
  /// before it was known to be dead change nothing.
  void failed(std::uint64_t proxy, time_point now);
  /// A call went through.
  void worked(std::uint64_t proxy, time_point now);
  /// A call ended without having tried the proxy: if it was the trial, another may follow.
  void put_back(std::uint64_t proxy);

  /// `key` was throttled on egress `id` (direct too) by an answer that blames nobody. With enough
  /// keys in a short time the egress rests for `rest` from now, which is told; the throttles of
  /// calls that were in flight by then are not counted.
  std::optional<egress_rest> throttled(std::uint64_t id, std::uint64_t key, duration rest,
                                       time_point now);

  egress_health health_of(std::uint64_t id) const;
  std::size_t remembered() const { return records_.size(); }

private:
  struct sighting {
    std::uint64_t key = 0;
    time_point at{};
  };
  struct record {
    std::uint32_t failed = 0; ///< 0: alive
    time_point trial_at{};    ///< a trial under way moves it on, so that a lost one is repeated
    bool trial = false;
    time_point rests_until{};
    std::vector<sighting> throttled; ///< distinct keys, fewer than `throttled_keys`
    time_point touched{};
  };

  const std::vector<std::uint64_t>& proxies_of(const egress_key& k) const;
  const record* find(std::uint64_t id) const;
  record& record_of(std::uint64_t id, time_point now);
  egress_choice among(std::span<const std::uint64_t> proxies, std::uint64_t key,
                      time_point now) const;
  duration pause_after(std::uint32_t failed) const;

  egress_policy policy_;
  egress_plan plan_;
  std::unordered_map<std::uint64_t, record> records_;
};

} // namespace troupe
