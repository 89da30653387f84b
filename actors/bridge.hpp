#pragma once

#include "actors/bridge_reply.hpp"
#include "http/cancel.hpp"
#include "http/event_loop.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/result.hpp"

#include <caf/actor.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message_id.hpp>

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

// The only door between loops and actors.
//
// A coroutine on a loop cannot be an actor, and an actor must not wait. So each loop has one
// actor, the bridge's, that asks on behalf of every coroutine of the loop: it sends a request,
// keeps a note of who waits for its answer, and resumes the coroutine on the loop's thread when
// the answer is there. The note is found by a number inside CAF's own request id, so an ask
// needs no map, no handler object and no timer; the waiting object lives in the frame of the
// coroutine. Deadlines are the asker's: CAF keeps a request's timeout after its answer came.
//
// What holds:
//  - Every ask ends: by its answer, by the end of the asked actor (the bridge watches whom it
//    asks), by cancellation, or by `stop`.
//  - A coroutine resumes on the loop's thread, never inside another actor's handler and never
//    inside the call that cancels it.
//  - An answer that comes after its coroutine left goes to `late`, so that what it grants can
//    be given back.
//  - Answers and messages of one sender keep their order.
//
// The bridge works with any scheduler, also in an actor system that is not ours.

namespace troupe {

class bridge;
class bridge_actor;

/// What becomes of an answer that nobody waits for any more. On the loop's thread.
template <class Reply>
struct late_signature {
  using type = void (*)(bridge&, Reply);
};
template <>
struct late_signature<void> {
  using type = void (*)(bridge&);
};
template <class Reply>
using late_answer = typename late_signature<Reply>::type;

/// The part of an ask that does not depend on the type of its answer.
class ask_base {
public:
  ask_base(const ask_base&) = delete;
  ask_base& operator=(const ask_base&) = delete;

  /// Nothing is sent when it would be in vain.
  bool await_ready();
  void await_suspend(std::coroutine_handle<> waiting);

protected:
  /// The type of `late_answer` is restored by whoever wrote it.
  using erased_late = void (*)();
  using take_late = void (*)(bridge&, erased_late, caf::type_erased_tuple&);
  /// Reads the answer into the derived object; false: it is of another type.
  using read_answer = bool (*)(ask_base&, caf::type_erased_tuple&);

  ask_base(bridge& from, const caf::actor& to, caf::mailbox_element_ptr message,
           http::cancel_source* cancel, read_answer read, take_late take, erased_late late);
  ~ask_base();

  std::optional<failure> failure_;

private:
  friend class bridge_actor;

  static void cancelled(void* self);

  bridge& bridge_;
  caf::actor to_;
  caf::mailbox_element_ptr message_;
  http::cancel_source* cancel_;
  http::cancel_listener listener_;
  read_answer read_;
  take_late take_late_;
  erased_late late_;
  std::coroutine_handle<> waiting_;
  std::uint32_t note_ = 0;      ///< 1 + index of the bridge's note; 0: none
  ask_base* next_ = nullptr;    ///< among those cancelled, to be resumed
  bool cancel_pending_ = false; ///< in that list
};

/// An ask, to be awaited once, at once, on the bridge's loop.
template <class Reply>
class [[nodiscard]] asking final : public ask_base {
public:
  asking(bridge& from, const caf::actor& to, caf::mailbox_element_ptr message,
         http::cancel_source* cancel, late_answer<Reply> late)
      : ask_base(from, to, std::move(message), cancel, &read,
                 late != nullptr ? &deliver_late : nullptr, reinterpret_cast<erased_late>(late)) {}

  result<Reply> await_resume() {
    if (failure_)
      return *std::move(failure_);
    return reply_.take();
  }

private:
  static bool read(ask_base& self, caf::type_erased_tuple& content) {
    return static_cast<asking&>(self).reply_.read(content);
  }

  static void deliver_late(bridge& from, erased_late late, caf::type_erased_tuple& content) {
    bridge_reply<Reply> reply;
    if (!reply.read(content))
      return;
    const auto take = reinterpret_cast<late_answer<Reply>>(late);
    if constexpr (std::is_void_v<Reply>)
      take(from);
    else
      take(from, *std::move(reply.value));
  }

  bridge_reply<Reply> reply_;
};

/// One per loop. Built on any thread; `ask` on the loop's own, everything else on any.
class bridge {
public:
  /// `loop`, `system` and `log` outlive it. The actor system does not end before `stop`.
  bridge(http::event_loop& loop, caf::actor_system& system, log_sink& log);

  /// Calls `stop`.
  ~bridge();

  bridge(const bridge&) = delete;
  bridge& operator=(const bridge&) = delete;

  /// `auto answer = co_await bridge.ask<reply_type>(actor, message...)`: a `result<reply_type>`.
  ///
  /// `Reply` is the type of the answer's one element, `void` for an answer without any, or a
  /// `std::variant` of the types that it may have. Fails with the `errc` that the asked actor
  /// answered; `shutting_down` when that actor has ended, or this bridge; `corrupt` for an
  /// answer of another type.
  template <class Reply, class... Ts>
  requires(!(std::is_pointer_v<Ts> || ...)) asking<Reply> ask(const caf::actor& to, Ts... message) {
    return {*this, to, make_request(std::move(message)...), nullptr, nullptr};
  }

  /// Also fails with `cancelled`, at the loop's next turn after `cancel` is cancelled. An answer
  /// that comes all the same goes to `late`, unless this bridge has stopped by then.
  template <class Reply, class... Ts>
  asking<Reply> ask(const caf::actor& to, http::cancel_source* cancel, late_answer<Reply> late,
                    Ts... message) {
    return {*this, to, make_request(std::move(message)...), cancel, late};
  }

  /// Sends without an answer.
  template <class... Ts>
  void tell(const caf::actor& to, Ts... message) {
    if (to)
      to->enqueue(
          caf::make_mailbox_element(self(), caf::make_message_id(), {}, std::move(message)...),
          nullptr);
  }

  /// The actor that speaks for this loop.
  caf::actor handle() const;

  /// Answers messages to `handle`, on the loop's thread; before, they are unexpected. Replaces
  /// an earlier behavior.
  void on_message(const caf::behavior& own);

  /// Ends every ask with `shutting_down` and the bridge's actor, and waits for it. Not on the
  /// loop's thread; the loop must be running. A second call does nothing.
  void stop();

  /// How many asks are waiting, or were cancelled and may be answered late. Loop's thread.
  std::size_t asks_open() const;

private:
  friend class ask_base;

  /// The request's number is filled in when it is sent.
  template <class... Ts>
  caf::mailbox_element_ptr make_request(Ts&&... message) {
    return caf::make_mailbox_element(self(), caf::message_id{}, {}, std::move(message)...);
  }

  caf::strong_actor_ptr self() const;

  caf::actor handle_; ///< keeps `actor_` alive
  bridge_actor* actor_;
  http::event_loop& loop_;
  bool stopped_ = false;
};

} // namespace troupe
