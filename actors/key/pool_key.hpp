#pragma once

#include "protocol/base/limit.hpp"
#include "protocol/base/secret.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// A key as it comes to the pool.
struct pool_key {
  std::uint64_t key = 0; ///< fingerprint of `secret_text`
  std::string name;
  secret secret_text;
  std::uint32_t upstream = 0;        ///< number of the upstream, unique while the process runs
  std::vector<std::string> groups{}; ///< for credentials that may use some keys only
  bool returning = false; ///< it was here before, perhaps: what is kept of its state counts
  bool enabled = true;    ///< false: disabled by an operator, whatever is stored of its state
  std::int32_t tier = 0;  ///< lower tiers are used first
  std::uint32_t weight = 1;
  std::string domain{};        ///< quota domain; empty: its own
  std::vector<limit> limits{}; ///< its own and those of its upstream
  secret proxy{};              ///< its own outgoing proxy; empty: none of its own
};

} // namespace troupe
