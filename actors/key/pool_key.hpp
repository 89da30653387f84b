#pragma once

#include "protocol/base/secret.hpp"

#include <cstdint>
#include <string>

namespace troupe {

/// A key as it comes to the pool.
struct pool_key {
  std::uint64_t key = 0; ///< fingerprint of `secret_text`
  std::string name;
  secret secret_text;
  std::uint32_t upstream = 0; ///< number of the upstream, unique while the process runs
  bool enabled = true;        ///< false: disabled by an operator, whatever is stored of its state
};

} // namespace troupe
