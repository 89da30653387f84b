#include "actors/cli/core/display.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace troupe::cli {

namespace {

struct range {
  char32_t first, last;
};

/// Unicode 15, East Asian Width W and F, in blocks: what is unassigned between them is wide too.
constexpr std::array<range, 21> wide{
    {{0x1100, 0x115F},  {0x231A, 0x231B}, {0x23E9, 0x23EC}, {0x25FD, 0x25FE},   {0x2614, 0x2615},
     {0x2648, 0x2653},  {0x26AA, 0x26AB}, {0x2705, 0x2705}, {0x274C, 0x274C},   {0x2E80, 0x303E},
     {0x3041, 0x4DBF},  {0x4E00, 0xA4CF}, {0xA960, 0xA97C}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
     {0xFE30, 0xFE6B},  {0xFF01, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F680, 0x1FAFF},
     {0x20000, 0x3FFFD}}};

/// Combining marks, joiners and variation selectors of the scripts that names are written in.
constexpr std::array<range, 13> joined{{{0x0300, 0x036F},
                                        {0x0483, 0x0489},
                                        {0x0591, 0x05BD},
                                        {0x064B, 0x065F},
                                        {0x0E34, 0x0E3A},
                                        {0x0E47, 0x0E4E},
                                        {0x1AB0, 0x1AFF},
                                        {0x1DC0, 0x1DFF},
                                        {0x200B, 0x200D},
                                        {0x20D0, 0x20FF},
                                        {0x3099, 0x309A},
                                        {0xFE00, 0xFE0F},
                                        {0xFE20, 0xFE2F}}};

/// Beyond ASCII: C1 controls, marks of direction, line separators, the byte order mark, tags.
constexpr std::array<range, 8> hidden{{{0x0080, 0x009F},
                                       {0x061C, 0x061C},
                                       {0x200E, 0x200F},
                                       {0x2028, 0x202E},
                                       {0x2060, 0x206F},
                                       {0xFEFF, 0xFEFF},
                                       {0xFFF9, 0xFFFB},
                                       {0xE0000, 0xE007F}}};

bool in(std::span<const range> sorted, char32_t c) {
  const auto after = std::upper_bound(sorted.begin(), sorted.end(), c,
                                      [](char32_t x, const range& r) { return x < r.first; });
  return after != sorted.begin() && c <= std::prev(after)->last;
}

struct character {
  char32_t value = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

/// The first character of `text`, which is not empty. Overlong forms and surrogates are none.
character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(0);
  if (lead < 0x80)
    return {lead, 1, true};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size)
    return {};
  char32_t value = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80)
      return {};
    value = value << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  if (value < least[size] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
    return {};
  return {value, size, true};
}

std::string hex(std::uint32_t value, int digits) {
  std::string out;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    out += "0123456789abcdef"[value >> static_cast<unsigned>(shift) & 0xFU];
  return out;
}

std::string escape_of(char32_t c) {
  switch (c) {
  case '\n':
    return "\\n";
  case '\r':
    return "\\r";
  case '\t':
    return "\\t";
  default:
    break;
  }
  if (c < 0x80)
    return "\\x" + hex(c, 2);
  return c < 0x10000 ? "\\u" + hex(c, 4) : "\\U" + hex(c, 8);
}

std::size_t columns_of(char32_t c) {
  if (c < 0x300)
    return 1;
  return in(joined, c) ? 0 : in(wide, c) ? 2 : 1;
}

} // namespace

std::string shown(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto c = first_of(text);
    if (!c.valid)
      out += "\\x" + hex(static_cast<unsigned char>(text[0]), 2);
    else if (c.value < 0x20 || c.value == 0x7F || in(hidden, c.value))
      out += escape_of(c.value);
    else
      out += text.substr(0, c.bytes);
    text.remove_prefix(c.bytes);
  }
  return out;
}

std::size_t width_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const auto c = first_of(text);
    columns += columns_of(c.value);
    text.remove_prefix(c.bytes);
  }
  return columns;
}

std::string cut_to(std::string_view text, std::size_t columns) {
  if (width_of(text) <= columns)
    return std::string{text};
  if (columns == 0)
    return {};
  std::size_t used = 0, end = 0;
  while (end < text.size()) {
    const auto c = first_of(text.substr(end));
    const auto more = columns_of(c.value);
    if (used + more > columns - 1) // one for the sign that it was cut
      break;
    used += more;
    end += c.bytes;
  }
  return std::string{text.substr(0, end)} + "…";
}

} // namespace troupe::cli
