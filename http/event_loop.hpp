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

  /// Any thread; runs `work(argument)` on the loop, in order of posting. From the loop's
  /// own thread it costs a few instructions and no system call; from others, one wake-up
  /// for all that is posted until the loop looks. Nothing is allocated beyond what the loop
  /// recycles: the scheduler wakes by it. Sockets are looked at between long rows of work.
  void post(void (*work)(void*), void* argument);

  /// Any thread.
  void post(std::function<void()> work);

  bool on_this_thread() const noexcept;

  /// After `run` returned for the last time: forgets posted work, destroys pending socket
  /// operations and then the coroutines that were spawned on the loop and have not ended.
  /// Their destructors run on the calling thread; what they post or begin never happens.
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
