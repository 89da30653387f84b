#pragma once

#include "actors/bridge.hpp"
#include "actors/scheduler/loop_inbox.hpp"

#include <caf/actor_addr.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_execution_unit.hpp>

#include <atomic>
#include <cstdint>
#include <future>
#include <unordered_map>
#include <vector>

namespace troupe {

/// The actor behind a bridge. What others send it waits in a `loop_inbox` instead of CAF's
/// mailbox, and is taken on the loop's thread in bounded turns; no scheduler ever sees it.
class bridge_actor final : public caf::event_based_actor {
public:
  bridge_actor(caf::actor_config& config, http::event_loop& loop, log_sink& log);

  // --- any thread --------------------------------------------------------------------------

  using caf::event_based_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* unit) override;

  void launch(caf::execution_unit* unit, bool lazy, bool hide) override;

  /// Before the bridge is given to anyone.
  void owned_by(bridge& owner);

  /// Becomes ready once the actor has ended and the loop holds no call for it. Once.
  std::future<void> close();

  bool closed() const noexcept { return closed_.load(std::memory_order_relaxed); }

  // --- the loop's thread -------------------------------------------------------------------

  /// Sends the request of `x`, which waits from now on.
  void send(ask_base& x);

  /// `x` waits no more. Its answer goes to its `late`, if it has one.
  void leave(ask_base& x);

  /// Resumes `x`, which has left, at the loop's next turn, unless it is gone by then.
  void resume_later(ask_base& x);
  void forget(ask_base& x);

  std::size_t notes_taken() const { return notes_.size() - free_notes_; }

protected:
  caf::behavior make_behavior() override;

private:
  /// Who waits for the answer to one request, or what to do with it when it comes late.
  struct note {
    ask_base* waiting = nullptr;
    ask_base::take_late take_late = nullptr;
    ask_base::erased_late late = nullptr;
    const caf::actor_control_block* asked = nullptr; ///< while watched
    std::uint64_t use = 0;       ///< counts the requests of this note: old answers do not match
    std::uint32_t next_free = 0; ///< 1 + index; 0: the last
    bool taken = false;
  };

  void woken();
  void turn() noexcept;
  void use(caf::mailbox_element& element);
  void answer(caf::mailbox_element& element);
  void receive(caf::mailbox_element& element);
  void lost(const caf::actor_addr& who);
  void resume_cancelled();
  void end();
  void fail_all();

  std::uint32_t take_note();
  void free_note(note& n);
  void watch(const caf::actor& whom);

  http::event_loop& loop_;
  log_sink& log_;
  bridge* owner_ = nullptr;
  caf::scoped_execution_unit unit_; ///< for what this actor's own behavior spawns
  loop_inbox<caf::mailbox_element_ptr> inbox_;
  std::vector<note> notes_;
  std::uint32_t first_free_ = 0; ///< 1 + index; 0: none
  std::size_t free_notes_ = 0;
  ask_base* first_cancelled_ = nullptr;
  std::unordered_map<const caf::actor_control_block*, caf::actor_addr> watched_;
  const caf::actor_control_block* last_watched_ = nullptr;
  std::atomic<bool> closed_{false}; ///< set on the loop's thread
  bool ended_ = false;              ///< no message is for the behavior any more
  bool waited_for_ = false;
  std::promise<void> gone_;
};

} // namespace troupe
