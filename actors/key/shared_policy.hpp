#pragma once

#include "actors/key/pool_policy.hpp"

#include <memory>
#include <mutex>
#include <utility>

namespace troupe {

/// What all key actors of a pool judge by. Written by the pool, read by each of them: a hundred
/// thousand actors need not be woken to learn of a change.
class shared_policy {
public:
  explicit shared_policy(pool_policy p) { set(std::move(p)); }

  void set(pool_policy p) {
    auto next = std::make_shared<const pool_policy>(std::move(p));
    const std::lock_guard lock(access_);
    policy_.swap(next); // the old one ends outside of the lock
  }

  std::shared_ptr<const pool_policy> get() const {
    const std::lock_guard lock(access_);
    return policy_;
  }

private:
  mutable std::mutex access_;
  std::shared_ptr<const pool_policy> policy_;
};

} // namespace troupe
