#pragma once

// Keys that seem to share a quota although nobody said so.
//
// Two signs. An upstream that names the project of a key in its errors tells it outright. And
// keys of one project are throttled together, again and again, while others are not: when only
// few of many keys are throttled at one moment, that is counted for each pair of them. A moment
// in which much of the pool is throttled says nothing, because keys that are used alike run dry
// alike. Both are told to the operator; only he can put keys into one quota domain.

#include "protocol/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

/// Owned by one actor. Bounded: what was seen longest ago is forgotten.
class sharing_watch {
public:
  struct suspicion {
    std::vector<std::uint64_t> keys; ///< ascending
    std::string why;                 ///< in words

    friend bool operator==(const suspicion&, const suspicion&) = default;
  };

  static constexpr duration together = std::chrono::seconds{2};
  static constexpr std::uint32_t times_min = 3;      ///< before a pair is suspected
  static constexpr std::uint32_t share_percent = 80; ///< of the throttles of each of the two
  static constexpr std::size_t pairs_max = 4'096;

  /// @param keys  how many keys are in use: of a third of them at once nothing is learnt
  void throttled(std::uint64_t key, std::size_t keys, time_point now);
  /// `project` as the upstream names it; empty is ignored.
  void names_project(std::uint64_t key, const std::string& project);
  /// The key is gone, or is in a quota domain that the operator named.
  void forget(std::uint64_t key);

  std::vector<suspicion> suspected() const;

private:
  struct sighting {
    std::uint64_t key;
    time_point at;
  };
  using pair = std::pair<std::uint64_t, std::uint64_t>;

  std::deque<sighting> recent_; ///< within `together`, each key once
  std::map<pair, std::uint32_t> pairs_;
  std::unordered_map<std::uint64_t, std::uint32_t> throttles_;
  std::unordered_map<std::uint64_t, std::string> projects_;
};

} // namespace troupe
