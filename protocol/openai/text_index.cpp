#include "protocol/openai/text_index.hpp"

#include <algorithm>
#include <cstring>

namespace troupe::openai {
namespace {

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

std::uint32_t width_of(char lead) {
  const auto c = static_cast<unsigned char>(lead);
  return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

/// How many bytes at the beginning of `text` are ASCII.
std::size_t ascii_prefix(std::string_view text) {
  std::size_t at = 0;
  for (std::uint64_t word; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & 0x8080808080808080ULL) != 0)
      break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80)
    ++at;
  return at;
}

} // namespace

void text_index::add_text(std::string_view utf8) {
  while (!utf8.empty()) {
    const auto width = width_of(utf8.front());
    std::size_t bytes = 0, points = 0;
    if (width == 1) {
      points = bytes = ascii_prefix(utf8);
    } else {
      while (bytes < utf8.size() && width_of(utf8[bytes]) == width) {
        bytes += width;
        ++points;
      }
      bytes = std::min(bytes, utf8.size());
    }
    if ((runs_.empty() ? 1 : runs_.back().width) != width)
      begin_run(width);
    bytes_ += bytes;
    points_ += points;
    utf8.remove_prefix(bytes);
  }
}

void text_index::add_inserted(std::string_view utf8) {
  points_ += static_cast<std::uint64_t>(std::count_if(utf8.begin(), utf8.end(), starts_character));
  begin_run(1);
}

void text_index::begin_run(std::uint32_t width) {
  if (!runs_.empty() && runs_.back().byte == bytes_)
    runs_.back() = {bytes_, points_, width}; // nothing lies between the two
  else if (runs_.size() < runs_max)
    runs_.push_back({bytes_, points_, width});
}

std::uint64_t text_index::code_point(std::uint64_t byte) const {
  byte = std::min(byte, bytes_);
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), byte,
                                      [](std::uint64_t b, const run& r) { return b < r.byte; });
  if (after == runs_.begin())
    return byte;
  const run& r = *std::prev(after);
  return std::min(r.point + (byte - r.byte) / r.width, points_);
}

} // namespace troupe::openai
