#pragma once

// Reads a table file of RocksDB (an SST) row by row, also where it is damaged. RocksDB checks
// whole blocks: one wrong byte takes all rows of a block away, and one in a length or a restart
// point ends an iteration that does not check. Here a row is taken from wherever its block still
// points to it, and marked as not sound: a checksum of its own must prove it.
//
// Only tables as this version writes them are read: not compressed, with CRC-32C, keys not
// shortened against the row before. A block is
//
//   entries: varint shared (0), varint length of key, varint length of value, key, value
//   u32 offset of each entry; u32 their number
//   u8 compression (0); u32 CRC-32C, masked, over block and compression
//
// and a key ends in 8 bytes: u8 type (0 erased, 1 value) and 56 bits of sequence. Where the
// index is damaged, the blocks are found by their checksums.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::storage {

/// Views into the bytes of the file.
struct table_row {
  std::string_view key;
  std::string_view value;
  std::uint64_t sequence = 0;
  bool erased = false;
  bool sound = false;  ///< its block has the right checksum
  bool placed = false; ///< the row before it and its block's list agree on where it begins
};

struct table_contents {
  std::vector<table_row> rows;
  std::string column;              ///< name of the column family; empty: not to be found
  std::optional<std::uint32_t> id; ///< its number
  std::size_t damaged = 0;         ///< blocks that are not what was written
  bool foreign = false;            ///< compressed, or with other checksums: nothing was read
};

table_contents read_table(std::string_view bytes);

} // namespace troupe::storage
