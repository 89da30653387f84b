#include "actors/scheduler/clock_thread.hpp"

#include <caf/abstract_actor.hpp>
#include <caf/detail/set_thread_name.hpp>
#include <caf/group.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>

#include <utility>

namespace troupe {

namespace {

caf::strong_actor_ptr hold(caf::abstract_actor* self) {
  return caf::strong_actor_ptr{self->ctrl()};
}

} // namespace

void clock_thread::schedule::forget_ordinary(caf::actor_id id, caf::atom_value type) {
  handle(ordinary_timeout_cancellation{id, type});
}

void clock_thread::schedule::forget_request(caf::actor_id id, caf::message_id mid) {
  handle(request_timeout_cancellation{id, mid});
}

void clock_thread::schedule::forget_all(caf::actor_id id) {
  handle(timeouts_cancellation{id});
}

clock_thread::time_point clock_thread::schedule::next() const {
  return schedule_.empty() ? time_point::max() : schedule_.begin()->first;
}

template <class F>
struct clock_thread::order_of final : order {
  explicit order_of(F&& f) : fun(std::move(f)) {}
  void apply(schedule& to) override { fun(to); }
  F fun;
};

template <class F>
void clock_thread::put(time_point due, F f) {
  orders_.put(std::make_unique<order_of<F>>(std::move(f)), due);
}

clock_thread::clock_thread(caf::actor_system& system) : system_(system) {}

clock_thread::~clock_thread() {
  stop();
}

void clock_thread::start() {
  thread_ = std::thread{[this] {
    caf::detail::set_thread_name("clock");
    system_.thread_started();
    run();
    system_.thread_terminates();
  }};
}

void clock_thread::stop() {
  orders_.close();
  if (thread_.joinable())
    thread_.join();
  // Dropping an entry may destroy an actor, which gives an order: it is refused.
  std::vector<order_ptr> rest;
  orders_.take(rest, orders::never);
  rest.clear();
  schedule_.cancel_all();
}

void clock_thread::run() {
  std::vector<order_ptr> batch;
  while (orders_.take(batch, schedule_.next())) {
    for (auto& x : batch)
      x->apply(schedule_);
    batch.clear();
    schedule_.trigger_expired_timeouts();
  }
}

void clock_thread::set_ordinary_timeout(time_point t, caf::abstract_actor* self,
                                        caf::atom_value type, uint64_t id) {
  put(t, [t, type, id, ref = hold(self)](schedule& to) {
    to.set_ordinary_timeout(t, ref->get(), type, id);
  });
}

void clock_thread::set_multi_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                                     uint64_t id) {
  put(t, [t, type, id, ref = hold(self)](schedule& to) {
    to.set_multi_timeout(t, ref->get(), type, id);
  });
}

void clock_thread::set_request_timeout(time_point t, caf::abstract_actor* self,
                                       caf::message_id id) {
  put(t, [t, id, ref = hold(self)](schedule& to) { to.set_request_timeout(t, ref->get(), id); });
}

// An actor that cancels may be in its destructor: keep its number, not a reference. Cancelling
// is never urgent; the order of arrival is kept.

void clock_thread::cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) {
  put(orders::never, [id = self->id(), type](schedule& to) { to.forget_ordinary(id, type); });
}

void clock_thread::cancel_request_timeout(caf::abstract_actor* self, caf::message_id mid) {
  put(orders::never, [id = self->id(), mid](schedule& to) { to.forget_request(id, mid); });
}

void clock_thread::cancel_timeouts(caf::abstract_actor* self) {
  put(orders::never, [id = self->id()](schedule& to) { to.forget_all(id); });
}

void clock_thread::schedule_message(time_point t, caf::strong_actor_ptr receiver,
                                    caf::mailbox_element_ptr content) {
  put(t, [t, r = std::move(receiver), c = std::move(content)](schedule& to) mutable {
    to.schedule_message(t, std::move(r), std::move(c));
  });
}

void clock_thread::schedule_message(time_point t, caf::group target, caf::strong_actor_ptr sender,
                                    caf::message content) {
  put(t, [t, g = std::move(target), s = std::move(sender),
          c = std::move(content)](schedule& to) mutable {
    to.schedule_message(t, std::move(g), std::move(s), std::move(c));
  });
}

void clock_thread::cancel_all() {
  put(orders::never, [](schedule& to) { to.cancel_all(); });
}

} // namespace troupe
