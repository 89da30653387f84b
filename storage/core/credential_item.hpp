#pragma once

// A credential as it is kept in the column `credentials`, under `id/` and its 8 bytes,
// big-endian. Never its characters: the hash alone. The payload has a schema byte, 2; schema 1
// was the whole row of earlier versions (storage/core/credential_record.hpp), under
// `client/NAME` and `admin/NAME`, and is migrated when the database is opened.
//
//   u8 schema = 2, u8 role, 32 bytes sha256, i64 expires_at_ms
//   text name, note; texts models, groups
//   u16 count, limits as those of keys

#include "protocol/base/result.hpp"
#include "storage/core/key_item.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::storage {

/// Stored: values never change.
enum class role : std::uint8_t {
  client = 1,    ///< calls models; has no business on the admin port
  operator_ = 2, ///< may change everything
  viewer = 3,    ///< may look at everything that is not secret
};

/// `client`, `operator`, `viewer`.
std::string_view to_string(role r);

struct credential_item {
  role what = role::client;
  std::array<std::uint8_t, 32> sha256{};
  std::int64_t expires_at_ms = 0; ///< 0: never
  std::string name;               ///< unique among those of the same port that are not deleted
  std::string note;
  std::vector<std::string> models; ///< patterns with `*`; empty: every model
  std::vector<std::string> groups; ///< of keys; empty: all keys
  std::vector<limit> limits;

  friend bool operator==(const credential_item&, const credential_item&) = default;
};

std::string encode(const credential_item& c);
result<credential_item> decode_credential_item(std::string_view payload);

/// What names a credential: the first 64 bits of its hash, big-endian. Prints as `cred_` and
/// 16 hex digits.
std::uint64_t credential_id(const std::array<std::uint8_t, 32>& sha256);
std::string credential_name(std::uint64_t id);
/// The inverse of `credential_name`; 0 for any other text.
std::uint64_t parse_credential_name(std::string_view text);

/// `id/` and 8 bytes.
std::string credential_row(std::uint64_t id);
/// The inverse; 0 for what is no such row.
std::uint64_t credential_of_row(std::string_view row);

} // namespace troupe::storage
