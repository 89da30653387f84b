#pragma once

#include "protocol/base/log.hpp"

#include <caf/fwd.hpp>

#include <string_view>

namespace troupe {

/// Replaces the five handlers that CAF gives every actor. Call it first in every actor; what
/// an actor handles itself it sets afterwards.
///
/// CAF's own print to the terminal, and end the actor for a stray error. These log under
/// `area`, never what a message holds, and
///  - answer an unexpected message with `sec::unexpected_message`,
///  - take a down message that nobody asked for, and a stray error, as words only,
///  - end the actor for an exit that is not `normal`,
///  - turn an exception in a handler into `sec::runtime_error`; CAF then ends the actor.
///
/// `who` must be a literal, and `log` must outlive the actor.
void set_default_handlers(caf::scheduled_actor* self, log_sink& log, log_area area,
                          std::string_view who);

} // namespace troupe
