#pragma once

#include <caf/allowed_unsafe_message_type.hpp>

#include <type_traits>

namespace caf {

/// A message that says of itself that it stays in the process (`using travels_locally = void`)
/// needs no `inspect`.
template <class T>
requires requires {
  typename T::travels_locally;
}
struct allowed_unsafe_message_type<T> : std::true_type {};

} // namespace caf
