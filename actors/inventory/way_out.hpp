#pragma once

#include "actors/inventory/key_table.hpp"

#include <cstdint>

namespace troupe {

/// The outgoing proxy for a check of this key: its own, else one of those that the settings give
/// to its groups; empty: it goes out directly. Which of them live is the pool's to know: a check by
/// a dead one finds out nothing, but a key that has proxies is never seen without one.
secret way_out_of(const egress_settings& s, std::uint64_t key, const key_table::entry& e);

} // namespace troupe
