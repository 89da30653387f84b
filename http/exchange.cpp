#include "http/exchange.hpp"

namespace troupe::http {

namespace {

/// A line break in a value would let whoever chose the value write fields of their own.
void append_one_line(std::string& out, std::string_view text) {
  for (const char c : text)
    if (c != '\r' && c != '\n')
      out.push_back(c);
}

} // namespace

void response_head::add(std::string_view name, std::string_view value) {
  append_one_line(fields, name);
  fields.append(": ");
  append_one_line(fields, value);
  fields.append("\r\n");
}

} // namespace troupe::http
