#include "actors/core/log_line.hpp"

#include <array>
#include <chrono>
#include <cstdint>

namespace troupe {

namespace {

void append_number(std::string& out, unsigned value, int width) {
  std::string digits = std::to_string(value);
  for (auto length = static_cast<int>(digits.size()); length < width; ++length)
    out += '0';
  out += digits;
}

/// RFC 3339, UTC, milliseconds.
std::string timestamp(wall_time at) {
  using namespace std::chrono;
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const auto ms = static_cast<std::uint32_t>((at - day).count());
  std::string out;
  append_number(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  append_number(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_number(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_number(out, ms / 3'600'000, 2);
  out += ':';
  append_number(out, ms / 60'000 % 60, 2);
  out += ':';
  append_number(out, ms / 1'000 % 60, 2);
  out += '.';
  append_number(out, ms % 1'000, 3);
  return out + 'Z';
}

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Characters of keys and tokens (RFC 6750 section 2.1 and percent escapes).
bool is_token(char c) {
  return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~' || c == '+' || c == '/'
         || c == '=' || c == '%';
}

/// A mark that announces a secret. `letters` of it may be of either case.
struct mark {
  std::string_view text;
  std::size_t length_min; ///< characters that must follow
  bool begins_word;       ///< what stands before it is no letter and no digit
};

constexpr std::array marks{
    mark{"aiza", 10, false},      mark{"aq.", 16, true},     mark{"sk-", 6, true},
    mark{"bearer ", 1, true},     mark{"?key=", 1, false},   mark{"&key=", 1, false},
    mark{"api_key=", 1, true},    mark{"api_key:", 1, true}, mark{"x-goog-api-key: ", 1, true},
    mark{"x-api-key: ", 1, true}, mark{"basic ", 12, true},
};

/// Characters that begin a mark, of either case: most characters of a line are none.
constexpr auto mark_begins = [] {
  std::array<bool, 256> table{};
  for (const auto& m : marks) {
    const char c = m.text[0];
    table[static_cast<unsigned char>(c)] = true;
    if (c >= 'a' && c <= 'z')
      table[static_cast<unsigned char>(c - 'a' + 'A')] = true;
  }
  return table;
}();

/// Characters that go into every kind of line as they are.
constexpr auto plain = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0x20; c < 0x7F; ++c)
    table[c] = c != '"' && c != '\\';
  return table;
}();

bool starts_with(std::string_view text, std::string_view low) {
  if (text.size() < low.size())
    return false;
  for (std::size_t i = 0; i < low.size(); ++i) {
    const char c = text[i];
    const char lowered = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lowered != low[i])
      return false;
  }
  return true;
}

std::size_t token_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && is_token(text[length]))
    ++length;
  return length;
}

/// Length of the well-formed UTF-8 sequence at the start, 0 for none.
std::size_t utf8_length(std::string_view s) {
  const auto lead = static_cast<unsigned char>(s[0]);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0 || s.size() < length)
    return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(s[i]) & 0xC0U) != 0x80U)
      return 0;
  const auto second = length > 1 ? static_cast<unsigned char>(s[1]) : 0U;
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool too_far = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return overlong || too_far ? 0 : length;
}

void append_escaped(std::string& out, std::string_view text, bool json) {
  constexpr std::string_view hex = "0123456789abcdef";
  for (std::size_t i = 0; i < text.size();) {
    auto end = i;
    while (end < text.size() && plain[static_cast<unsigned char>(text[end])])
      ++end;
    out.append(text, i, end - i);
    i = end;
    if (i == text.size())
      break;
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\r' || c == '\t') {
      out += '\\';
      out += c == '\n' ? 'n' : c == '\r' ? 'r' : 't';
      ++i;
    } else if (json && (c == '"' || c == '\\')) {
      out += '\\';
      out += c;
      ++i;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += json ? "\\u00" : "\\x";
      out += hex[byte >> 4];
      out += hex[byte & 15];
      ++i;
    } else if (const auto length = utf8_length(text.substr(i)); length != 0) {
      out.append(text, i, length);
      i += length;
    } else {
      out += "\xEF\xBF\xBD"; // U+FFFD
      ++i;
    }
  }
}

} // namespace

std::string mask_secrets(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    auto end = i;
    while (end < text.size() && !mark_begins[static_cast<unsigned char>(text[end])])
      ++end;
    out.append(text, i, end - i);
    i = end;
    if (i == text.size())
      break;
    const bool begins = i == 0 || !is_alphanumeric(text[i - 1]);
    std::size_t taken = 0;
    for (const auto& m : marks) {
      if ((m.begins_word && !begins) || !starts_with(text.substr(i), m.text))
        continue;
      const auto secret = text.substr(i + m.text.size());
      const auto length = token_length(secret);
      if (length < m.length_min || secret.starts_with("key_") || secret.starts_with("***"))
        continue;
      out.append(text, i, m.text.size());
      out += "***";
      taken = m.text.size() + length;
      break;
    }
    if (taken == 0)
      out += text[i];
    i += taken == 0 ? 1 : taken;
  }
  return out;
}

std::string text_line(const log_record& r) {
  std::string out = timestamp(r.at);
  out += ' ';
  out += to_string(r.level);
  out += ' ';
  out += to_string(r.area);
  if (!r.request_id.empty()) {
    out += " [";
    append_escaped(out, mask_secrets(r.request_id), false);
    out += ']';
  }
  out += ' ';
  append_escaped(out, mask_secrets(r.text), false);
  return out;
}

std::string json_line(const log_record& r) {
  std::string out = R"({"time":")" + timestamp(r.at) + R"(","level":")";
  out += to_string(r.level);
  out += R"(","area":")";
  out += to_string(r.area);
  if (!r.request_id.empty()) {
    out += R"(","request_id":")";
    append_escaped(out, mask_secrets(r.request_id), true);
  }
  out += R"(","text":")";
  append_escaped(out, mask_secrets(r.text), true);
  return out + "\"}";
}

} // namespace troupe
