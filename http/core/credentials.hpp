#pragma once

#include "protocol/base/key_id.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a client shows us, and the names that keys have in logs. Characters of a secret are
/// hashed as soon as they are seen and never kept.

namespace troupe::http {

using sha256_hash = std::array<std::uint8_t, 32>;

sha256_hash sha256(std::string_view text);

/// 64 hex digits, of either case; nothing for any other text.
std::optional<sha256_hash> parse_sha256(std::string_view hex);

/// The loggable id of a key: the first 64 bits of the SHA-256 of its secret, big endian.
key_id fingerprint(std::string_view secret);

struct credential {
  std::string name;
  sha256_hash hash{};                ///< of its secret
  std::int64_t expires_at_ms = 0;    ///< wall clock, since 1970; 0: never
  std::uint32_t tag = 0;             ///< of the set's owner: what it is, as he counts
  std::vector<std::string> models{}; ///< patterns of those it may use; empty: all
  std::vector<std::string> groups{}; ///< of keys that it may use; empty: all
  std::uint64_t id = 0;              ///< of the set's owner, as `tag`
};

credential credential_of(std::string name, std::string_view secret);

/// Whether `text` is what `pattern` says: `*` stands for any run of characters, also none; every
/// other character for itself. Never goes back over a star: takes at worst the length of `text`
/// times that of the longest piece between two stars.
bool matches(std::string_view pattern, std::string_view text);
bool matches_any(const std::vector<std::string>& patterns, std::string_view text);

/// Who may call us. Immutable, so any thread may ask.
class credential_set {
public:
  credential_set() = default;
  explicit credential_set(std::vector<credential> list);

  /// The credential whose secret this is; of several, the first in the list. Costs one hash
  /// and a search by its beginning, which tells a listener nothing: whole hashes are
  /// compared in constant time, and no secret follows from the beginning of its hash.
  /// Nothing for an empty text.
  const credential* find(std::string_view presented) const;

  std::size_t size() const { return sorted_.size(); }

private:
  std::vector<credential> sorted_; ///< by the beginning of the hash
};

/// Where a request may show a credential. Empty: not there.
struct credential_places {
  std::string_view authorization;  ///< only with the scheme `Bearer`
  std::string_view x_api_key;      ///< as Anthropic's clients send it
  std::string_view x_goog_api_key; ///< as Gemini's clients send it
  std::string_view query;          ///< `key`, percent-decoded
};

/// The first that is not empty, in the order of `credential_places`; else an empty text.
std::string presented_in(const credential_places& places);

/// `query` without its parameters named `key`; every other byte stays.
std::string without_key(std::string_view query);

} // namespace troupe::http
