#pragma once

#include "actors/front/front_config.hpp"
#include "actors/front/routing.hpp"
#include "http/client.hpp"
#include "http/event_loop.hpp"
#include "protocol/base/log.hpp"

#include <memory>
#include <vector>

namespace troupe {

/// What one loop serves with: the configuration, and clients for its upstreams. An exchange holds
/// the one that it began with to its end, so that no request sees half of a change; the last of
/// them takes an old one with it, and the connections of upstreams that are no more. Made, used
/// and destroyed on its loop.
struct serving {
  std::shared_ptr<const front_config> config;
  std::vector<std::shared_ptr<http::client>> clients; ///< one per upstream of `config`
  routing routes;
};

/// Upstreams that are reached as before keep their clients, and so their warm connections.
/// `tally` counts for all clients of the loop.
std::shared_ptr<const serving>
make_serving(http::event_loop& loop, std::shared_ptr<const front_config> config,
             const serving* before, std::shared_ptr<http::client_tally> tally, log_sink& log);

} // namespace troupe
