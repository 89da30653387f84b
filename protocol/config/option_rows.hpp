#pragma once

#include "protocol/config/options.hpp"

#include <cstdint>
#include <span>

/// The rows of the option table, section by section, and what they are written with. Each row
/// binds a name to a member, so that a new member is one row, one line in configs/troupe.json
/// (a test asks for it), and nothing else. Only `option_table.cpp` needs the functions.

namespace troupe::config {

template <class E>
field choice(E& target) {
  return choice_field{
      &target, [](const void* p) { return static_cast<std::size_t>(*static_cast<const E*>(p)); },
      [](void* p, std::size_t i) { *static_cast<E*>(p) = static_cast<E>(i); }};
}

using type = option_type;
using at = std::size_t;

constexpr std::int64_t second = 1'000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
constexpr std::int64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

std::span<const option> node_rows(); ///< the node itself, `server`, `cors`
std::span<const option> upstream_rows();
std::span<const option> pool_rows(); ///< `pool`, `breaker`, `egress`
std::span<const option> credential_rows();
std::span<const option> model_rows(); ///< `models`, `translation`
std::span<const option> log_rows();

} // namespace troupe::config
