#include "actors/cli/core/query.hpp"

namespace troupe::cli {

namespace {

/// RFC 3986, 2.3.
bool is_unreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-'
         || c == '.' || c == '_' || c == '~';
}

void append_encoded(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += "0123456789ABCDEF"[byte >> 4U];
  out += "0123456789ABCDEF"[byte & 0xFU];
}

} // namespace

std::string encoded_segment(std::string_view text) {
  std::string out;
  const bool only_dots = text == "." || text == "..";
  for (const char c : text)
    if (is_unreserved(c) && !only_dots)
      out += c;
    else
      append_encoded(out, c);
  return out;
}

std::string query_text(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (value.empty())
      continue;
    out += (out.empty() ? "?" : "&") + name + '=';
    for (const char c : value)
      if (is_unreserved(c) || c == ',') // commas are allowed there, and stay readable
        out += c;
      else
        append_encoded(out, c);
  }
  return out;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts)
    out += (out.empty() ? "" : ",") + text;
  return out;
}

} // namespace troupe::cli
