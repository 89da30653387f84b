#pragma once

#include "sandbox/clock.hpp"
#include "sandbox/exchange.hpp"
#include "sandbox/json.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sandbox {

/// What one key did on one model.
struct tallies {
  std::string key;
  std::string model;
  std::uint64_t arrivals = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t in_flight_max = 0;
  std::uint64_t client_left = 0;   ///< went away before the reply was out
  std::uint64_t broken = 0;        ///< resets of ours
  std::uint64_t prompt_tokens = 0; ///< of calls that were answered in earnest
  std::uint64_t cached_tokens = 0; ///< of those: in the prompt cache
  std::uint64_t output_tokens = 0;
  std::map<std::string, std::uint64_t, std::less<>> methods;
  std::map<std::string, std::uint64_t, std::less<>> answers;  ///< by HTTP status
  std::map<std::string, std::uint64_t, std::less<>> scripted; ///< by the script's word
  std::map<std::string, std::uint64_t, std::less<>> sources;  ///< by the client's address
  std::deque<instant> times;                                  ///< the latest arrivals
};

/// Counts. Guarded by its owner.
class counters {
public:
  /// The tallies of that pair; stays valid after `clear`, but is then nobody's.
  const std::shared_ptr<tallies>& of(std::string_view key, std::string_view model);
  void arrived(tallies& t, const char* method, std::string_view source, instant when);

  json report(std::string_view key, bool with_times) const;
  void clear() { all_.clear(); }
  void set_times_max(std::size_t n) { times_max_ = n; }

  static constexpr std::size_t sources_max = 256;   ///< of one pair; more share "(others)"
  static constexpr std::size_t pairs_max = 200'000; ///< more share one entry

private:
  std::unordered_map<std::string, std::shared_ptr<tallies>> all_;
  std::string lookup_; ///< spares an allocation per arrival
  std::size_t times_max_ = 1'000;
};

/// Adds one under a word.
void count(std::map<std::string, std::uint64_t, std::less<>>& in, std::string_view word);

} // namespace sandbox
