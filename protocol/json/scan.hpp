#pragma once

#include <array>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace troupe::json {

inline constexpr auto stop_bytes = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 0x20; ++c)
    table[c] = true;
  table['"'] = table['\\'] = true;
  table[0xE2] = true;
  return table;
}();

/// The first byte in [at, end) that a JSON string may not hold as it stands: `"`, `\`, a
/// control character, or 0xE2, which may begin U+2028 or U+2029. `end` if there is none.
inline const char* next_stop(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i separator = _mm_set1_epi8(static_cast<char>(0xE2));
  const __m128i last_control = _mm_set1_epi8(0x1F);
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i found =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                     _mm_or_si128(_mm_cmpeq_epi8(bytes, separator),
                                  _mm_cmpeq_epi8(_mm_max_epu8(bytes, last_control), last_control)));
    if (const int mask = _mm_movemask_epi8(found); mask != 0)
      return at + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  while (at != end && !stop_bytes[static_cast<unsigned char>(*at)])
    ++at;
  return at;
}

} // namespace troupe::json
