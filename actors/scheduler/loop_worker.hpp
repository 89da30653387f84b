#pragma once

#include "actors/scheduler/job_queue.hpp"
#include "http/event_loop.hpp"

#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <thread>

namespace troupe {

class loop_worker;

/// What a worker asks of who made it.
class worker_owner {
public:
  /// Any thread: finds a place for a job.
  virtual void place(caf::resumable* job) = 0;
  /// On the worker's thread: it has more than it can do.
  virtual void crowded(loop_worker& worker) = 0;
  /// On a worker's thread: an exception left a handler of its loop. May throw on.
  virtual void handler_failed(std::exception_ptr error) = 0;

protected:
  ~worker_owner() = default;
};

/// One thread, one event loop, one CAF worker.
///
/// Every job in the queue carries one reference, which is given back when the job is done or
/// waits for messages.
class loop_worker final : public caf::execution_unit {
public:
  loop_worker(worker_owner& owner, caf::actor_system& system, std::size_t throughput,
              turn_limit limit);

  loop_worker(const loop_worker&) = delete;
  loop_worker& operator=(const loop_worker&) = delete;

  http::event_loop& loop() noexcept { return loop_; }

  /// The worker whose thread calls, or null.
  static loop_worker* current() noexcept;

  bool belongs_to(const worker_owner* owner) const noexcept { return &owner_ == owner; }

  /// CAF says "only from the worker's own thread", but breaks this itself: a blocking actor
  /// keeps the unit of the actor that spawned it, and sends from its own thread. So any thread
  /// may call.
  void exec_later(caf::resumable* job) override;

  /// This thread.
  void push(caf::resumable* job);

  /// Any thread.
  void put(caf::resumable* job);

  /// Any thread, a hint.
  bool busy() const noexcept { return jobs_.busy(); }

  /// This thread: gives half of the queue to `other`.
  void share_with(loop_worker& other);

  void start();

  /// Any thread. Handlers and turns that are queued by now still get to run once.
  void ask_to_stop();

  void join();

  /// After `join`.
  void take_all(std::deque<caf::resumable*>& out) { jobs_.take_all(out); }

private:
  void wake() noexcept;
  void schedule_turn() noexcept;
  void turn() noexcept;
  bool run(caf::resumable* job) noexcept;
  void end_failed(caf::resumable* job);
  void run_loop();

  worker_owner& owner_;
  const std::size_t throughput_;
  const turn_limit limit_;
  job_queue<caf::resumable*> jobs_;
  http::event_loop loop_;
  bool stopping_ = false; // this thread
  std::thread thread_;
};

} // namespace troupe
