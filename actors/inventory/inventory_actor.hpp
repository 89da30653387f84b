#pragma once

#include "actors/inventory/inventory.hpp"
#include "actors/inventory/inventory_messages.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include <functional>
#include <memory>

namespace troupe {

/// How the inventory reaches the rest of its node. Functions block until it is done.
struct inventory_reach {
  caf::actor pool;
  caf::actor storage;
  std::function<void(const loaded_settings&)> use_settings;
  std::function<void(const credential_table&)> use_credentials;
  std::function<void(std::size_t)> keys_are; ///< how many there are now
};

/// The actor that owns `tables`, on a thread of its own: it waits for the disk, for the pool and
/// for the loops. It takes every message of `inventory_messages.hpp`; between them it works on
/// its jobs, a step at a time. `tables` outlives it.
caf::actor spawn_inventory(caf::actor_system& system, inventory& tables, inventory_reach reach,
                           log_sink& log);

} // namespace troupe
