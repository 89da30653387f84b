#pragma once

// Reads the log format of RocksDB, in which also its MANIFEST is written, more stubbornly than
// RocksDB does: a damaged record hurts only itself, and damage is told from an unfinished end.
//
// RocksDB cannot be asked for that. Its log reader takes a record whose length reaches beyond
// the end of the file for one that was being written when the process died, whatever lies
// behind; one flipped byte in a length then silently drops every acknowledged record after it.
//
// The file is a row of blocks of 32,768 bytes, records do not cross them:
//
//   u32 CRC-32C, masked, over type and payload; u16 length; u8 type; payload
//   type: 1 a whole record, 2 its first part, 3 a middle part, 4 its last part
//   fewer than 7 bytes left in a block are zeros

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::storage {

struct log_contents {
  std::vector<std::string> records; ///< whole, in order
  std::size_t damaged = 0;          ///< places that are not what was written
  bool unfinished = false;          ///< its last record was never written to the end: no damage
};

log_contents read_log(std::string_view bytes);

/// One change of a record of a write-ahead log.
struct logged_change {
  std::uint32_t column = 0; ///< RocksDB's number of the column family
  std::uint64_t sequence = 0;
  bool erase = false;
  std::string_view key;
  std::string_view value;
};

/// Calls `visit` with each change of a record. False, and no call at all, for a record that
/// this version did not write.
bool for_each_change(std::string_view record,
                     const std::function<void(const logged_change&)>& visit);

/// What the records of a MANIFEST say of table files, by their numbers, sorted.
struct manifest_files {
  std::vector<std::uint64_t> added;
  std::vector<std::uint64_t> deleted;
};

/// Records that cannot be read are passed over.
manifest_files files_of(const std::vector<std::string>& manifest_records);

} // namespace troupe::storage
