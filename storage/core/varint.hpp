#pragma once

// The numbers in RocksDB's own files: 7 bits a byte, the lowest first, the high bit saying that
// more follow.

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::storage {

/// Takes one off the front of `bytes`; nothing if they end too soon or it has over 64 bits.
inline std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t sum = 0;
  for (unsigned i = 0; i < 10 && i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    sum |= std::uint64_t{byte & 0x7FU} << (7 * i);
    if ((byte & 0x80U) == 0) {
      bytes.remove_prefix(i + 1);
      return sum;
    }
  }
  return std::nullopt;
}

/// Takes a text with its length before it.
inline std::optional<std::string_view> take_counted(std::string_view& bytes) {
  auto rest = bytes;
  const auto length = take_varint(rest);
  if (!length || *length > rest.size())
    return std::nullopt;
  const auto text = rest.substr(0, *length);
  bytes = rest.substr(*length);
  return text;
}

/// A little-endian number of fixed width at `at`, which must be there.
template <class Number>
Number number_at(std::string_view bytes, std::size_t at) {
  Number sum = 0;
  for (std::size_t i = sizeof(Number); i > 0; --i)
    sum = static_cast<Number>(sum << 8 | static_cast<unsigned char>(bytes[at + i - 1]));
  return sum;
}

/// How RocksDB stores a CRC-32C: turned and shifted, so that a checksum over bytes that hold
/// checksums is still a good one.
inline std::uint32_t masked(std::uint32_t crc) {
  return (crc >> 15 | crc << 17) + 0xA282EAD8U;
}

} // namespace troupe::storage
