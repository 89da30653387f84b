#include "actors/key/pool_actor.hpp"
#include "actors/key/pool_atoms.hpp"
#include "actors/key/quota_words.hpp"

#include <caf/actor_clock.hpp>

#include <algorithm>
#include <utility>

// Requests that wait for a key.

namespace troupe {
namespace {

/// Those of one line that could not be served although their line could: each has keys of its own
/// that it must not use. So many are passed over before the line waits.
constexpr std::size_t passed_over_max = 16;
/// Keys that have room only once some call ends are asked again when one did, and after so long:
/// the word of an end may have overtaken the request.
constexpr duration look_again = std::chrono::milliseconds{250};

/// Who had been chosen and came back stands before all others of its credential; several of them,
/// in the order in which they came to the pool.
std::int64_t place_of(std::uint64_t arrived) {
  return static_cast<std::int64_t>(arrived) - (std::int64_t{1} << 62);
}

} // namespace

void pool_actor_state::enter(acquire_request request, caf::response_promise asker,
                             std::uint64_t line, std::vector<turned_away> turned, time_point at) {
  auto ticket = request.ticket;
  while (ticket == 0 || waiting_.contains(ticket))
    ticket = ++own_tickets_;
  waiting_wish w;
  w.ticket = ticket;
  w.line = line;
  w.who = request.credential;
  w.deadline = at + std::chrono::milliseconds{request.wait_max_ms};
  waiting_entry entry;
  if (request.turned_back == 0)
    entry = room_.enter(w, at);
  else if (room_.size() < shared_->live->get()->waiting_max)
    room_.skip({.wish = w, .since = at, .order = place_of(request.arrived), .turn = 0});
  else
    entry = room_.enter_first(w, at);
  auto& e = waiting_[ticket];
  e.request = std::move(request);
  e.asker = std::move(asker);
  e.turned = std::move(turned);
  e.since = at;
  e.deadline = w.deadline;
  if (std::ranges::find(e.turned, quota_room::never, &turned_away::until) != e.turned.end())
    e.look_again_at = at + look_again;
  if (entry.displaced)
    answer_refused(*entry.displaced, grant_kind::waiting_room_full, at);
  if (entry.what != waiting_answer::accepted) {
    answer_refused(ticket, grant_kind::waiting_room_full, at);
  } else {
    gauges_->waited.add();
    wake_later(std::min(w.deadline, e.look_again_at), at);
  }
  gauges_->waiting.set(room_.size());
}

/// The request of `ticket` has left the room and gets no key.
void pool_actor_state::answer_refused(std::uint64_t ticket, grant_kind grant, time_point at) {
  const auto e = waiting_.extract(ticket);
  if (e.empty())
    return;
  auto& w = e.mapped();
  (grant == grant_kind::waiting_room_full ? gauges_->waiting_refused : gauges_->waited_in_vain)
      .add();
  // What it could hope for, in case it comes again.
  const auto c = selection_.choose(wish_of(w.request, w.turned), at);
  auto reply = refusal(c, at);
  reply.grant = grant;
  choices_.note(w.request.ticket,
                grant == grant_kind::waiting_room_full ? choice_log::outcome::full
                                                       : choice_log::outcome::resting,
                c, w.request.turned, shared_->wall(), at - w.since);
  forget_call(w.request);
  w.asker.deliver(std::move(reply));
}

/// @param call_ended  somewhere, so keys may have the room that they had hoped for
void pool_actor_state::wake(time_point at, bool call_ended) {
  if (wake_at_ <= at)
    wake_at_ = time_point::max();
  if (room_.size() == 0)
    return;
  for (const auto ticket : room_.expire(at))
    answer_refused(ticket, grant_kind::resting, at);
  auto soonest = time_point::max();
  for (const auto line : room_.lines())
    soonest = std::min(soonest, wake_line(line, at, call_ended).soonest);
  if (const auto deadline = room_.next_deadline())
    soonest = std::min(soonest, *deadline);
  gauges_->waiting.set(room_.size());
  if (soonest != time_point::max())
    wake_later(soonest, at);
}

pool_actor_state::line_rest pool_actor_state::wake_line(std::uint64_t line, time_point at,
                                                        bool call_ended) {
  std::vector<waiting_request> passed_over;
  line_rest rest;
  while (const auto called = room_.next(line)) {
    const auto found = waiting_.find(called->wish.ticket);
    if (found == waiting_.end())
      continue;
    auto& e = found->second;
    // Not at every report: two requests that a key turns away would wake each other for ever.
    const bool again = call_ended || e.look_again_at <= at;
    std::erase_if(e.turned, [at, again](const turned_away& t) {
      return t.until == quota_room::never ? again : t.until <= at;
    });
    if (again)
      e.look_again_at = time_point::max();
    const auto c = pick(e.request, e.turned, at);
    if (c.kind == choice_kind::resting) {
      rest.soonest = std::min({rest.soonest, c.free_at, e.look_again_at});
      passed_over.push_back(*called);
      const bool picky = !e.request.tried.empty() || !e.turned.empty() || e.request.pinned != 0;
      if (picky && passed_over.size() < passed_over_max)
        continue;
      rest.blocked = true;
      break;
    }
    choices_.note(e.request.ticket,
                  c.kind == choice_kind::chosen ? choice_log::outcome::sent
                                                : choice_log::outcome::none_usable,
                  c, e.request.turned, shared_->wall(), at - e.since);
    auto gone = waiting_.extract(found);
    auto& w = gone.mapped();
    if (c.kind == choice_kind::none) {
      forget_call(w.request);
      w.asker.deliver(refusal(c, at));
      continue;
    }
    selection_.sent(c.slot, w.request.model);
    members_[c.slot].granted = at;
    // If a key turns it back, it has what is left of its time.
    w.request.wait_max_ms = std::max<std::int64_t>(1, milliseconds_until(w.deadline, at));
    w.request.turned.clear();
    w.asker.delegate(members_[c.slot].actor, std::move(w.request));
  }
  for (auto r = passed_over.rbegin(); r != passed_over.rend(); ++r)
    room_.skip(*r);
  return rest;
}

void pool_actor_state::wake_later(time_point when, time_point at) {
  if (when >= wake_at_ || when == quota_room::never)
    return;
  wake_at_ = when;
  self_->delayed_send(self_, std::max<duration>(when - at, duration::zero()), wake_atom::value);
}

void pool_actor_state::stop(std::uint64_t ticket) {
  if (!room_.leave(ticket))
    return;
  auto e = waiting_.extract(ticket);
  if (e.empty())
    return;
  forget_call(e.mapped().request);
  e.mapped().asker.deliver(acquire_reply{});
  gauges_->waiting.set(room_.size());
}

} // namespace troupe
