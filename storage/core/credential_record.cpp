#include "storage/core/credential_record.hpp"

#include "storage/core/bytes.hpp"

namespace troupe::storage {

namespace {
constexpr std::uint8_t schema = 1;
constexpr std::size_t size = 1 + 1 + 8 + 32;
} // namespace

std::string encode(const credential_record& r) {
  byte_writer out;
  out.number(schema);
  out.number(static_cast<std::uint8_t>(r.role));
  out.number(r.created_at_ms);
  for (const auto b : r.sha256)
    out.number(b);
  return out.take();
}

result<credential_record> decode_credential(std::string_view bytes) {
  byte_reader in(bytes);
  std::uint8_t found = 0;
  in.number(found);
  if (found != schema)
    return failure{errc::corrupt, "a credential record of an unknown schema: was this data "
                                  "directory written by a newer version?"};
  if (bytes.size() != size)
    return failure{errc::corrupt, "a credential record of " + std::to_string(bytes.size())
                                      + " bytes instead of " + std::to_string(size)};
  credential_record r;
  std::uint8_t role = 0;
  in.number(role);
  in.number(r.created_at_ms);
  for (auto& b : r.sha256)
    in.number(b);
  if (role != static_cast<std::uint8_t>(credential_role::client)
      && role != static_cast<std::uint8_t>(credential_role::admin))
    return failure{errc::corrupt, "a credential record with an unknown role"};
  r.role = static_cast<credential_role>(role);
  return r;
}

} // namespace troupe::storage
