#pragma once

#include "protocol/base/result.hpp"

#include <caf/atom.hpp>
#include <caf/error.hpp>
#include <caf/make_message.hpp>

#include <string>

namespace troupe {

/// The category of every `errc` that travels between actors.
constexpr caf::atom_value errc_category = caf::atom("troupe");

/// An `errc` as CAF carries it. Found by CAF itself when a handler returns an `errc`.
inline caf::error make_error(errc code) {
  return {static_cast<std::uint8_t>(code), errc_category};
}

/// A failure with its words; they never hold a secret.
inline caf::error make_error(const failure& f) {
  return {static_cast<std::uint8_t>(f.code), errc_category, caf::make_message(f.text)};
}

/// The `errc` inside `e`. An error that is not ours (a dead receiver, an exception in a
/// handler) means that the asked actor is gone.
inline errc to_errc(const caf::error& e) {
  return e.category() == errc_category ? static_cast<errc>(e.code()) : errc::shutting_down;
}

} // namespace troupe
