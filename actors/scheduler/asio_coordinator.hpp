#pragma once

#include "actors/scheduler/clock_thread.hpp"
#include "actors/scheduler/loop_worker.hpp"

#include <caf/actor_system.hpp>
#include <caf/detail/type_list.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

namespace troupe {

/// A CAF scheduler whose workers are event loops, so that sockets and actors share threads.
/// Load it with `config.load<asio_coordinator>()` and set `scheduler.max-threads`.
///
/// A message sent on a loop runs its receiver on that loop; a loop with too much to do gives
/// half of it to an idle one, so an actor never owns a loop. A turn of actors is bounded, so
/// that none can keep sockets waiting. Never end the actor system on one of its loops.
///
/// Destroying the system stops the loops, and then destroys them: whatever has sockets or
/// timers on them must be gone before. Coroutines that still wait are destroyed on the
/// stopping thread. If the system's constructor throws, CAF does not survive it: check files,
/// ports and the like first.
class asio_coordinator final : public caf::scheduler::abstract_coordinator, private worker_owner {
public:
  using super = caf::scheduler::abstract_coordinator;

  explicit asio_coordinator(caf::actor_system& system);
  ~asio_coordinator() override;

  /// For `actor_system_config::load`.
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);

  /// The scheduler of `system` if it is one of these, else null.
  static asio_coordinator* of(caf::actor_system& system);

  std::size_t size() const noexcept { return workers_.size(); }

  http::event_loop& loop(std::size_t i) { return workers_.at(i)->loop(); }

  /// What to do with an exception that leaves a handler of a loop; without it the process
  /// ends. Several loops may call `f` at once. Set it before work is given to the loops.
  void on_handler_exception(std::function<void(std::exception_ptr)> f) { failed_ = std::move(f); }

  void init(caf::actor_system_config& config) override;
  void start() override;
  void stop() override;
  void enqueue(caf::resumable* job) override;
  caf::actor_clock& clock() noexcept override { return clock_; }

private:
  loop_worker* here() const noexcept;
  void place(caf::resumable* job) override;
  void crowded(loop_worker& worker) override;
  void handler_failed(std::exception_ptr error) override;
  void end_remaining_jobs();

  clock_thread clock_;
  std::function<void(std::exception_ptr)> failed_;
  std::atomic<std::size_t> next_{0};
  std::vector<std::unique_ptr<loop_worker>> workers_;
};

} // namespace troupe
