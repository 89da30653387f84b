#include "actors/scheduler/undertaker.hpp"

#include <caf/scheduled_actor.hpp>

#include <cstdio>

namespace troupe {

void undertaker::work(caf::exit_reason reason) {
  while (!jobs.empty()) {
    auto* job = jobs.front();
    jobs.pop_front();
    end(job, reason);
  }
}

void undertaker::end(caf::resumable* job, caf::exit_reason reason) {
  try {
    switch (job->subtype()) {
    case caf::resumable::scheduled_actor:
    case caf::resumable::io_actor:
      static_cast<caf::scheduled_actor*>(job)->cleanup(caf::make_error(reason), this);
      break;
    case caf::resumable::function_object:
      job->resume(this, 1);
      break;
    case caf::resumable::unspecified:
      break;
    }
  } catch (...) {
    std::fputs("scheduler: exception while ending a job\n", stderr);
  }
  caf::intrusive_ptr_release(job);
}

} // namespace troupe
