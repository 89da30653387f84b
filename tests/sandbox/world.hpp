#pragma once

#include "sandbox/counters.hpp"
#include "sandbox/judge.hpp"
#include "sandbox/limiter.hpp"
#include "sandbox/prompt_cache.hpp"
#include "sandbox/resources.hpp"
#include "sandbox/script.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>

namespace sandbox {

struct settings {
  bool strict_keys = false; ///< only `keys` and scripted keys are known
  std::set<std::string, std::less<>> keys;
  std::set<std::string, std::less<>> models; ///< besides the built-in ones
  std::uint64_t seed = 1;
  std::uint64_t arrival_times_max = 1'000;
  double grace_ms = 100;
  double cache_s = 300; ///< how long the beginning of a prompt stays cached
};

/// One call as the world sees it.
struct arrival {
  std::string_view key;
  std::string_view model;
  method what = method::generate;
  std::string_view source{};      ///< the address of the caller's end of the connection
  std::uint64_t input_tokens = 0; ///< of its body, if `world::weighs` wants to know
  std::uint64_t prefix = 0;       ///< as `prompt::prefix`
};

/// How many tokens a constant answer says that it was asked and has spoken.
inline constexpr std::uint64_t fixed_input_tokens = 120;
inline constexpr std::uint64_t fixed_output_tokens = 40;

/// The limits that want to know how an arrival ends.
struct pending_limits {
  std::vector<applied_limit> limits;
  bool admitted = false;
};

/// What the world decides about one call.
struct verdict {
  std::shared_ptr<const rule> bent; ///< null: an ordinary answer
  std::optional<refusal> refused;
  bool key_unknown = false;
  bool source_throttled = false;
  std::string project;
  std::uint64_t cached_tokens = 0;
  std::vector<standing> told; ///< to be told in headers
  pending_limits pending;
  std::shared_ptr<tallies> who;
};

/// All that the sandbox knows: scripts, limits, counters, the judge. One mutex
/// around it, never held for longer than a decision. Thread-safe.
class world {
public:
  verdict arrive(const arrival& a);
  void settle(const arrival& a, tallies& who, const ending& e, const pending_limits& pending = {});

  /// False while nobody needs to know what a body holds, so that constant answers stay cheap.
  bool weighs() const { return weighs_; }

  void keep(resource r);
  /// What that key has made under that name.
  std::optional<resource> find_resource(std::string_view name, std::string_view key) const;
  bool drop_resource(std::string_view name, std::string_view key);
  std::vector<resource> resources_of(std::string_view key, std::string_view prefix) const;

  void connection_opened();
  void connection_closed();

  /// Replaces the script of its key.
  void put_script(script s);
  void drop_scripts(std::string_view key); ///< empty: all
  json scripts() const;

  settings options() const;
  void set_options(settings s);

  void plant(bool violation, bool early);
  json verdicts() const;
  json counts(std::string_view key, bool with_times) const;

  struct forget {
    bool scripts = false;
    bool settings = false;
    bool counters = false;
    bool judge = false;
  };
  void reset(forget what);

  bool knows_extra_model(std::string_view model) const;

private:
  std::shared_ptr<const rule> bend(script& s, const arrival& a);
  std::vector<applied_limit> limits_of(const script* own, const script* all, const arrival& a,
                                       const std::string& project) const;
  bool throttled(const script& s, const arrival& a, instant t);
  void look_into(const arrival& a, verdict& v, const std::vector<applied_limit>& limits, instant t);
  script* find(std::string_view key);
  void scripts_changed();

  mutable std::mutex mutex_;
  std::map<std::string, script, std::less<>> scripts_;
  settings settings_;
  std::mt19937_64 dice_{1};
  limiter limiter_;
  judge judge_;
  counters counters_;
  prompt_cache cache_;
  resources resources_;
  std::map<std::string, sliding_sum, std::less<>> sources_;
  std::atomic<bool> weighs_{true};
  std::atomic<std::uint64_t> connections_opened_{0};
  std::atomic<std::uint64_t> connections_open_{0};
  std::atomic<std::uint64_t> connections_most_{0};
};

} // namespace sandbox
