#include "actors/node_fronts.hpp"

#include "actors/core/instants.hpp"
#include "actors/messages.hpp"

#include <chrono>
#include <utility>
#include <vector>

namespace troupe {

namespace {

std::int64_t milliseconds_up(duration d) {
  return std::chrono::ceil<std::chrono::milliseconds>(d).count();
}

breaker_shown shown(breaker_view&& b, std::string upstream, instants t) {
  breaker_shown s;
  s.upstream = std::move(upstream);
  s.model = std::move(b.model);
  s.state = b.now.state;
  if (b.now.since != time_point{})
    s.since_at_ms =
        t.wall.time_since_epoch().count()
        - std::chrono::duration_cast<std::chrono::milliseconds>(t.now - b.now.since).count();
  s.why = std::move(b.now.why);
  s.calls = b.now.calls;
  s.failures = b.now.failures;
  if (b.now.state == breaker_state::open)
    s.retry_in_ms = milliseconds_up(b.now.retry_in);
  return s;
}

explained_choice shown(choice_note&& n) {
  explained_choice c;
  c.at_ms = n.at_ms;
  c.chosen = n.chosen;
  c.members = n.members;
  c.usable = n.usable;
  c.tier = n.tier;
  c.by_affinity = n.by_affinity;
  for (const auto& l : n.looked)
    c.looked.push_back({l.key, static_cast<double>(l.score)});
  for (const auto& t : n.turned)
    c.turned.push_back(
        {t.key, t.per_day ? "no room within its limits of the day" : "no room within its limits",
         t.wait_ms});
  c.waited_ms = n.waited_ms;
  c.outcome = std::move(n.outcome);
  return c;
}

/// The front's record, and with it what the pool remembers of its questions.
http::task<std::optional<explained_request>> explain(std::shared_ptr<explain_board> board,
                                                     bridge& actors, caf::actor pool,
                                                     std::string request_id) {
  auto record = board->find(request_id);
  if (!record)
    co_return std::nullopt;
  explain_tickets question;
  question.tickets = std::move(record->tickets);
  auto notes = co_await actors.ask<std::vector<choice_note>>(pool, std::move(question));
  if (notes) // else the pool is stopping; what the front knows is told all the same
    for (auto& n : *notes)
      record->request.choices.push_back(shown(std::move(n)));
  co_return std::move(record->request);
}

} // namespace

front_words words_of(front_boards boards) {
  front_words words;
  words.explain = [board = boards.explained, &actors = boards.actors, pool = boards.pool](
                      std::string id) { return explain(board, actors, pool, std::move(id)); };
  words.breakers = [b = std::move(boards)] {
    const instants t{b.loop.now(), b.wall()};
    std::vector<breaker_shown> all;
    for (auto& one : b.breakers->view(t.now))
      if (auto name = b.name_of(one.upstream); !name.empty())
        all.push_back(shown(std::move(one), std::move(name), t));
    return all;
  };
  return words;
}

} // namespace troupe
