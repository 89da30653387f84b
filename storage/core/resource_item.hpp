#pragma once

// Whose a resource of an upstream is (a file, a cached content, a stored response): the column
// `resources`, under the resource's name. Little-endian:
//
//   u8 schema = 1, u64 key, u64 credential, i64 expires_at_ms
//
// The database checks its blocks with checksums of its own, so none is kept here: there may be a
// million of these rows.

#include "protocol/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::storage {

/// The longest name that is kept.
constexpr std::size_t resource_name_bytes_max = 256;

struct resource_item {
  std::uint64_t key = 0;        ///< `key_id::value` of the key that made it
  std::uint64_t credential = 0; ///< of the client for whom it was made; 0: nobody's
  std::int64_t expires_at_ms = 0;

  friend bool operator==(const resource_item&, const resource_item&) = default;
};

std::string encode(const resource_item& r);

/// `corrupt`, in words, for a schema that is not known and for bytes that end too soon or are
/// left over.
result<resource_item> decode_resource_item(std::string_view bytes);

} // namespace troupe::storage
