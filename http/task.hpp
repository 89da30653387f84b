#pragma once

#include "protocol/base/result.hpp"

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

/// A coroutine that others wait for. It begins when it is awaited, runs on the loop of
/// whoever awaits it, and hands over by symmetric transfer, so a chain of any depth uses
/// no stack. Exceptions do not leave a task: they end the process, because none may cross
/// a room.
///
/// g++ 12.2 destroys some temporaries of a `co_await` expression twice: in such an
/// expression write only named locals (moved) and plain constructor calls, never a lambda
/// and never braces. `scripts/check_coroutines.py` looks for what is not allowed.

namespace troupe::http {

template <class T = void>
class task;

namespace detail {

struct final_awaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
    return self.promise().continuation;
  }
  void await_resume() const noexcept {}
};

struct promise_base {
  std::coroutine_handle<> continuation = std::noop_coroutine();

  std::suspend_always initial_suspend() const noexcept { return {}; }
  final_awaiter final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
};

template <class T>
struct promise : promise_base {
  std::optional<T> value;

  task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& x) {
    value.emplace(std::forward<U>(x));
  }
  T take() { return std::move(*value); }
};

template <>
struct promise<void> : promise_base {
  task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() const noexcept {}
};

} // namespace detail

/// Owned by one awaiter; runs at most once.
template <class T>
class [[nodiscard]] task {
public:
  using promise_type = detail::promise<T>;

  explicit task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  task(task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  task& operator=(task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~task() {
    if (handle_)
      handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) const noexcept {
    handle_.promise().continuation = waiting;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

private:
  std::coroutine_handle<promise_type> handle_;
};

namespace detail {

template <class T>
task<T> promise<T>::get_return_object() noexcept {
  return task<T>{std::coroutine_handle<promise<T>>::from_promise(*this)};
}

inline task<void> promise<void>::get_return_object() noexcept {
  return task<void>{std::coroutine_handle<promise<void>>::from_promise(*this)};
}

/// The coroutines that `spawn` began on one loop and that have not ended: an intrusive
/// list, so that a loop which will never run again can destroy them. Loop's thread.
class root_list {
public:
  struct node {
    std::coroutine_handle<> handle;
    node* next = nullptr;
    node* previous = nullptr;
    root_list* list = nullptr;
  };

  root_list() = default;
  root_list(const root_list&) = delete;
  root_list& operator=(const root_list&) = delete;

  void add(node& n) noexcept {
    n.list = this;
    n.next = first_;
    if (first_ != nullptr)
      first_->previous = &n;
    first_ = &n;
  }

  static void remove(node& n) noexcept {
    if (n.list == nullptr)
      return;
    if (n.previous != nullptr)
      n.previous->next = n.next;
    else
      n.list->first_ = n.next;
    if (n.next != nullptr)
      n.next->previous = n.previous;
    n.list = nullptr;
  }

  void destroy_all() noexcept {
    while (first_ != nullptr)
      first_->handle.destroy();
  }

private:
  node* first_ = nullptr;
};

/// Set while a loop runs on this thread. Coroutines spawned elsewhere belong to nobody.
inline constinit thread_local root_list* roots_here = nullptr;

struct detached {
  struct promise_type : root_list::node {
    promise_type() noexcept {
      handle = std::coroutine_handle<promise_type>::from_promise(*this);
      if (roots_here != nullptr)
        roots_here->add(*this);
    }
    ~promise_type() { root_list::remove(*this); }
    promise_type(const promise_type&) = delete;
    promise_type& operator=(const promise_type&) = delete;

    detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

inline detached run_detached(task<void> work) {
  co_await work;
}

} // namespace detail

/// Runs `work` on the calling thread until it first waits; it then lives by itself. On a
/// loop's thread the loop's `drop_handlers` destroys it where it waits: what it waits for
/// must bear that (destructors of its locals take it out).
inline void spawn(task<void> work) {
  detail::run_detached(std::move(work));
}

} // namespace troupe::http
