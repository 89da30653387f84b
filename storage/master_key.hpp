#pragma once

// Master keys in files. A file is whole or not there, whenever the process or the power ends.

#include "protocol/base/result.hpp"
#include "storage/cipher.hpp"

#include <optional>
#include <string>

namespace troupe::storage {

/// Nothing if there is no such file. `permission` if others may read it, or we may not;
/// `invalid_argument` if it holds no key.
result<std::optional<key_bytes>> read_key_file(const std::string& path);

/// Makes `path`, with mode 0600; on the disk, its name too, when it returns. `already_exists`,
/// and nothing changed, if there is one.
result<void> write_key_file(const std::string& path, const key_bytes& k);

/// `from` becomes `to`, on the disk when it returns.
result<void> move_key_file(const std::string& from, const std::string& to);

/// The name of the file while keys are being changed.
std::string next_file(const std::string& path);

} // namespace troupe::storage
