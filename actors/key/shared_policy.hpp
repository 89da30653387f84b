#pragma once

#include "actors/core/key_health.hpp"

#include <atomic>
#include <cstdint>

namespace troupe {

/// What all key actors of a pool judge by. Written by the pool, read by each of them: a hundred
/// thousand actors need not be woken to learn of a change. Each number is read by itself; a
/// settlement in the middle of a change may see one new and one old, and both are valid.
class shared_policy {
public:
  explicit shared_policy(const health_policy& p) { set(p); }

  void set(const health_policy& p) {
    strikes_max_.store(p.strikes_max, std::memory_order_relaxed);
    cooldown_.store(p.cooldown.count(), std::memory_order_relaxed);
    cooldown_max_.store(p.cooldown_max.count(), std::memory_order_relaxed);
    models_max_.store(p.models_max, std::memory_order_relaxed);
  }

  health_policy get() const {
    health_policy p;
    p.strikes_max = strikes_max_.load(std::memory_order_relaxed);
    p.cooldown = duration{cooldown_.load(std::memory_order_relaxed)};
    p.cooldown_max = duration{cooldown_max_.load(std::memory_order_relaxed)};
    p.models_max = models_max_.load(std::memory_order_relaxed);
    return p;
  }

private:
  std::atomic<std::uint32_t> strikes_max_{0};
  std::atomic<std::int64_t> cooldown_{0};
  std::atomic<std::int64_t> cooldown_max_{0};
  std::atomic<std::size_t> models_max_{0};
};

} // namespace troupe
