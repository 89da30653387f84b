#pragma once

#include "http/client.hpp"
#include "http/core/credentials.hpp"
#include "protocol/config/settings.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// One upstream as the fronts call it.
struct upstream_target {
  std::string name;
  upstream_kind kind = upstream_kind::gemini;
  http::origin where;
  std::string base_path;    ///< goes before every path; may be empty
  std::string header_lines; ///< configured additions; may hold secrets
  http::client_options client;
  http::client_timeouts timeouts;
};

/// What a front needs to know, fixed while it serves. Shared by all fronts, read-only.
struct front_config {
  translation_options translation;
  std::vector<upstream_target> upstreams;                         ///< never empty
  std::unordered_map<std::uint64_t, std::size_t> upstream_by_key; ///< where it is not the first
  http::credential_set clients;
  pool_settings pool;
  cors_settings cors;
  models_settings models;
  known_models real_models;                        ///< built in and configured
  std::size_t answer_bytes_max = 64 * 1024 * 1024; ///< of an answer taken whole
  std::size_t event_bytes_max = 64 * 1024 * 1024;  ///< of one event of a stream
  duration models_ttl = std::chrono::minutes{10};

  std::size_t upstream_of(std::uint64_t key) const {
    if (upstreams.size() == 1)
      return 0;
    const auto i = upstream_by_key.find(key);
    return i == upstream_by_key.end() ? 0 : i->second;
  }
};

} // namespace troupe
