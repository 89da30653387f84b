#include "sandbox/exchange.hpp"

namespace sandbox {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

} // namespace

bool same_word(std::string_view a, std::string_view b) {
  if (a.size() != b.size())
    return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i]))
      return false;
  return true;
}

std::string_view request::get(std::string_view name) const {
  for (const auto& h : headers)
    if (same_word(h.name, name))
      return h.value;
  return {};
}

} // namespace sandbox
