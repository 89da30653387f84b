#pragma once

#include "actors/front/front_config.hpp"
#include "actors/inventory/effects.hpp"
#include "http/server.hpp"
#include "protocol/base/result.hpp"
#include "protocol/config/settings.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// From settings to what the rooms take. No sockets, no actors: values only.

namespace troupe {

/// The upstreams as the fronts call them, with the numbers under which the pool names them. Fails
/// for a base URL that is none.
result<std::vector<upstream_target>> upstream_targets(const settings& s, upstream_numbers& numbers);

/// What the fronts work with under these settings. Fails as `upstream_targets` does.
result<std::shared_ptr<const front_config>>
front_config_of(const settings& s, upstream_numbers& numbers, http::credential_set clients);

http::server_options client_server_options(const settings& s);
http::server_options admin_server_options(const settings& s);

} // namespace troupe
