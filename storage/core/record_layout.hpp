#pragma once

// How a key's state lies on disk. Fixed layout, little-endian, first a schema byte:
//
//   u8 schema = 1
//   u8 disabled        i64 since_at_ms
//   u32 strikes
//   u8 rest_reason     i64 rest_until_at_ms
//   u64 granted, expired, abandoned
//   u64 answers[13]
//   u64 prompt, output, thought, cached tokens
//   i64 last_used_at_ms, last_error_at_ms
//   u16 length, bytes  last_error
//   u16 count, then for each model:
//     u16 length, bytes  model
//     u8 reason  i64 until_at_ms  u32 throttles  u32 strikes
//
// The database checks its blocks with checksums of its own, so none is kept here. A change of
// the layout takes a new schema byte and a reader for each older one; a reader refuses what it
// does not know rather than guess. What the numbers in `disabled` and the reasons mean is the
// writer's business (`actors/core/key_state.hpp`).

#include "protocol/base/result.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::storage {

/// A rest of one model on one key.
struct model_record {
  std::string model;
  std::uint8_t reason = 0;
  std::int64_t until_at_ms = 0;
  std::uint32_t throttles = 0;
  std::uint32_t strikes = 0;

  friend bool operator==(const model_record&, const model_record&) = default;
};

/// Everything that is kept of one key's state. Instants are wall-clock milliseconds since 1970.
struct key_state_record {
  std::uint8_t disabled = 0; ///< 0: not; else the reason
  std::int64_t since_at_ms = 0;
  std::uint32_t strikes = 0;
  std::uint8_t rest_reason = 0; ///< of the whole key; 0: does not rest
  std::int64_t rest_until_at_ms = 0;
  std::uint64_t granted = 0;
  std::uint64_t expired = 0;
  std::uint64_t abandoned = 0;
  std::array<std::uint64_t, 13> answers{};
  std::uint64_t prompt_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::uint64_t thought_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::int64_t last_used_at_ms = 0;
  std::int64_t last_error_at_ms = 0;
  std::string last_error; ///< masked
  std::vector<model_record> models;

  friend bool operator==(const key_state_record&, const key_state_record&) = default;
};

/// The bytes of `r`. Texts longer than 65,535 bytes are cut there, models beyond 65,535 left out.
std::string encode(const key_state_record& r);

/// The inverse of `encode`. `corrupt`, in words, for a schema that is not known, for bytes that
/// end too soon, and for bytes that are left over.
result<key_state_record> decode_key_state(std::string_view bytes);

/// A key's place in the column: its 64 bits, big-endian, so that keys lie in order.
std::string row_of(std::uint64_t key);
/// The inverse; 0 for what is no such row.
std::uint64_t key_of_row(std::string_view row);

} // namespace troupe::storage
