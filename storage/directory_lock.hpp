#pragma once

#include "protocol/base/result.hpp"

#include <string>
#include <string_view>

namespace troupe::storage {

/// Holds a directory for this process. The lock goes with the process, however it ends. It
/// also keeps out a second holder in the same process, which RocksDB's own lock reports in
/// words that no operator understands.
class directory_lock {
public:
  /// The file in the directory that is locked.
  static constexpr std::string_view name = "troupe.lock";

  /// `already_exists` if somebody has it; the text names the directory, as a `what`, and the
  /// process.
  static result<directory_lock> take(const std::string& directory,
                                     std::string_view what = "data directory");

  ~directory_lock();
  /// Lets go early.
  void release();
  directory_lock(directory_lock&& other) noexcept;
  directory_lock& operator=(directory_lock&&) = delete;

private:
  explicit directory_lock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

} // namespace troupe::storage
