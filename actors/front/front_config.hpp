#pragma once

#include "http/client.hpp"
#include "http/core/credentials.hpp"
#include "protocol/config/settings.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// One upstream as the fronts call it.
struct upstream_target {
  std::string name;
  std::uint32_t number = 0; ///< under which leases name it
  upstream_kind kind = upstream_kind::gemini;
  http::origin where;
  std::string base_path;    ///< goes before every path; may be empty
  std::string header_lines; ///< configured additions; may hold secrets
  http::client_options client;
  http::client_timeouts timeouts;
};

/// What a front needs to know. Shared by all fronts, read-only: a change makes a new one.
struct front_config {
  translation_options translation;
  std::vector<upstream_target> upstreams; ///< never empty
  http::credential_set clients;
  pool_settings pool;
  cors_settings cors;
  models_settings models;
  known_models real_models;                        ///< built in and configured
  std::size_t answer_bytes_max = 64 * 1024 * 1024; ///< of an answer taken whole
  std::size_t event_bytes_max = 64 * 1024 * 1024;  ///< of one event of a stream
  duration models_ttl = std::chrono::minutes{10};

  /// Grows with each change of what models there may be; cached lists are of one edition.
  std::uint64_t edition = 0;

  /// Where the upstream of this number is in `upstreams`; nothing if it is not there (any more,
  /// or yet): a key must never be sent to another one.
  std::optional<std::size_t> index_of(std::uint32_t number) const {
    for (std::size_t i = 0; i < upstreams.size(); ++i)
      if (upstreams[i].number == number)
        return i;
    return std::nullopt;
  }
};

} // namespace troupe
