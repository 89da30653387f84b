#pragma once

// What all replicated rows have in common. An item is one settings document, one key, one
// credential: something that has one writer at a time and is replaced as a whole.
//
// Every row is an envelope around a payload, little-endian:
//
//   u8  schema of the envelope = 1
//   u8  flags: bit 0 deleted (the payload is empty: a tombstone)
//   u64 revision            1 for the first value of the item, then one more for each change
//   u64 epoch, u64 clock, 16 bytes node    the stamp of the write, see `stamp`
//   i64 created_at_ms, i64 changed_at_ms   wall clock, since 1970
//   u32 length, bytes       the payload, which begins with a schema byte of its own
//   u32 CRC-32C             over the row's key and everything before
//
// The checksum is there although the database has its own: when one byte of a block is wrong,
// the database refuses the whole block, and only our checksum can tell which rows of it still
// are what we wrote.

#include "protocol/base/result.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::storage {

using node_bytes = std::array<std::uint8_t, 16>;

/// Which of two writes of one item is the later one, on any node. Ordered by epoch, then by
/// clock, then by node.
struct stamp {
  std::uint64_t epoch = 0; ///< of the view under which it was written; 0: no cluster yet
  std::uint64_t clock = 0; ///< hybrid logical clock: milliseconds since 1970 << 16, and a count
  node_bytes node{};

  friend auto operator<=>(const stamp&, const stamp&) = default;
};

/// The clock after `last` when the wall clock says `wall_ms`: never the same and never back,
/// also when the wall clock steps back or `last` came from a node whose clock is ahead. Only at
/// the largest number, which the wall clock reaches after the year 10,000, does it stand still.
std::uint64_t next_clock(std::uint64_t last, std::int64_t wall_ms);

struct item_header {
  std::uint64_t revision = 0;
  stamp written;
  bool deleted = false;
  std::int64_t created_at_ms = 0;
  std::int64_t changed_at_ms = 0;

  friend bool operator==(const item_header&, const item_header&) = default;
};

struct item_row {
  item_header header;
  std::string payload;

  friend bool operator==(const item_row&, const item_row&) = default;
};

/// The row's value. `row_key` is what it will be stored under; a tombstone's payload is left out.
std::string encode_item(std::string_view row_key, const item_header& header,
                        std::string_view payload);

/// The inverse of `encode_item`. `corrupt`, in words that name the row only by `row_key`'s hex
/// digits, for a wrong checksum, another length, a schema or flag that is not known, and a
/// tombstone with a payload.
result<item_row> decode_item(std::string_view row_key, std::string_view bytes);

} // namespace troupe::storage
