#include "http/event_loop.hpp"

#include "http/detail/loop_impl.hpp"
#include "http/detail/timeouts.hpp"
#include "http/detail/waiter.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <coroutine>
#include <utility>

namespace troupe::http {

namespace {

/// How many turns run in a row, and for how long, before sockets get their look. The clock is
/// read between every few turns: one turn of busy actors may last 250 us.
constexpr std::size_t turns_in_a_row = 256;
constexpr std::size_t turns_between_looks = 4;
constexpr duration row_time_max = std::chrono::microseconds{500};

void run_a_row(detail::turn_queue& turns) {
  turns.run(turns_between_looks);
  if (turns.size() == 0)
    return; // nearly always: no clock is read
  const auto end = std::chrono::steady_clock::now() + row_time_max;
  for (auto n = turns_between_looks; n < turns_in_a_row && turns.size() > 0;
       n += turns_between_looks) {
    turns.run(turns_between_looks);
    if (std::chrono::steady_clock::now() >= end)
      return;
  }
}

constinit thread_local const event_loop::impl* loop_here = nullptr;

using posted_function = std::function<void()>;

void run_function(void* argument) {
  const std::unique_ptr<posted_function> work{static_cast<posted_function*>(argument)};
  (*work)();
}

/// The frame of a sleeping coroutine holds one; destroying the frame takes it off the wheel.
class sleeper {
public:
  sleeper(timeout_wheel& wheel, time_point until) : until_(until), timeout_(wheel, &wake, this) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    timeout_.set(until_);
  }
  void await_resume() const noexcept {}

private:
  static void wake(void* self) { static_cast<sleeper*>(self)->waiting_.resume(); }

  time_point until_;
  std::coroutine_handle<> waiting_;
  timeout timeout_;
};

/// Arms the loop's only timer for an earlier time, or for the next one after it went off.
void arm_timer(void* argument, time_point when) {
  auto& loop = *static_cast<event_loop::impl*>(argument);
  loop.timer.expires_at(std::chrono::time_point_cast<std::chrono::steady_clock::duration>(when));
  loop.timer.async_wait([&loop](const boost::system::error_code& error) {
    if (error)
      return; // armed anew for another time
    const handler_scope scope{loop};
    loop.timeouts.advance(std::chrono::steady_clock::now());
  });
}

} // namespace

event_loop::impl::impl()
    : timer(context.get_executor()), timeouts(std::chrono::steady_clock::now(), &arm_timer, this) {}

void event_loop::impl::push(detail::turn t) {
  turns.push(t);
  ask_for_turns();
}

void event_loop::impl::ask_for_turns() {
  if (std::exchange(turns_asked, true))
    return;
  boost::asio::post(context, [this] {
    turns_asked = false;
    const handler_scope scope{*this};
  });
}

handler_scope::~handler_scope() {
  if (loop_.turns.size() > 0)
    run_a_row(loop_.turns);
  loop_.turns_asked = asked_before_;
  if (loop_.turns.size() > 0)
    loop_.ask_for_turns();
}

void detail::waiter::complete(const boost::system::error_code& error, std::size_t bytes) {
  const handler_scope scope{loop_};
  error_ = error;
  bytes_ = bytes;
  running_ = false;
  if (hook_ != nullptr)
    hook_(hook_argument_);
  // Whom it wakes may begin anew at once.
  if (const auto waiting = std::exchange(waiting_, nullptr))
    waiting.resume();
}

bool detail::waiter::end_of_stream() const {
  return error_ == boost::asio::error::eof;
}

bool detail::waiter::aborted() const {
  return error_ == boost::asio::error::operation_aborted;
}

timeout_wheel& detail::timeouts_of(event_loop& loop) {
  return loop.internals().timeouts;
}

event_loop::event_loop() : impl_(std::make_unique<impl>()) {}

event_loop::~event_loop() {
  drop_handlers();
}

void event_loop::run() {
  const auto* outer_loop = std::exchange(loop_here, impl_.get());
  auto* outer_roots = std::exchange(detail::roots_here, &impl_->roots);
  const auto guard = boost::asio::make_work_guard(impl_->context);
  impl_->context.restart();
  impl_->context.run();
  detail::roots_here = outer_roots;
  loop_here = outer_loop;
}

void event_loop::stop() {
  boost::asio::post(impl_->context, [this] {
    impl_->turns.take_inbox();
    impl_->turns.run(impl_->turns.size());
    impl_->context.stop();
  });
}

void event_loop::post(void (*work)(void*), void* argument) {
  const detail::turn t{work, argument};
  if (on_this_thread()) {
    impl_->push(t);
    return;
  }
  if (!impl_->turns.push_from_outside(t))
    return;
  boost::asio::post(impl_->context, [loop = impl_.get()] {
    const handler_scope scope{*loop};
    loop->turns.take_inbox();
  });
}

void event_loop::post(std::function<void()> work) {
  auto owned = std::make_unique<posted_function>(std::move(work));
  post(&run_function, owned.release());
}

bool event_loop::on_this_thread() const noexcept {
  return loop_here == impl_.get();
}

void event_loop::drop_handlers() {
  impl_->context.shut_down();
  impl_->roots.destroy_all();
  impl_->turns.take_inbox();
  while (impl_->turns.size() > 0) {
    const auto t = impl_->turns.pop();
    if (t.work == &run_function)
      delete static_cast<posted_function*>(t.argument);
    impl_->turns.take_inbox(); // what destructors posted
  }
}

task<void> event_loop::sleep(duration span) {
  sleeper until{impl_->timeouts, now() + span};
  co_await until;
}

time_point event_loop::now() const {
  return std::chrono::steady_clock::now();
}

} // namespace troupe::http
