#include "storage/random.hpp"

#include "protocol/base/result.hpp"

#include <openssl/rand.h>

#include <vector>

namespace troupe::storage {

namespace {
void fill(unsigned char* to, std::size_t bytes) {
  const bool random = RAND_bytes(to, static_cast<int>(bytes)) == 1;
  TROUPE_ASSERT(random);
}
} // namespace

std::string random_hex(std::size_t bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::vector<unsigned char> raw(bytes);
  fill(raw.data(), bytes);
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
  fill(reinterpret_cast<unsigned char*>(&n), sizeof n);
  return n;
}

} // namespace troupe::storage
