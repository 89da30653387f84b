#pragma once

#include "http/event_loop.hpp"

#include <boost/system/error_code.hpp>

#include <coroutine>
#include <cstddef>

namespace troupe::http::detail {

/// The end of one asynchronous operation at a time: begun by `begin`, ended by `complete`,
/// awaited by at most one coroutine, before or after its end. It must outlive the
/// operation; use it again only after it completed. Loop's thread.
class waiter {
public:
  explicit waiter(event_loop::impl& loop) : loop_(loop) {}
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;

  /// Called first at every end, whether a coroutine awaits it or not. It must not destroy
  /// the waiter.
  void on_end(void (*hook)(void*), void* argument) {
    hook_ = hook;
    hook_argument_ = argument;
  }

  void begin() { running_ = true; }

  /// As a completion handler: afterwards turns of the loop run, which may destroy this.
  void complete(const boost::system::error_code& error, std::size_t bytes);

  bool running() const { return running_; }
  const boost::system::error_code& error() const { return error_; }
  std::size_t bytes() const { return bytes_; }
  bool end_of_stream() const; ///< the error is Asio's `eof`
  bool aborted() const;       ///< the error is Asio's `operation_aborted`

  bool await_ready() const noexcept { return !running_; }
  void await_suspend(std::coroutine_handle<> waiting) noexcept { waiting_ = waiting; }
  void await_resume() const noexcept {}

private:
  event_loop::impl& loop_;
  std::coroutine_handle<> waiting_;
  void (*hook_)(void*) = nullptr;
  void* hook_argument_ = nullptr;
  boost::system::error_code error_;
  std::size_t bytes_ = 0;
  bool running_ = false;
};

} // namespace troupe::http::detail
