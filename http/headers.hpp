#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::http {

/// Header fields in order of arrival, in one piece of memory. Names compare without case.
class headers {
public:
  struct field {
    std::string_view name;
    std::string_view value;
  };

  void add(std::string_view name, std::string_view value);
  void clear(); ///< keeps the memory

  std::size_t size() const { return entries_.size(); }
  field operator[](std::size_t i) const; ///< valid until the next `add` or `clear`

  /// The first value of `name`, or an empty text. `has` tells absent from empty.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;

private:
  struct entry {
    std::uint32_t name_begin, name_size, value_begin, value_size;
  };
  std::string bytes_;
  std::vector<entry> entries_;
};

/// ASCII only, as field names are.
bool same_name(std::string_view a, std::string_view b);

} // namespace troupe::http
