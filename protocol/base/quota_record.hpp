#pragma once

#include "protocol/base/limit.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// What is kept on disk of one quota domain, so that a crash cannot make it use more than it may.
/// Instants are wall-clock milliseconds since 1970.
///
/// Calls in flight whose instant of sending is not final, and tokens that they may still
/// produce, are in no window and not in `calls` and `tokens`: like everything between these and
/// the ceilings they are charged at the instant of a restore.
struct quota_record {
  struct entry {
    std::int64_t at_ms = 0;
    std::uint64_t amount = 0;

    friend bool operator==(const entry&, const entry&) = default;
  };
  /// A minute window: entries by instant, rounded up to whole seconds where there are many.
  /// `tpm` holds only tokens of which nobody knows whether they are input or output.
  /// A day: entries whose instants are the ends of the days.
  struct window {
    std::string model;
    limit_kind kind = limit_kind::rpm;
    std::vector<entry> entries;

    friend bool operator==(const window&, const window&) = default;
  };
  struct told {
    limit what;
    limit_source source = limit_source::told;
    std::int64_t at_ms = 0;

    friend bool operator==(const told&, const told&) = default;
  };

  std::int64_t written_at_ms = 0;
  std::uint64_t calls = 0, calls_ceiling = 0;   ///< granted ever, and how many may be
  std::uint64_t tokens = 0, tokens_ceiling = 0; ///< reserved ever, and how many may be
  std::vector<window> windows;
  std::vector<told> learnt;

  friend bool operator==(const quota_record&, const quota_record&) = default;
};

} // namespace troupe
