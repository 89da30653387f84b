#pragma once

#include "protocol/base/result.hpp"
#include "protocol/base/secret.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::storage {

/// 32 bytes that nobody may see. Wiped when it goes.
class key_bytes {
public:
  static constexpr std::size_t size = 32;

  key_bytes() = default;
  ~key_bytes();
  key_bytes(const key_bytes&) = default;
  key_bytes& operator=(const key_bytes&) = default;

  static key_bytes random();
  std::uint8_t* data() { return bytes_.data(); }
  const std::uint8_t* data() const { return bytes_.data(); }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.data()), size}; }

  friend bool operator==(const key_bytes& a, const key_bytes& b);

private:
  std::array<std::uint8_t, size> bytes_{};
};

/// 64 hex digits or standard base64 (44 characters) of exactly 32 bytes, as `openssl rand -hex 32`
/// prints them; white space around it is ignored. Nothing for any other text.
std::optional<key_bytes> parse_key_bytes(std::string_view text);
/// 64 hex digits.
secret print_key_bytes(const key_bytes& k);

/// AES-256-GCM with a random nonce: 12 bytes nonce, the ciphertext, 16 bytes tag. `context` is
/// authenticated, not written. Any thread may call. Random nonces allow 2^32 seals under one key
/// before a repetition is likelier than 2^-32 (NIST SP 800-38D, 8.3).
std::string seal_bytes(const key_bytes& with, std::string_view context, std::string_view plain);

/// `corrupt` unless it was sealed with this key and context, and not a bit of it has changed.
result<secret> open_bytes(const key_bytes& with, std::string_view context, std::string_view sealed);

/// As `open_bytes`, for a key that was sealed: its bytes lie nowhere else meanwhile.
result<key_bytes> open_key(const key_bytes& with, std::string_view context,
                           std::string_view sealed);

/// HKDF-SHA-256 (RFC 5869) of `from`.
key_bytes derive_key(const key_bytes& from, std::string_view salt, std::string_view purpose);

/// The first 8 hex digits of the SHA-256 of a fixed text and the key: names it to people.
std::string fingerprint_of(const key_bytes& k);

} // namespace troupe::storage
