#include "storage/random.hpp"

#include "protocol/base/result.hpp"

#include <openssl/rand.h>

#include <vector>

namespace troupe::storage {

void fill_random(std::uint8_t* to, std::size_t bytes) {
  const bool random = RAND_bytes(to, static_cast<int>(bytes)) == 1;
  TROUPE_ASSERT(random);
}

std::string random_hex(std::size_t bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::vector<unsigned char> raw(bytes);
  fill_random(raw.data(), bytes);
  std::string out;
  out.reserve(2 * bytes);
  for (const auto b : raw) {
    out += digits[b >> 4];
    out += digits[b & 15];
  }
  return out;
}

std::uint64_t random_number() {
  std::uint64_t n = 0;
  fill_random(reinterpret_cast<std::uint8_t*>(&n), sizeof n);
  return n;
}

} // namespace troupe::storage
