#pragma once

#include <string>

namespace troupe::storage {

/// Whether the logs, the MANIFEST or the file that names it are damaged in the database in
/// `path`, in words; empty: not so, or not to be read for another reason.
///
/// Must be asked before RocksDB opens the database: it takes some damage for the end of what
/// was written (see storage/core/log_file.hpp), and what has no CURRENT for a database yet to
/// be made.
std::string damage_of_logs(const std::string& path);

} // namespace troupe::storage
