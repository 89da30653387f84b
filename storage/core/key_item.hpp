#pragma once

// A key as it is kept in the column `keys`, under its 8 bytes, big-endian (`row_of`). The
// payload, schema 1, little-endian; texts are u16 length and bytes, lists u16 count and
// elements:
//
//   u8 schema = 1
//   u8 flags: bit 0 enabled
//   u32 length, bytes      the sealed secret (storage/vault.hpp); empty: it is configured
//   text upstream, kind, name, domain, note
//   u32 length, bytes      the sealed address of the proxy; empty: none
//   texts groups, tags
//   u32 weight, i32 tier
//   u16 count, limits:     text model, u8 kind, u64 amount

#include "protocol/base/limit.hpp"
#include "protocol/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::storage {

using troupe::limit;
using troupe::limit_kind;

/// What an operator says of one key. Its health is not here but in `key_state_record`.
struct key_item {
  bool enabled = true;
  std::string sealed_secret; ///< empty: the key is configured, its secret is not kept here
  std::string upstream;      ///< name of the upstream it is for
  std::string kind;          ///< empty: as its upstream
  std::string name;          ///< for people; empty: none given
  std::string domain;        ///< quota domain; empty: its own
  std::vector<std::string> groups;
  std::vector<std::string> tags;
  std::uint32_t weight = 1;
  std::int32_t tier = 0; ///< lower tiers are used first
  std::vector<limit> limits;
  std::string proxy_sealed; ///< sealed address of its outgoing proxy (may hold a password)
  std::string note;

  friend bool operator==(const key_item&, const key_item&) = default;
};

/// Texts longer than 65,535 bytes are cut there.
std::string encode(const key_item& k);

/// `corrupt`, in words, for an unknown schema, bytes that end too soon or are left over.
result<key_item> decode_key_item(std::string_view payload);

} // namespace troupe::storage
