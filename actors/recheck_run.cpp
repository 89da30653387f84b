#include "actors/recheck_run.hpp"

#include "actors/messages.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace troupe {

/// Kept alive by its coroutines.
struct recheck_run::run {
  bridge& actors;
  caf::actor pool;
  std::shared_ptr<key_checker> checker;
  log_sink& log;

  std::deque<std::uint64_t> due;
  std::size_t workers = 0;
  bool asking = false;
  bool over = false; ///< stopped, or the pool has no more to say
  http::cancel_source cancel;

  run(bridge& a, caf::actor p, std::shared_ptr<key_checker> c, log_sink& l)
      : actors(a), pool(std::move(p)), checker(std::move(c)), log(l) {}

  bool has_room() const { return !over && due.empty() && workers < at_once_max; }
};

recheck_run::recheck_run(bridge& actors, caf::actor pool, std::shared_ptr<key_checker> checker,
                         log_sink& log)
    : run_(std::make_shared<run>(actors, std::move(pool), std::move(checker), log)) {}

void recheck_run::begin() {
  http::spawn(gather(run_));
}

void recheck_run::stop() {
  run_->over = true;
  run_->cancel.cancel();
}

http::task<void> recheck_run::gather(std::shared_ptr<run> r) {
  r->asking = true;
  while (r->has_room()) {
    auto due = co_await r->actors.ask<std::vector<std::uint64_t>>(r->pool, &r->cancel, nullptr,
                                                                  take_rechecks_atom::value);
    if (r->over)
      co_return;
    if (!due) {
      if (due.error().code != errc::shutting_down)
        r->log.write(log_area::pool, log_level::error, {},
                     "disabled keys are not checked any more: " + due.error().text);
      r->over = true;
      co_return;
    }
    r->due.insert(r->due.end(), due->begin(), due->end());
    while (!r->over && !r->due.empty() && r->workers < at_once_max) {
      ++r->workers;
      http::spawn(work(r)); // takes its first key before it waits for anything
    }
  }
  r->asking = false;
}

http::task<void> recheck_run::work(std::shared_ptr<run> r) {
  while (!r->over && !r->due.empty()) {
    const auto key = r->due.front();
    r->due.pop_front();
    auto found = co_await r->checker->probe(key, r->cancel);
    if (r->over)
      co_return;
    if (found.no)
      continue; // it was deleted, or its upstream was: the pool forgets it or asks again
    check_outcome told;
    told.key = key;
    told.end = std::move(found.report);
    (void)co_await r->actors.ask<key_status>(r->pool, &r->cancel, nullptr, std::move(told));
  }
  --r->workers;
  if (!r->asking && r->has_room())
    http::spawn(gather(r));
}

} // namespace troupe
