#pragma once

#include "storage/cipher.hpp"
#include "storage/vault.hpp"

#include <optional>
#include <string>

namespace troupe::storage {

/// A master key and where it is from, for words to operators.
struct master_key {
  key_bytes bytes;
  std::string origin; ///< `TROUPE_MASTER_KEY`, or the path of the file
  bool in_file = false;
};

/// Nothing if there is no such file. `permission` if others may read it, or we may not;
/// `invalid_argument` if it holds no key.
result<std::optional<key_bytes>> read_key_file(const std::string& path);

/// Makes `path`, which must not exist, with mode 0600; on the disk, its name too, when it
/// returns.
result<void> write_key_file(const std::string& path, const key_bytes& k);

/// `from` becomes `to`, on the disk when it returns.
result<void> move_key_file(const std::string& from, const std::string& to);

/// The name of the file while keys are being changed.
std::string next_file(const std::string& path);

} // namespace troupe::storage
