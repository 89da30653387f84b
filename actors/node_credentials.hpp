#pragma once

#include "actors/node.hpp"
#include "http/core/credentials.hpp"
#include "protocol/config/settings.hpp"
#include "storage/store.hpp"

#include <optional>

namespace troupe {

/// Who may use each port.
struct node_credentials {
  http::credential_set clients;
  http::credential_set admins;
  std::optional<first_credentials> made; ///< set when this start made them
};

/// For each role: the configured credentials; where none is configured, the ones that an
/// earlier start made and kept (as hashes) in `db`; where there are none, new ones.
result<node_credentials> prepare_credentials(const credentials_settings& configured,
                                             storage::store& db);

} // namespace troupe
