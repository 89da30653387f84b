#pragma once

#include "protocol/base/log.hpp"
#include "protocol/base/result.hpp"
#include "protocol/config/settings.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace troupe {

struct log_counters {
  std::uint64_t dropped = 0; ///< lines that found the queue full
  std::uint64_t failed = 0;  ///< writes that the disk refused, each of one line or more
};

/// The log of a node. Lines are handed to one thread of its own, which sleeps while there are
/// none, and written there: to one file per area (`http.log`, ...) and errors of all areas to
/// `errors.log` as well, or to standard output or error. Rotated files are `http.1.log`, ...
/// Thread-safe. Its destructor writes what is left.
class node_log : public log_sink {
public:
  virtual log_counters counters() const = 0;

  /// Least levels of lines per area, from now on. Any thread.
  virtual void levels(const std::array<log_level, log_areas>& least) = 0;

  /// Waits until everything written before is with the operating system.
  virtual void flush() = 0;
};

/// Starts the log. Files go to `s.directory`, or to `logs` below `data_dir` if that is empty;
/// the directory is made, for its owner only. Files older than `s.age_max` are removed.
/// Fails with `permission`, `not_found` or `storage_failed`, naming the path.
result<std::unique_ptr<node_log>> make_log(const log_settings& s, const std::string& data_dir);

} // namespace troupe
