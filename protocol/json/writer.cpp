#include "protocol/json/writer.hpp"

#include "protocol/json/scan.hpp"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <cmath>

namespace troupe::json {

namespace {

bool is_line_separator(const char* at, const char* end) {
  return end - at >= 3 && at[1] == '\x80' && (at[2] == '\xA8' || at[2] == '\xA9');
}

void append_escape(std::string& out, char c) {
  switch (c) {
  case '"':
    out += "\\\"";
    return;
  case '\\':
    out += "\\\\";
    return;
  case '\n':
    out += "\\n";
    return;
  case '\r':
    out += "\\r";
    return;
  case '\t':
    out += "\\t";
    return;
  case '\b':
    out += "\\b";
    return;
  case '\f':
    out += "\\f";
    return;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u00";
  out += digits[static_cast<unsigned char>(c) >> 4];
  out += digits[static_cast<unsigned char>(c) & 15];
}

template <class Integer>
void append_decimal(std::string& out, Integer number) {
  std::array<char, 24> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

} // namespace

void append_escaped(std::string& out, std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const char* run = at; // begin of what is copied as it stands
  while ((at = next_stop(at, end)) != end) {
    if (*at == '\xE2') {
      if (!is_line_separator(at, end)) {
        ++at;
        continue;
      }
      out.append(run, at);
      out += at[2] == '\xA8' ? "\\u2028" : "\\u2029";
      at += 3;
    } else {
      out.append(run, at);
      append_escape(out, *at);
      ++at;
    }
    run = at;
  }
  out.append(run, end);
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

void append_double(std::string& out, double number) {
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
