#include "protocol/json/writer.hpp"

#include "protocol/json/scan.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

namespace troupe::json {

namespace {

/// The escape of each byte that always needs one, padded to eight characters so that it is
/// copied without a loop.
struct escape {
  std::array<char, 8> text{};
  std::uint8_t size = 0;
};

constexpr auto escapes = [] {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<escape, 128> table{};
  const auto set = [&table](char c, std::string_view text) {
    auto& entry = table[static_cast<unsigned char>(c)];
    for (const char part : text)
      entry.text[entry.size++] = part;
  };
  for (int c = 0; c < 0x20; ++c) {
    const char text[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    set(static_cast<char>(c), {text, sizeof text});
  }
  for (const auto& [c, text] :
       {std::pair{'\b', "\\b"}, std::pair{'\t', "\\t"}, std::pair{'\n', "\\n"},
        std::pair{'\f', "\\f"}, std::pair{'\r', "\\r"}}) {
    table[static_cast<unsigned char>(c)] = {};
    set(c, text);
  }
  set('"', "\\\"");
  set('\\', "\\\\");
  return table;
}();

bool is_line_separator(const char* at, const char* end) {
  return end - at >= 3 && at[1] == '\x80' && (at[2] == '\xA8' || at[2] == '\xA9');
}

/// What is escaped at once, into a buffer on the stack: appending to a string costs more than
/// escaping sixteen bytes.
constexpr std::size_t piece_bytes = 1024;
constexpr std::size_t escape_bytes_max = 6;

/// Writes [at, end) escaped to `to`, which has room for the worst case and 16 bytes more,
/// and gives the end of what was written. A line separator that begins before `end` may lie
/// up to `text_end`; `at` ends behind all that was read.
char* escape_piece(char* to, const char*& at, const char* end, const char* text_end) {
  while (at < end) {
    const char* const stop = copy_to_stop(at, end, to);
    to += stop - at;
    at = stop;
    if (at == end)
      break;
    if (*at != '\xE2') {
      const auto& replaced = escapes[static_cast<unsigned char>(*at)];
      std::memcpy(to, replaced.text.data(), replaced.text.size());
      to += replaced.size;
      ++at;
    } else if (is_line_separator(at, text_end)) {
      std::memcpy(to, at[2] == '\xA8' ? "\\u2028" : "\\u2029", escape_bytes_max);
      to += escape_bytes_max;
      at += 3;
    } else {
      *to++ = *at++;
    }
  }
  return to;
}

/// Appends `text` escaped, between quotes if `quoted`.
void append_text(std::string& out, std::string_view text, bool quoted) {
  std::array<char, piece_bytes * escape_bytes_max + 32> piece;
  const char* at = text.data();
  const char* const text_end = at + text.size();
  char* to = piece.data();
  if (quoted)
    *to++ = '"';
  while (text_end - at > static_cast<std::ptrdiff_t>(piece_bytes)) {
    to = escape_piece(to, at, at + piece_bytes, text_end);
    out.append(piece.data(), to);
    to = piece.data();
  }
  to = escape_piece(to, at, text_end, text_end);
  if (quoted)
    *to++ = '"';
  out.append(piece.data(), to);
}

template <class Integer>
void append_decimal(std::string& out, Integer number) {
  std::array<char, 24> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

} // namespace

void append_escaped(std::string& out, std::string_view text) {
  append_text(out, text, false);
}

void append_string(std::string& out, std::string_view text) {
  append_text(out, text, true);
}

namespace {

/// Decimals as people write them (0.7, 12.25), several times faster than the general way.
/// Both `scaled` and the power are exact, so one correctly rounded division tells whether the
/// digits read back as `number`; the first power for which they do gives the shortest.
bool append_short_decimal(std::string& out, double number) {
  const double size = std::abs(number);
  if (!(size < 1e6) || std::signbit(number) != (number < 0))
    return false;
  double power = 1;
  for (int decimals = 0; decimals <= 6; ++decimals, power *= 10) {
    const auto scaled = static_cast<std::int64_t>(size * power + 0.5);
    if (static_cast<double>(scaled) / power != size)
      continue;
    std::array<char, 24> text;
    char* const end = text.data() + text.size();
    char* at = end;
    auto rest = scaled;
    for (int digit = 0; rest > 0 || digit <= std::max(decimals, 1); ++digit) {
      if (digit == std::max(decimals, 1))
        *--at = '.';
      if (decimals == 0 && digit == 0) {
        *--at = '0';
        continue;
      }
      *--at = static_cast<char>('0' + rest % 10);
      rest /= 10;
    }
    if (number < 0)
      *--at = '-';
    out.append(at, end);
    return true;
  }
  return false;
}

} // namespace

void append_double(std::string& out, double number) {
  if (append_short_decimal(out, number))
    return;
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  const std::string_view written{text.data(), static_cast<std::size_t>(end - text.data())};
  out += written;
  if (written.find_first_of(".e") == std::string_view::npos)
    out += ".0";
}

void append_integer(std::string& out, std::int64_t number) {
  append_decimal(out, number);
}
void append_integer(std::string& out, std::uint64_t number) {
  append_decimal(out, number);
}

// Recursion is as deep as the parser let the document be.
void append_element(std::string& out, const simdjson::dom::element& value) {
  using simdjson::dom::element_type;
  switch (value.type()) {
  case element_type::STRING:
    append_string(out, value.get_string().value_unsafe());
    return;
  case element_type::INT64:
    append_integer(out, value.get_int64().value_unsafe());
    return;
  case element_type::UINT64:
    append_integer(out, value.get_uint64().value_unsafe());
    return;
  case element_type::DOUBLE:
    append_double(out, value.get_double().value_unsafe());
    return;
  case element_type::BOOL:
    out += value.get_bool().value_unsafe() ? "true" : "false";
    return;
  case element_type::NULL_VALUE:
    out += "null";
    return;
  case element_type::ARRAY: {
    char before = '[';
    for (const auto item : simdjson::dom::array(value.get_array().value_unsafe())) {
      out += before;
      append_element(out, item);
      before = ',';
    }
    out += before == '[' ? "[]" : "]";
    return;
  }
  case element_type::OBJECT: {
    char before = '{';
    for (const auto field : simdjson::dom::object(value.get_object().value_unsafe())) {
      out += before;
      append_string(out, field.key);
      out += ':';
      append_element(out, field.value);
      before = ',';
    }
    out += before == '{' ? "{}" : "}";
    return;
  }
  }
}

} // namespace troupe::json
