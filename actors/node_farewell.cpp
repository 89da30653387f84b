#include "actors/node_farewell.hpp"

#include "actors/messages.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <chrono>

namespace troupe {

namespace {

constexpr std::chrono::seconds farewell_max{10}; ///< for the pool and storage to store and end

bool stored_all(caf::actor_system& system, const keeping_actors& actors) {
  caf::scoped_actor self{system};
  if (actors.inventory) {
    // First: it waits for the others, and takes no new work after this.
    self->monitor(actors.inventory);
    self->send_exit(actors.inventory, caf::exit_reason::user_shutdown);
    self->receive([](const caf::down_msg&) {});
  }
  bool stored = true;
  const auto finished = [] {};
  const auto failed = [&](const caf::error&) { stored = false; };
  if (actors.pool)
    self->request(actors.pool, farewell_max, drain_atom::value).receive(finished, failed);
  if (actors.storage) {
    self->request(actors.storage, farewell_max, flush_atom::value).receive(finished, failed);
    self->request(actors.storage, farewell_max, status_atom::value)
        .receive([&](const storage_status& s) { stored = stored && s.pending == 0; }, failed);
  }
  return stored;
}

} // namespace

bool end_actors(caf::actor_system& system, const keeping_actors& actors, log_sink& log) {
  const bool stored = stored_all(system, actors);
  if (!stored)
    log.write(log_area::storage, log_level::error, {},
              "the last state of the keys could not be stored: is the disk full?");
  for (const auto& a : {actors.pool, actors.storage})
    if (a)
      caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  return stored;
}

} // namespace troupe
