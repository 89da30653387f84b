#pragma once

#include "actors/front/front_config.hpp"
#include "actors/key/pool_key.hpp"
#include "http/server.hpp"
#include "protocol/base/result.hpp"
#include "protocol/config/settings.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// From settings to what the rooms take. No sockets, no actors: values only.

namespace troupe {

struct pool_plan {
  std::vector<upstream_target> upstreams; ///< those that serve; all of one kind
  std::vector<pool_key> keys;             ///< without repetitions
  std::unordered_map<std::uint64_t, std::size_t> upstream_by_key;
  std::vector<std::string> warnings; ///< upstreams that have no surface yet, and the like
};

/// Which upstreams and keys the pool has: those of kind `gemini`; if there is none, those of
/// kind `vertex`. Fails for a base URL that is none.
result<pool_plan> plan_pool(const settings& s);

http::server_options client_server_options(const settings& s);
http::server_options admin_server_options(const settings& s);

} // namespace troupe
