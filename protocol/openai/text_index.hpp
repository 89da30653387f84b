#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace troupe::openai {

/// Finds, for a place in the upstream's text counted in bytes, the place in the client's text
/// counted in code points (R18), without keeping the text. It keeps where the width of
/// characters changes: nothing for ASCII, one entry for each run of characters of one width
/// else. What only the client sees (a code block, an image) shifts what comes after it.
class text_index {
public:
  /// Above this many runs, what comes later is counted at the width of the last one: a citation
  /// may then be some characters off, but memory stays bounded (64 KiB).
  static constexpr std::size_t runs_max = 4096;

  /// Text of the upstream, seen by the client.
  void add_text(std::string_view utf8);

  /// Text that the upstream does not count.
  void add_inserted(std::string_view utf8);

  /// The client's code point for the upstream's byte; a place past the end is the end.
  std::uint64_t code_point(std::uint64_t byte) const;

private:
  struct run {
    std::uint64_t byte;  ///< where it begins upstream
    std::uint64_t point; ///< and for the client
    std::uint32_t width; ///< bytes of each of its characters
  };

  void begin_run(std::uint32_t width);

  std::uint64_t bytes_ = 0;
  std::uint64_t points_ = 0;
  std::vector<run> runs_; ///< before the first one there is ASCII from 0 on
};

} // namespace troupe::openai
