#include "storage/core/credential_record.hpp"

#include <algorithm>

namespace troupe::storage {

namespace {
constexpr std::uint8_t schema = 1;
constexpr std::size_t size = 1 + 1 + 8 + 32;
} // namespace

std::string encode(const credential_record& r) {
  std::string out;
  out.reserve(size);
  out += static_cast<char>(schema);
  out += static_cast<char>(r.role);
  const auto at = static_cast<std::uint64_t>(r.created_at_ms);
  for (int shift = 0; shift < 64; shift += 8)
    out += static_cast<char>((at >> shift) & 0xff);
  out.append(reinterpret_cast<const char*>(r.sha256.data()), r.sha256.size());
  return out;
}

result<credential_record> decode_credential(std::string_view bytes) {
  if (bytes.empty() || static_cast<std::uint8_t>(bytes[0]) != schema)
    return failure{errc::corrupt, "a credential record of an unknown schema: was this data "
                                  "directory written by a newer version?"};
  if (bytes.size() != size)
    return failure{errc::corrupt, "a credential record of " + std::to_string(bytes.size())
                                      + " bytes instead of " + std::to_string(size)};
  credential_record r;
  const auto role = static_cast<std::uint8_t>(bytes[1]);
  if (role != 1 && role != 2)
    return failure{errc::corrupt, "a credential record with an unknown role"};
  r.role = static_cast<credential_role>(role);
  std::uint64_t at = 0;
  for (int i = 0; i < 8; ++i)
    at |= std::uint64_t{static_cast<std::uint8_t>(bytes[2 + static_cast<std::size_t>(i)])}
          << (8 * i);
  r.created_at_ms = static_cast<std::int64_t>(at);
  std::copy(bytes.begin() + 10, bytes.end(), reinterpret_cast<char*>(r.sha256.data()));
  return r;
}

} // namespace troupe::storage
