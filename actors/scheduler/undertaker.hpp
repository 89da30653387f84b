#pragma once

#include <caf/execution_unit.hpp>
#include <caf/exit_reason.hpp>
#include <caf/resumable.hpp>

#include <deque>

namespace troupe {

/// Ends jobs that will not run any more: an actor is cleaned up, so that who waits for it hears
/// of it; a one-shot task is run, since something may wait for its end (CAF's network module
/// has such tasks). Owned by the thread that stops the scheduler.
class undertaker final : public caf::execution_unit {
public:
  explicit undertaker(caf::actor_system& system) : execution_unit(&system) {}

  /// With the reference that came with the job.
  void exec_later(caf::resumable* job) override { jobs.push_back(job); }

  /// Works off `jobs`, also what that brings up; without recursion.
  void work(caf::exit_reason reason);

  std::deque<caf::resumable*> jobs;

private:
  void end(caf::resumable* job, caf::exit_reason reason);
};

} // namespace troupe
