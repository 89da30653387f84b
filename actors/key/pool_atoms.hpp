#pragma once

#include <caf/atom.hpp>

// What the pool sends to itself.

namespace troupe {

using revive_atom = caf::atom_constant<caf::atom("revive")>;
using wake_atom = caf::atom_constant<caf::atom("wake")>;
using recheck_atom = caf::atom_constant<caf::atom("recheck")>;

} // namespace troupe
