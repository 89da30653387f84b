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

#if defined(__SSE2__)
/// 0xFF for each of sixteen bytes that is a stop byte.
inline __m128i stops_among(__m128i bytes) {
  // Exchanging 0x20 and 0x22 puts the quote right behind the control characters.
  const __m128i last = _mm_set1_epi8(0x20);
  const __m128i low = _mm_xor_si128(bytes, _mm_set1_epi8(0x02));
  return _mm_or_si128(_mm_cmpeq_epi8(_mm_max_epu8(low, last), last),
                      _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')),
                                   _mm_cmpeq_epi8(bytes, _mm_set1_epi8(static_cast<char>(0xE2)))));
}

inline unsigned bits(__m128i stops) {
  return static_cast<unsigned>(_mm_movemask_epi8(stops));
}

inline __m128i load16(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}
inline void store16(char* to, __m128i bytes) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
}
#endif

/// The first byte in [at, end) that a JSON string may not hold as it stands: `"`, `\`, a
/// control character, or 0xE2, which may begin U+2028 or U+2029. `end` if there is none.
inline const char* next_stop(const char* at, const char* end) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16)
    if (const auto stops = bits(stops_among(load16(at))))
      return at + __builtin_ctz(stops);
#endif
  while (at != end && !stop_bytes[static_cast<unsigned char>(*at)])
    ++at;
  return at;
}

/// The same, and copies to `to` what lies before it. Sixteen bytes are written at a time, so
/// `to` needs room for fifteen more than are wanted.
inline const char* copy_to_stop(const char* at, const char* end, char* to) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16, to += 16) {
    const __m128i bytes = load16(at);
    store16(to, bytes);
    if (const auto stops = bits(stops_among(bytes)))
      return at + __builtin_ctz(stops);
  }
  if (end - at >= 8) { // most strings are short: their tails are most of them
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), bytes);
    if (const auto stops = bits(stops_among(bytes)) & 0xFF)
      return at + __builtin_ctz(stops);
    at += 8;
    to += 8;
  }
#endif
  while (at != end && !stop_bytes[static_cast<unsigned char>(*at)])
    *to++ = *at++;
  return at;
}

} // namespace troupe::json
