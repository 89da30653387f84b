#include "actors/bridge_actor.hpp"

#include "actors/defaults.hpp"
#include "actors/error.hpp"

#include <caf/actor_cast.hpp>
#include <caf/detail/sync_request_bouncer.hpp>
#include <caf/sec.hpp>

#include <string>
#include <utility>

namespace troupe {

namespace {

/// A turn may resume this many coroutines, or last this long, before sockets get theirs.
constexpr turn_limit bridge_turn{};

// A request's number: 1 + index of the note below, the note's use above. CAF leaves 60 bits.
constexpr unsigned index_bits = 24;
constexpr std::uint64_t index_mask = (std::uint64_t{1} << index_bits) - 1;
constexpr std::uint64_t use_mask = (std::uint64_t{1} << (60 - index_bits)) - 1;

caf::actor_control_block* block_of(const caf::actor& x) {
  return caf::actor_cast<caf::actor_control_block*>(x);
}

void refuse(const caf::mailbox_element& element) {
  caf::detail::sync_request_bouncer answer_down{caf::sec::request_receiver_down};
  answer_down(element);
}

failure gone(std::string_view who) {
  return failure(errc::shutting_down, std::string(who) + " has ended");
}

failure failure_of(caf::type_erased_tuple& content) {
  if (!content.match_elements<caf::error>())
    return failure(errc::corrupt, "an actor's answer is of an unexpected type");
  const auto& e = content.get_as<caf::error>(0);
  if (e.category() != errc_category)
    return gone("the asked actor");
  const auto code = to_errc(e);
  std::string text = e.context().match_elements<std::string>() ? e.context().get_as<std::string>(0)
                                                               : std::string(to_string(code));
  return failure(code, std::move(text));
}

} // namespace

bridge_actor::bridge_actor(caf::actor_config& config, http::event_loop& loop, log_sink& log)
    : event_based_actor(config), loop_(loop), log_(log), unit_(&system()) {
  set_default_handlers(this, log_, log_area::pool, "bridge");
}

void bridge_actor::owned_by(bridge& owner) {
  owner_ = &owner;
  loop_.post([](void* self) { static_cast<bridge_actor*>(self)->inbox_.belongs_here(); }, this);
}

void bridge_actor::launch(caf::execution_unit*, bool, bool hide) {
  if (!hide)
    register_at_system();
  activate(&unit_);
}

/// An actor without a behavior would end at once.
caf::behavior bridge_actor::make_behavior() {
  struct nothing_yet {};
  return {[](const nothing_yet&) {}};
}

void bridge_actor::enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) {
  switch (inbox_.put(std::move(what))) {
  case put_result::taken:
    return;
  case put_result::wake:
    if (inbox_.here())
      loop_.post([](void* self) { static_cast<bridge_actor*>(self)->turn(); }, this);
    else
      loop_.post([](void* self) { static_cast<bridge_actor*>(self)->woken(); }, this);
    return;
  case put_result::closed:
    refuse(*what);
    return;
  }
}

void bridge_actor::woken() {
  if (inbox_.woken())
    turn();
  else if (waited_for_ && inbox_.idle())
    end();
}

void bridge_actor::turn() noexcept {
  resume_cancelled();
  bool again = inbox_.turn(bridge_turn, [this](caf::mailbox_element_ptr& x) { use(*x); });
  if (!again && first_cancelled_ != nullptr)
    again = inbox_.arm();
  if (again)
    loop_.post([](void* self) { static_cast<bridge_actor*>(self)->turn(); }, this);
  else if (waited_for_)
    end();
}

void bridge_actor::use(caf::mailbox_element& element) {
  if (element.mid.is_response())
    answer(element);
  else if (ended_)
    refuse(element);
  else
    receive(element);
}

void bridge_actor::answer(caf::mailbox_element& element) {
  const auto number = element.mid.request_id().integer_value();
  const auto index = (number & index_mask) - 1;
  if (index >= notes_.size())
    return;
  auto& n = notes_[index];
  if (!n.taken || n.use != number >> index_bits)
    return;
  const note found = n;
  free_note(n);
  auto& content = element.content();
  if (auto* x = found.waiting) {
    x->note_ = 0;
    if (!x->read_(*x, content))
      x->failure_ = failure_of(content);
    x->waiting_.resume();
  } else {
    found.take_late(*owner_, found.late, content);
  }
}

void bridge_actor::receive(caf::mailbox_element& element) {
  auto& content = element.content();
  if (content.match_elements<caf::down_msg>()) {
    const auto who = content.get_as<caf::down_msg>(0).source;
    if (watched_.contains(caf::actor_cast<caf::actor_control_block*>(who))) {
      lost(who);
      return;
    }
  }
  switch (reactivate(element)) {
  case activation_result::success:
  case activation_result::dropped:
    return;
  case activation_result::skipped:
    refuse(element);
    return; // there is no later here
  case activation_result::terminated:
    break;
  }
  ended_ = true;
  closed_ = true;
  inbox_.close();
  fail_all();
}

/// Whoever waits for an answer of `who` gets none. What `who` had passed on to others may still
/// be answered: such an answer comes late.
void bridge_actor::lost(const caf::actor_addr& who) {
  const auto* asked = caf::actor_cast<caf::actor_control_block*>(who);
  std::vector<ask_base*> waiting;
  for (auto& n : notes_)
    if (n.taken && n.asked == asked) {
      n.asked = nullptr;
      if (n.waiting != nullptr)
        waiting.push_back(n.waiting);
    }
  watched_.erase(asked);
  if (last_watched_ == asked)
    last_watched_ = nullptr;
  for (auto* x : waiting) {
    x->failure_ = gone("the asked actor");
    leave(*x);
    resume_later(*x);
  }
}

std::future<void> bridge_actor::close() {
  auto gone = gone_.get_future();
  loop_.post(
      [](void* argument) {
        auto& self = *static_cast<bridge_actor*>(argument);
        self.waited_for_ = true;
        self.closed_ = true;
        self.inbox_.close();
        if (self.inbox_.idle())
          self.end();
      },
      this);
  return gone;
}

/// Comes again as long as something calls for this actor: nothing may after its last line.
void bridge_actor::end() {
  fail_all();
  if (!inbox_.idle())
    return;
  if (!ended_) {
    ended_ = true;
    quit(caf::exit_reason::user_shutdown);
    finalize();
  }
  for (const auto& [block, address] : watched_)
    demonitor(address);
  watched_.clear();
  auto last = std::move(gone_);
  last.set_value();
}

void bridge_actor::fail_all() {
  for (std::size_t i = 0; i < notes_.size(); ++i) {
    if (!notes_[i].taken)
      continue;
    auto* x = notes_[i].waiting;
    free_note(notes_[i]);
    if (x == nullptr)
      continue;
    x->note_ = 0;
    x->failure_ = gone("the bridge");
    x->waiting_.resume();
  }
}

void bridge_actor::send(ask_base& x) {
  TROUPE_ASSERT(loop_.on_this_thread());
  watch(x.to_);
  const auto index = take_note();
  auto& n = notes_[index];
  n.waiting = &x;
  n.take_late = x.take_late_;
  n.late = x.late_;
  n.asked = block_of(x.to_);
  x.note_ = index + 1;
  x.message_->mid = caf::make_message_id(n.use << index_bits | (index + 1));
  x.to_->enqueue(std::move(x.message_), nullptr);
}

void bridge_actor::leave(ask_base& x) {
  auto& n = notes_[x.note_ - 1];
  x.note_ = 0;
  if (n.take_late != nullptr)
    n.waiting = nullptr;
  else
    free_note(n);
}

void bridge_actor::resume_later(ask_base& x) {
  x.cancel_pending_ = true;
  x.next_ = std::exchange(first_cancelled_, &x);
  if (inbox_.arm())
    loop_.post([](void* self) { static_cast<bridge_actor*>(self)->turn(); }, this);
}

void bridge_actor::forget(ask_base& x) {
  for (auto** at = &first_cancelled_; *at != nullptr; at = &(*at)->next_)
    if (*at == &x) {
      *at = x.next_;
      return;
    }
}

void bridge_actor::resume_cancelled() {
  while (auto* x = first_cancelled_) {
    first_cancelled_ = x->next_;
    x->cancel_pending_ = false;
    x->waiting_.resume();
  }
}

std::uint32_t bridge_actor::take_note() {
  if (first_free_ == 0) {
    TROUPE_ASSERT(notes_.size() < index_mask);
    notes_.emplace_back();
    first_free_ = static_cast<std::uint32_t>(notes_.size());
    ++free_notes_;
  }
  const auto index = first_free_ - 1;
  auto& n = notes_[index];
  first_free_ = n.next_free;
  --free_notes_;
  n.taken = true;
  return index;
}

void bridge_actor::free_note(note& n) {
  const auto use = (n.use + 1) & use_mask;
  n = note{};
  n.use = use;
  n.next_free = std::exchange(first_free_, static_cast<std::uint32_t>(&n - notes_.data()) + 1);
  ++free_notes_;
}

void bridge_actor::watch(const caf::actor& whom) {
  const auto* block = block_of(whom);
  if (block == last_watched_ || block == ctrl())
    return;
  if (watched_.try_emplace(block, whom.address()).second)
    monitor(whom); // of an actor that has ended we hear at once
  last_watched_ = block;
}

} // namespace troupe
