#pragma once

#include "actors/cli/core/table.hpp"
#include "protocol/base/time.hpp"
#include "protocol/config/document.hpp"

#include <cstdint>
#include <string>

/// Limits, the pool, upstreams and explained requests, for people.

namespace troupe::cli {

/// `812 ms`, `1.3 s`, `12.0 min`, `3.5 h`.
std::string span_text(std::int64_t ms);

/// What is used and left of each limit of a key; empty if it has none.
std::string draw_quota(const config::node& key, const look& l, wall_time now);

std::string draw_pool(const config::node& pool, const look& l);
std::string draw_upstreams(const config::node& list, const look& l);
std::string draw_explained(const config::node& request, const look& l, wall_time now);

} // namespace troupe::cli
