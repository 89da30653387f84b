#pragma once

#include "protocol/base/result.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::storage {

enum class credential_role : std::uint8_t { client = 1, admin = 2 };

/// A credential as it is kept: never its characters. The record's name is its key in the
/// store (`client/NAME`, `admin/NAME`).
struct credential_record {
  credential_role role = credential_role::client;
  std::array<std::uint8_t, 32> sha256{};
  std::int64_t created_at_ms = 0; ///< since 1970

  friend bool operator==(const credential_record&, const credential_record&) = default;
};

/// Layout, schema 1: schema (1 byte), role (1), created_at_ms (8, little-endian), sha256 (32).
std::string encode(const credential_record& r);

/// Fails with `corrupt` for any other length, schema or role, saying which.
result<credential_record> decode_credential(std::string_view bytes);

} // namespace troupe::storage
