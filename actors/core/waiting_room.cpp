#include "actors/core/waiting_room.hpp"

#include "protocol/base/result.hpp"

#include <algorithm>

namespace troupe {

waiting_entry waiting_room::enter(const waiting_wish& w, time_point now) {
  TROUPE_ASSERT(!entry_of_.contains(w.ticket));
  const auto answer = make_room(w.who, false);
  if (answer.what == waiting_answer::accepted)
    put({.wish = w, .since = now, .order = ++orders_, .turn = ++turns_});
  return answer;
}

waiting_entry waiting_room::enter_first(const waiting_wish& w, time_point now) {
  TROUPE_ASSERT(!entry_of_.contains(w.ticket));
  const auto answer = make_room(w.who, true);
  if (answer.what == waiting_answer::accepted)
    put({.wish = w, .since = now, .order = --orders_first_, .turn = ++turns_});
  return answer;
}

std::optional<waiting_request> waiting_room::next(std::uint64_t line) {
  const auto at = lines_.find(line);
  if (at == lines_.end())
    return std::nullopt;
  const auto q = at->second.turns.first();
  const auto& entries = queues_[q].entries;
  const bool more = entries.first() != entries.last();
  const auto r = remove(entries.first());
  if (more) {
    at->second.turns.erase(queues_, q);
    take_turn(q, ++turns_);
  }
  return r;
}

void waiting_room::skip(const waiting_request& r) {
  TROUPE_ASSERT(!entry_of_.contains(r.wish.ticket));
  put(r);
}

bool waiting_room::leave(std::uint64_t ticket) {
  const auto at = entry_of_.find(ticket);
  if (at == entry_of_.end())
    return false;
  remove(at->second);
  return true;
}

std::vector<std::uint64_t> waiting_room::expire(time_point now) {
  std::vector<std::uint64_t> tickets;
  for (auto at = deadlines_.first(); at != nowhere && entries_[at].deadline <= now;
       at = deadlines_.first())
    tickets.push_back(remove(at).wish.ticket);
  return tickets;
}

std::optional<time_point> waiting_room::next_deadline() const {
  const auto at = deadlines_.first();
  return at == nowhere ? std::nullopt : std::optional{entries_[at].deadline};
}

std::size_t waiting_room::waiting_of(std::uint64_t who) const {
  const auto at = credentials_.find(who);
  return at == credentials_.end() ? 0 : at->second.waiting;
}

std::size_t waiting_room::waiting_in(std::uint64_t line) const {
  const auto at = lines_.find(line);
  return at == lines_.end() ? 0 : at->second.waiting;
}

std::vector<std::uint64_t> waiting_room::lines() const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> by_turn;
  by_turn.reserve(lines_.size());
  for (const auto& [line, state] : lines_)
    by_turn.emplace_back(queues_[state.turns.first()].turn, line);
  std::ranges::sort(by_turn);
  std::vector<std::uint64_t> sorted;
  sorted.reserve(by_turn.size());
  for (const auto& [turn, line] : by_turn)
    sorted.push_back(line);
  return sorted;
}

duration waiting_room::longest_wait(time_point now) const {
  const auto at = ages_.first();
  return at == nowhere ? duration{0} : now - entries_[at].since;
}

std::size_t
waiting_room::pair_hash::operator()(const std::pair<std::uint64_t, std::uint64_t>& p) const {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15U; // spreads ids that are near each other
  return std::hash<std::uint64_t>{}(p.first * odd + p.second);
}

/// Lets somebody go where the room is full and that is fair.
waiting_entry waiting_room::make_room(std::uint64_t who, bool first) {
  if (size() < waiting_max_)
    return {};
  const auto held = waiting_of(who);
  if (first && held > 0) // it is further than its credential's last one
    return {.displaced = remove(last_of(who)).wish.ticket};
  if (by_waiting_.empty())
    return {.what = waiting_answer::full, .displaced = {}};
  const auto [most, greediest] = *by_waiting_.rbegin();
  if (held + 1 < most)
    return {.displaced = remove(last_of(greediest)).wish.ticket};
  return {.what = held == 0 ? waiting_answer::full : waiting_answer::too_many_of_one,
          .displaced = {}};
}

/// Of those that wait for credential `who`, in any line, the one that came last.
std::uint32_t waiting_room::last_of(std::uint64_t who) {
  auto last = nowhere;
  const auto& queues = credentials_.at(who).queues;
  for (auto q = queues.first(); q != nowhere; q = queues_[q].in_credential.after, ++steps_) {
    const auto at = queues_[q].entries.last();
    if (last == nowhere || entries_[at].order > entries_[last].order)
      last = at;
  }
  return last;
}

/// The queue, with a turn no later than `turn`.
std::uint32_t waiting_room::queue_of(std::uint64_t line, std::uint64_t who, std::uint64_t turn) {
  const auto [known, is_new] = queue_of_.try_emplace({line, who}, nowhere);
  if (is_new) {
    known->second = queues_.take();
    auto& q = queues_[known->second];
    q.line = line;
    q.who = who;
    credentials_[who].queues.insert(queues_, known->second, nowhere);
  } else if (queues_[known->second].turn <= turn) {
    return known->second;
  } else {
    lines_.at(line).turns.erase(queues_, known->second);
  }
  take_turn(known->second, turn);
  return known->second;
}

/// Puts a queue that stands nowhere into its line.
void waiting_room::take_turn(std::uint32_t at, std::uint64_t turn) {
  queues_[at].turn = turn;
  auto& turns = lines_[queues_[at].line].turns;
  auto later = nowhere;
  if (!turns.empty() && queues_[turns.last()].turn > turn)
    for (later = turns.first(); queues_[later].turn < turn; later = queues_[later].in_line.after)
      ++steps_;
  turns.insert(queues_, at, later);
}

void waiting_room::put(const waiting_request& r) {
  const auto q = queue_of(r.wish.line, r.wish.who, r.turn);
  const auto at = entries_.take();
  auto& e = entries_[at];
  e.ticket = r.wish.ticket;
  e.deadline = r.wish.deadline;
  e.since = r.since;
  e.order = r.order;
  e.queue = q;
  auto& entries = queues_[q].entries;
  auto later = nowhere;
  if (!entries.empty() && entries_[entries.last()].order > r.order)
    for (later = entries.first(); entries_[later].order < r.order;
         later = entries_[later].in_queue.after)
      ++steps_;
  entries.insert(entries_, at, later);

  entry_of_.emplace(r.wish.ticket, at);
  deadlines_.put(entries_, at, steps_);
  ages_.put(entries_, at, steps_);
  ++lines_.at(r.wish.line).waiting;
  count(r.wish.who, credentials_.at(r.wish.who), 1);
}

waiting_request waiting_room::remove(std::uint32_t at) {
  const auto e = entries_[at];
  auto& q = queues_[e.queue];
  const waiting_request r{
      .wish = {.ticket = e.ticket, .line = q.line, .who = q.who, .deadline = e.deadline},
      .since = e.since,
      .order = e.order,
      .turn = q.turn};
  deadlines_.erase(entries_, at, steps_);
  ages_.erase(entries_, at, steps_);
  q.entries.erase(entries_, at);
  entry_of_.erase(e.ticket);
  entries_.give_back(at);

  const auto line = lines_.find(r.wish.line);
  const auto who = credentials_.find(r.wish.who);
  if (q.entries.empty()) {
    line->second.turns.erase(queues_, e.queue);
    who->second.queues.erase(queues_, e.queue);
    queue_of_.erase({r.wish.line, r.wish.who});
    queues_.give_back(e.queue);
  }
  if (--line->second.waiting == 0)
    lines_.erase(line);
  count(r.wish.who, who->second, -1);
  if (who->second.waiting == 0)
    credentials_.erase(who);
  return r;
}

/// Keeps `by_waiting_` true; the same node serves again.
void waiting_room::count(std::uint64_t who, credential& c, int change) {
  auto node = by_waiting_.extract({c.waiting, who});
  c.waiting += static_cast<std::uint32_t>(change);
  if (c.waiting == 0)
    return;
  if (node.empty()) {
    by_waiting_.emplace(c.waiting, who);
    return;
  }
  node.value() = {c.waiting, who};
  by_waiting_.insert(std::move(node));
}

} // namespace troupe
