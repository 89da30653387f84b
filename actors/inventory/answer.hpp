#pragma once

#include "actors/local_message.hpp"
#include "protocol/base/result.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// What an admin asks of the inventory, and is told, never leaves the process: a write for
// another node's item travels as bytes of its own (docs/architecture.md). So these messages
// need no `inspect`, may hold optionals, and share what is large.

namespace troupe {

/// One thing that is wrong with what an admin sent.
struct field_problem {
  std::string field;   ///< path in the body: `limits.rpm`; may be empty
  std::string code;    ///< stable: `out_of_range`, `unknown_field`, `fixed`, ...
  std::string message; ///< for people: what is allowed
};

/// Why the inventory did not do what it was asked. Holds no secret.
struct refused {
  errc code = errc::invalid_argument;
  std::string reason; ///< stable word for programs: `revision_mismatch`, `fixed`, `not_found`, ...
  std::string text;   ///< for people
  std::vector<field_problem> fields;
  std::uint64_t revision = 0; ///< `revision_mismatch`: the present one
};

/// A `T`, or why there is none.
template <class T>
struct answer {
  std::optional<refused> no;
  T yes{};

  answer() = default;
  answer(T value) : yes(std::move(value)) {}
  answer(refused why) : no(std::move(why)) {}

  explicit operator bool() const { return !no; }
};

/// For an answer that says only that it was done.
struct nothing {};

} // namespace troupe

namespace caf {

template <class T>
struct allowed_unsafe_message_type<troupe::answer<T>> : std::true_type {};

} // namespace caf
