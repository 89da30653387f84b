#pragma once

// What the vault keeps in the column `settings`, and how every sealed text begins. Numbers are
// little-endian.
//
//   under `vault/master`   u8 schema = 1, 16 bytes salt, text fingerprint of the master key
//   under `vault/key/N`    u8 schema = 1, u32 N, then the wrapped data key: 12 bytes nonce,
//                          32 bytes ciphertext, 16 bytes tag
//   a sealed text          u8 schema = 1, u32 N of its data key, 12 bytes nonce, the ciphertext,
//                          16 bytes tag
//
// The fingerprint is there for words to operators and to tell a wrong master key from damage; the
// wrapped keys open, or do not, by their tags alone.

#include "protocol/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::storage {

/// All rows of the vault begin with it.
inline constexpr std::string_view vault_rows = "vault/";
inline constexpr std::string_view master_row = "vault/master";

struct master_record {
  static constexpr std::size_t salt_bytes = 16;

  std::string salt;        ///< exactly `salt_bytes`
  std::string fingerprint; ///< of the master key that wraps the data keys

  friend bool operator==(const master_record&, const master_record&) = default;
};

std::string encode(const master_record& m);
result<master_record> decode_master_record(std::string_view bytes);

struct data_key_record {
  static constexpr std::size_t wrapped_bytes = 12 + 32 + 16;

  std::uint32_t number = 0; ///< from 1
  std::string wrapped;      ///< exactly `wrapped_bytes`

  friend bool operator==(const data_key_record&, const data_key_record&) = default;
};

std::string encode(const data_key_record& k);
result<data_key_record> decode_data_key_record(std::string_view bytes);

/// `vault/key/` and the number, decimal. Also the context under which the key is wrapped.
std::string data_key_row(std::uint32_t number);
bool is_data_key_row(std::string_view row);

/// A sealed text, split into whose key opens it and what that key opens.
struct sealed_text {
  std::uint32_t data_key = 0;
  std::string_view box; ///< nonce, ciphertext, tag: lies in the text that was split
};

std::string join_sealed(std::uint32_t data_key, std::string_view box);
/// Nothing for what cannot be a sealed text, or is one of a later version.
std::optional<sealed_text> split_sealed(std::string_view sealed);

} // namespace troupe::storage
