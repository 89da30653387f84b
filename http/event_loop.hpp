#pragma once

#include "http/task.hpp"
#include "protocol/base/time.hpp"

#include <functional>
#include <memory>

namespace troupe::http {

/// One thread's sockets, timers and posted work. Owned by whoever runs it: the scheduler
/// of `actors/`, or a plain thread. Hides the Asio context; sockets of this room get it
/// from `detail/`.
class event_loop {
public:
  event_loop();
  ~event_loop();
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  /// Runs on the calling thread until `stop`. An idle loop sleeps in the kernel.
  void run();

  /// Any thread. What is queued by now still runs once; `run` then returns.
  void stop();

  /// Any thread; runs `work(argument)` on the loop. Allocates nothing of its own beyond
  /// what the loop recycles: the scheduler wakes by it.
  void post(void (*work)(void*), void* argument);

  /// Any thread.
  void post(std::function<void()> work);

  bool on_this_thread() const noexcept;

  /// After `run` returned: destroys handlers and coroutines that will never run.
  void drop_handlers();

  /// Loop's thread: resumes after `span`. Coarse: up to 100 ms late, never early.
  task<void> sleep(duration span);

  /// Monotonic now, as of the loop's last look at the clock or later.
  time_point now() const;

  struct impl;
  impl& internals() noexcept { return *impl_; }

private:
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::http
