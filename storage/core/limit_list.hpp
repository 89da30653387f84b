#pragma once

#include "storage/core/bytes.hpp"
#include "storage/core/key_item.hpp"

#include <vector>

namespace troupe::storage {

/// u16 count, then for each limit: text model, u8 kind, u64 amount.
void write_limits(byte_writer& out, const std::vector<limit>& list);

/// False for a kind that is not known; `in` tells of bytes that end too soon.
bool read_limits(byte_reader& in, std::vector<limit>& list);

} // namespace troupe::storage
