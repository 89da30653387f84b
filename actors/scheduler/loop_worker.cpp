#include "actors/scheduler/loop_worker.hpp"

#include <caf/actor_system.hpp>
#include <caf/detail/set_thread_name.hpp>
#include <caf/scheduled_actor.hpp>

#include <cstdio>
#include <utility>

namespace troupe {

namespace {

constinit thread_local loop_worker* worker_here = nullptr;

} // namespace

loop_worker::loop_worker(worker_owner& owner, caf::actor_system& system, std::size_t throughput,
                         turn_limit limit)
    : execution_unit(&system), owner_(owner), throughput_(throughput), limit_(limit) {}

loop_worker* loop_worker::current() noexcept {
  return worker_here;
}

void loop_worker::exec_later(caf::resumable* job) {
  if (worker_here == this)
    push(job);
  else
    owner_.place(job);
}

void loop_worker::push(caf::resumable* job) {
  if (jobs_.push(std::move(job)))
    schedule_turn();
}

void loop_worker::put(caf::resumable* job) {
  if (jobs_.put(std::move(job)) == put_result::wake)
    wake();
}

void loop_worker::share_with(loop_worker& other) {
  if (jobs_.share_with(other.jobs_))
    other.wake();
}

void loop_worker::start() {
  thread_ = std::thread{[this] {
    caf::detail::set_thread_name("loop");
    system().thread_started();
    worker_here = this;
    run_loop();
    worker_here = nullptr;
    system().thread_terminates();
  }};
}

void loop_worker::ask_to_stop() {
  loop_.post([](void* self) { static_cast<loop_worker*>(self)->stopping_ = true; }, this);
  loop_.stop();
}

void loop_worker::join() {
  if (thread_.joinable())
    thread_.join();
}

// A wake-up that is lost would stop actors silently: `noexcept` ends the process instead.

void loop_worker::wake() noexcept {
  loop_.post(
      [](void* self) {
        auto& worker = *static_cast<loop_worker*>(self);
        if (worker.jobs_.woken())
          worker.turn();
      },
      this);
}

void loop_worker::schedule_turn() noexcept {
  loop_.post([](void* self) { static_cast<loop_worker*>(self)->turn(); }, this);
}

void loop_worker::turn() noexcept {
  if (!jobs_.turn(limit_, [this](caf::resumable* job) { return run(job); }))
    return;
  if (jobs_.crowded(2 * limit_.jobs))
    owner_.crowded(*this);
  schedule_turn();
}

/// True: the job wants to run again, and keeps its reference.
bool loop_worker::run(caf::resumable* job) noexcept {
  try {
    switch (job->resume(this, throughput_)) {
    case caf::resumable::resume_later:
      return true;
    case caf::resumable::done:
    case caf::resumable::awaiting_message:
      caf::intrusive_ptr_release(job);
      return false;
    case caf::resumable::shutdown_execution_unit:
      return false; // CAF's own stop jobs hold no reference
    }
  } catch (...) {
    // From `on_exit` or an attachable: what handlers throw is caught in `resume`. The job can
    // not run again; who watches it is told.
    end_failed(job);
  }
  return false;
}

void loop_worker::end_failed(caf::resumable* job) {
  try {
    if (job->subtype() == caf::resumable::scheduled_actor)
      static_cast<caf::scheduled_actor*>(job)->cleanup(
          caf::make_error(caf::exit_reason::unhandled_exception), this);
  } catch (...) {
    std::fputs("scheduler: exception while ending a failed actor\n", stderr);
  }
  caf::intrusive_ptr_release(job);
}

void loop_worker::run_loop() {
  while (!stopping_) { // somebody may stop a loop that is not his
    try {
      loop_.run();
    } catch (...) {
      owner_.handler_failed(std::current_exception());
    }
  }
}

} // namespace troupe
