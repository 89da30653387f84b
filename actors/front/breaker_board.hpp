#pragma once

#include "actors/core/breaker.hpp"
#include "protocol/base/time.hpp"
#include "protocol/config/settings.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

breaker_policy breaker_policy_of(const breaker_settings& s);

/// What the admin side shows of one breaker.
struct breaker_view {
  std::uint32_t upstream = 0; ///< its number
  std::string model;          ///< empty: of the host
  breaker_description now;
};

/// The circuit breakers of all upstreams, shared by the fronts of a node: an outage that one loop
/// meets is known to all. A host has one breaker for its failures, and one for each model of it
/// that was overloaded. Its lock is held for less than a microsecond.
class breaker_board {
public:
  static constexpr std::size_t models_max = 1'024;

  breaker_board() = default;

  void change_policy(bool enabled, const breaker_policy& policy);

  /// A call that may begin. It is told to `note` once, however it ends.
  struct pass {
    bool allowed = true;
    bool recovering = false; ///< not allowed, because probes are out or the load grows back slowly
    duration retry_in{};
    std::uint32_t host = 0, model = 0; ///< generations
    bool has_model = false;
  };

  pass allow(std::uint32_t upstream, std::string_view model, time_point now, double jitter);

  /// When calls of this upstream make sense again; zero: now. Takes no place of a probe.
  duration closed_for(std::uint32_t upstream, std::string_view model, time_point now) const;

  struct outcome {
    breaker_outcome host = breaker_outcome::neutral;
    breaker_outcome model = breaker_outcome::neutral;
  };
  void note(std::uint32_t upstream, std::string_view model, const pass& p, outcome what,
            time_point now, double jitter);

  /// Of those that ever had something to note.
  std::vector<breaker_view> view(time_point now) const;

private:
  using place = std::pair<std::uint32_t, std::string>;
  struct order {
    using is_transparent = void;
    using key = std::pair<std::uint32_t, std::string_view>;
    static key of(const place& p) { return {p.first, p.second}; }
    static key of(const key& k) { return k; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return of(a) < of(b);
    }
  };

  mutable std::mutex access_;
  bool enabled_ = true;
  breaker_policy policy_;
  std::map<place, breaker, order> breakers_; ///< those of models only once they were overloaded
};

} // namespace troupe
