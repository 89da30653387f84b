#include "http/headers.hpp"

namespace troupe::http {

namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

} // namespace

void headers::add(std::string_view name, std::string_view value) {
  entry e{};
  e.name_begin = static_cast<std::uint32_t>(bytes_.size());
  e.name_size = static_cast<std::uint32_t>(name.size());
  bytes_.append(name);
  e.value_begin = static_cast<std::uint32_t>(bytes_.size());
  e.value_size = static_cast<std::uint32_t>(value.size());
  bytes_.append(value);
  entries_.push_back(e);
}

void headers::clear() {
  bytes_.clear();
  entries_.clear();
}

headers::field headers::operator[](std::size_t i) const {
  const auto& e = entries_[i];
  const std::string_view all = bytes_;
  return {all.substr(e.name_begin, e.name_size), all.substr(e.value_begin, e.value_size)};
}

std::string_view headers::get(std::string_view name) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].name_size != name.size())
      continue;
    const auto f = (*this)[i];
    if (same_name(f.name, name))
      return f.value;
  }
  return {};
}

bool headers::has(std::string_view name) const {
  return get(name).data() != nullptr;
}

bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size())
    return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i]))
      return false;
  return true;
}

} // namespace troupe::http
