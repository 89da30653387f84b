#include "storage/core/crc32c.hpp"

#include <array>

namespace troupe::storage {

namespace {

consteval std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    auto rest = byte;
    for (int bit = 0; bit < 8; ++bit)
      rest = (rest & 1) != 0 ? (rest >> 1) ^ 0x82F63B78U : rest >> 1;
    table[byte] = rest;
  }
  return table;
}

constexpr auto table = make_table();

} // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  auto sum = ~before;
  for (const char c : bytes)
    sum = table[(sum ^ static_cast<unsigned char>(c)) & 0xFF] ^ (sum >> 8);
  return ~sum;
}

} // namespace troupe::storage
