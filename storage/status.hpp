#pragma once

// What RocksDB says, in our words. Only files of `storage/` that see RocksDB include this.

#include "protocol/base/result.hpp"

#include <string_view>

#include <rocksdb/slice.h>
#include <rocksdb/status.h>

namespace troupe::storage {

/// `corrupt`, `storage_full` (no room, no quota, a file that may not grow), `permission`
/// (read-only, not ours), else `storage_failed`. RocksDB tells most of them by words alone.
errc code_of(const rocksdb::Status& status);

/// The failure of `doing`, with what the operator can do about it where that is known.
failure failed(std::string_view doing, const rocksdb::Status& status);

/// Whether what lies there is damaged, rather than the disk unwilling: then trying again is in
/// vain, and rescuing is not. A file that is missing is damage too.
bool is_damage(const rocksdb::Status& status);

inline rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}

} // namespace troupe::storage
