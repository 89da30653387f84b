#pragma once

#include <cstdint>
#include <string_view>

namespace troupe::storage {

/// CRC-32C (Castagnoli polynomial, reflected 0x82F63B78) of `bytes`, going on from `before`: the
/// checksum of what came earlier, 0 at the beginning.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

} // namespace troupe::storage
