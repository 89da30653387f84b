#pragma once

#include "actors/scheduler/timed_hand_off.hpp"

#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/detail/simple_actor_clock.hpp>

#include <memory>
#include <thread>
#include <vector>

namespace troupe {

/// Delayed messages and timeouts, on a thread of its own. Thread-safe, but `start` and `stop`
/// belong to one owner.
///
/// CAF's stock clock takes its orders through a ring of 63 places, and who finds it full
/// waits: a loop would stop, and so would the clock's own thread for ever when it drops the
/// last reference to an actor (which cancels that actor's timeouts). Here an order never waits.
class clock_thread final : public caf::actor_clock {
public:
  explicit clock_thread(caf::actor_system& system);
  ~clock_thread() override;

  void start();

  /// Ends the thread; what was not due yet is dropped, and so are later orders.
  void stop();

  void set_ordinary_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                            uint64_t id) override;
  void set_multi_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                         uint64_t id) override;
  void set_request_timeout(time_point t, caf::abstract_actor* self, caf::message_id id) override;
  void cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) override;
  void cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) override;
  void cancel_timeouts(caf::abstract_actor* self) override;
  void schedule_message(time_point t, caf::strong_actor_ptr receiver,
                        caf::mailbox_element_ptr content) override;
  void schedule_message(time_point t, caf::group target, caf::strong_actor_ptr sender,
                        caf::message content) override;
  void cancel_all() override;

private:
  /// CAF's own bookkeeping of what is due, with a view of the next deadline.
  class schedule final : public caf::detail::simple_actor_clock {
  public:
    void forget_ordinary(caf::actor_id id, caf::atom_value type);
    void forget_request(caf::actor_id id, caf::message_id mid);
    void forget_all(caf::actor_id id);
    time_point next() const;
  };

  struct order {
    virtual ~order() = default;
    virtual void apply(schedule& to) = 0;
  };

  template <class F>
  struct order_of;

  using order_ptr = std::unique_ptr<order>;
  using orders = timed_hand_off<order_ptr>;

  template <class F>
  void put(time_point due, F f);

  void run();

  caf::actor_system& system_;
  orders orders_;
  schedule schedule_; // the clock's thread only; after it ended, the stopping one's
  std::thread thread_;
};

} // namespace troupe
