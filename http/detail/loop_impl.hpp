#pragma once

#include "http/core/timeout_wheel.hpp"
#include "http/detail/turn_queue.hpp"
#include "http/event_loop.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

/// What is inside an event loop. For the few units of this room that name Asio.

namespace troupe::http {

/// An Asio context that can be shut down before it is destroyed: pending operations are
/// destroyed while sockets and coroutines, which own their memory, still exist.
class loop_context : public boost::asio::io_context {
public:
  loop_context() : boost::asio::io_context(1) {}
  void shut_down() { execution_context::shutdown(); }
};

struct event_loop::impl {
  using executor = boost::asio::io_context::executor_type;

  impl();

  /// The loop's thread: queues a turn and makes sure that it runs soon.
  void push(detail::turn t);

  void ask_for_turns();

  loop_context context;
  detail::turn_queue turns;
  std::uint64_t handlers_run = 1; ///< between two of them the sockets may have been looked at
  bool turns_asked = false;       ///< a handler that runs turns is queued, or running
  detail::root_list roots;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>, executor>
      timer;
  timeout_wheel timeouts;
};

/// Every completion handler of this room begins with one. As it leaves, the turns that the
/// handler caused (an actor that got a message) run at once instead of after another look
/// at the sockets, which would be a system call. Bounded; the rest waits for that look.
class handler_scope {
public:
  explicit handler_scope(event_loop::impl& loop)
      : loop_(loop), asked_before_(std::exchange(loop.turns_asked, true)) {
    ++loop.handlers_run;
  }
  ~handler_scope();
  handler_scope(const handler_scope&) = delete;
  handler_scope& operator=(const handler_scope&) = delete;

private:
  event_loop::impl& loop_;
  bool asked_before_;
};

/// Sockets with the loop's concrete executor: no type erasure on the hot path.
using tcp_socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, event_loop::impl::executor>;
using tcp_acceptor =
    boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, event_loop::impl::executor>;

} // namespace troupe::http
