#pragma once

#include "actors/core/log_line.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>

namespace troupe {

/// Log lines on their way from every thread to the one that writes them. Bounded: when it is
/// full the oldest line is dropped and counted, so that no loop ever waits for a disk.
/// Thread-safe for any number of writers and one reader.
///
/// Waking the reader for every line would cost each request two system calls and the reader
/// one write per line. So only the first line after a calm wakes it; while lines keep coming it
/// looks in by itself every `nap`, and takes all of them together.
class log_queue {
public:
  static constexpr std::chrono::milliseconds nap{50};

  explicit log_queue(std::size_t lines_max);

  void push(log_record line);

  /// Lines taken, and how many were dropped since the last batch.
  struct batch {
    std::deque<log_record> lines;
    std::uint64_t dropped = 0;
  };

  /// Sleeps until there are lines, then takes all of them. False: the queue is closed and
  /// nothing is left.
  bool wait(batch& out);

  /// Waits until every line pushed before is written or dropped.
  void flush();

  /// The reader has written the batch that it took last.
  void written();

  /// No line is taken any more; those that wait are still given out.
  void close();

  std::uint64_t dropped() const; ///< since the start

private:
  bool must_wake() const { return closed_ || flushing_ || lines_.size() > lines_max_ / 2; }

  const std::size_t lines_max_;
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable caught_up_;
  std::deque<log_record> lines_;
  std::uint64_t dropped_ = 0;
  std::uint64_t dropped_told_ = 0;
  std::uint64_t pushed_ = 0; ///< these three count lines since the start, dropped ones too
  std::uint64_t taken_ = 0;
  std::uint64_t written_ = 0;
  bool closed_ = false;
  bool flushing_ = false; ///< somebody waits in `flush`
  bool asleep_ = false;   ///< the reader, until a line comes
  bool calm_ = true;      ///< the reader's last look found nothing
};

} // namespace troupe
