#pragma once

#include "protocol/base/result.hpp"

#include <caf/type_erased_tuple.hpp>

#include <optional>
#include <utility>
#include <variant>

namespace troupe {

/// How an answer's content becomes a `Reply`: its one element.
template <class Reply>
struct bridge_reply {
  std::optional<Reply> value;

  /// False: the content is of another type.
  bool read(caf::type_erased_tuple& content) {
    if (content.size() != 1 || !content.match_element<Reply>(0))
      return false;
    value.emplace(content.move_if_unshared<Reply>(0));
    return true;
  }

  result<Reply> take() { return *std::move(value); }
};

/// An answer that only says that it is done.
template <>
struct bridge_reply<void> {
  bool read(caf::type_erased_tuple& content) { return content.empty(); }
  result<void> take() { return {}; }
};

/// One of several types, first match first.
template <class... Ts>
struct bridge_reply<std::variant<Ts...>> {
  std::optional<std::variant<Ts...>> value;

  bool read(caf::type_erased_tuple& content) {
    return content.size() == 1 && (read_as<Ts>(content) || ...);
  }

  result<std::variant<Ts...>> take() { return *std::move(value); }

private:
  template <class T>
  bool read_as(caf::type_erased_tuple& content) {
    if (!content.match_element<T>(0))
      return false;
    value.emplace(content.move_if_unshared<T>(0));
    return true;
  }
};

} // namespace troupe
