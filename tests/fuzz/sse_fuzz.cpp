#include "protocol/base/result.hpp"
#include "protocol/sse/parser.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Bytes give the same events however they are cut, and no event is over its bound.

namespace {

constexpr std::size_t bound = 64;

struct reading {
  std::vector<std::string> events;
  bool overflowed;
  bool idle;

  friend bool operator==(const reading&, const reading&) = default;
};

/// Each piece lies in memory of its own, so that a view kept too long is seen.
reading read(std::string_view text, std::size_t step) {
  troupe::sse::parser parser{bound};
  reading got;
  for (std::size_t at = 0; at < text.size(); at += step) {
    const std::vector<char> piece(
        text.begin() + static_cast<std::ptrdiff_t>(at),
        text.begin() + static_cast<std::ptrdiff_t>(std::min(at + step, text.size())));
    parser.feed({piece.data(), piece.size()});
    for (std::string_view payload; parser.next(payload);)
      got.events.emplace_back(payload);
  }
  got.overflowed = parser.overflowed();
  got.idle = parser.idle();
  return got;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto whole = read(text, std::max<std::size_t>(text.size(), 1));
  for (const auto& event : whole.events)
    TROUPE_ASSERT(event.size() <= bound);
  const auto cut = read(text, 1 + data[0] % 16);
  // A line that is cut is held to its bound already where a whole one, skipped at once, is not.
  TROUPE_ASSERT(cut.overflowed || cut == whole);
  return 0;
}
