#pragma once

#include "http/detail/loop_impl.hpp"
#include "http/detail/waiter.hpp"

#include <cstddef>
#include <new>

namespace troupe::http::detail {

/// One operation of an Asio object at a time, for a coroutine that starts it and later waits:
///
///     io_wait wait{loop.internals()};
///     socket.async_receive(buffer, wait.handler());
///     co_await wait;                    // returns at once if it has completed meanwhile
///     if (wait.error()) ...
///
/// It keeps the operation's memory, so that a connection's steady work allocates nothing.
/// When the loop drops its handlers, operations go first and the frames that hold this
/// afterwards. Loop's thread.
class io_wait : public waiter {
public:
  using waiter::waiter;

  template <class T>
  class slot_allocator;
  class completion;

  /// A completion handler for a signature of `(error_code)` or `(error_code, size_t)`.
  completion handler();

private:
  static constexpr std::size_t slot_bytes = 256;

  bool slot_taken_ = false;
  alignas(std::max_align_t) std::byte slot_[slot_bytes];
};

/// Gives the slot to whoever asks first, the heap to others and to what does not fit.
template <class T>
class io_wait::slot_allocator {
public:
  using value_type = T;

  explicit slot_allocator(io_wait& owner) noexcept : owner_(&owner) {}
  template <class U>
  slot_allocator(const slot_allocator<U>& other) noexcept : owner_(other.owner()) {}

  T* allocate(std::size_t n) {
    if (!owner_->slot_taken_ && n * sizeof(T) <= slot_bytes) {
      owner_->slot_taken_ = true;
      return reinterpret_cast<T*>(owner_->slot_);
    }
    return static_cast<T*>(::operator new(n * sizeof(T)));
  }

  void deallocate(T* p, std::size_t) noexcept {
    if (reinterpret_cast<std::byte*>(p) == owner_->slot_)
      owner_->slot_taken_ = false;
    else
      ::operator delete(p);
  }

  io_wait* owner() const noexcept { return owner_; }
  friend bool operator==(const slot_allocator& a, const slot_allocator& b) noexcept {
    return a.owner_ == b.owner_;
  }

private:
  io_wait* owner_;
};

class io_wait::completion {
public:
  using allocator_type = slot_allocator<std::byte>;

  explicit completion(io_wait& owner) noexcept : owner_(&owner) {}

  allocator_type get_allocator() const noexcept { return allocator_type{*owner_}; }

  void operator()(const boost::system::error_code& error, std::size_t bytes = 0) const {
    owner_->complete(error, bytes);
  }

private:
  io_wait* owner_;
};

inline io_wait::completion io_wait::handler() {
  begin();
  return completion{*this};
}

} // namespace troupe::http::detail
