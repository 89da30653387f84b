#pragma once

#include "protocol/base/log.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

namespace troupe {

/// The actors of a node that keep something; those that were never made are empty.
struct keeping_actors {
  caf::actor inventory;
  caf::actor pool;
  caf::actor storage;
};

/// Ends them, in the order in which they wait for each other, so that everything that is known is
/// stored first. Blocks for some seconds at most. False: the disk did not take all of it, which
/// was logged then.
bool end_actors(caf::actor_system& system, const keeping_actors& actors, log_sink& log);

} // namespace troupe
