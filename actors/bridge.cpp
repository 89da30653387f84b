#include "actors/bridge.hpp"

#include "actors/bridge_actor.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/behavior.hpp>

#include <utility>

namespace troupe {

ask_base::ask_base(bridge& from, const caf::actor& to, caf::mailbox_element_ptr message,
                   http::cancel_source* cancel, read_answer read, take_late take, erased_late late)
    : bridge_(from),
      to_(to),
      message_(std::move(message)),
      cancel_(cancel),
      listener_(&ask_base::cancelled, this),
      read_(read),
      take_late_(take),
      late_(late) {}

ask_base::~ask_base() {
  if (note_ != 0)
    bridge_.actor_->leave(*this);
  if (cancel_pending_)
    bridge_.actor_->forget(*this);
}

bool ask_base::await_ready() {
  if (!to_)
    failure_.emplace(errc::shutting_down, "there is no actor to ask");
  else if (bridge_.actor_->closed())
    failure_.emplace(errc::shutting_down, "the bridge has ended");
  else if (cancel_ != nullptr && cancel_->cancelled())
    failure_.emplace(errc::cancelled, "cancelled before it was asked");
  return failure_.has_value();
}

void ask_base::await_suspend(std::coroutine_handle<> waiting) {
  waiting_ = waiting;
  bridge_.actor_->send(*this);
  if (cancel_ != nullptr)
    listener_.join(*cancel_);
}

void ask_base::cancelled(void* self) {
  auto& x = *static_cast<ask_base*>(self);
  if (x.note_ == 0)
    return; // answered, or about to be resumed
  x.failure_.emplace(errc::cancelled, "cancelled while waiting for an actor");
  x.bridge_.actor_->leave(x);
  x.bridge_.actor_->resume_later(x);
}

bridge::bridge(http::event_loop& loop, caf::actor_system& system, log_sink& log)
    : handle_(system.spawn<bridge_actor>(loop, log)),
      actor_(static_cast<bridge_actor*>(caf::actor_cast<caf::abstract_actor*>(handle_))),
      loop_(loop) {
  actor_->owned_by(*this);
}

bridge::~bridge() {
  stop();
}

caf::actor bridge::handle() const {
  return handle_;
}

caf::strong_actor_ptr bridge::self() const {
  return caf::actor_cast<caf::strong_actor_ptr>(handle_);
}

void bridge::on_message(const caf::behavior& own) {
  auto take = [actor = actor_, own] {
    if (!actor->closed())
      actor->become(own);
  };
  if (loop_.on_this_thread())
    take();
  else
    loop_.post(std::function<void()>(std::move(take)));
}

void bridge::stop() {
  if (std::exchange(stopped_, true))
    return;
  TROUPE_ASSERT(!loop_.on_this_thread());
  actor_->close().wait();
}

std::size_t bridge::asks_open() const {
  return actor_->notes_taken();
}

} // namespace troupe
