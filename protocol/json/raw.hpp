#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

/// Places in JSON text, for changing a body without writing it anew: all other bytes stay as
/// they came, unknown fields and their order included. The text must be valid JSON (parse it
/// first); then no function here can run past its end.

namespace troupe::json {

/// Bytes [begin, end) of a text.
struct place {
  std::size_t begin = 0, end = 0;

  std::string_view in(std::string_view text) const { return text.substr(begin, end - begin); }
};

/// The outermost value of a text, without the spaces around it.
place root_place(std::string_view text);

/// The value of the last member called `name` or `other_name` in the object at `object`.
std::optional<place> member_place(std::string_view text, place object, std::string_view name,
                                  std::string_view other_name = {});

/// Whether the object or array at `container` is empty.
bool is_empty_at(std::string_view text, place container);

} // namespace troupe::json
