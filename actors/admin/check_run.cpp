#include "actors/admin/check_run.hpp"

#include "actors/admin/asking.hpp"
#include "protocol/base/key_id.hpp"
#include "protocol/json/writer.hpp"

#include <utility>

namespace troupe {

namespace {

constexpr std::uint32_t page_size = 1'000;
constexpr std::size_t failures_max = 1'000;

struct failed_check {
  std::uint64_t id;
  std::string reason;
};

} // namespace

/// Kept alive by its coroutines: the last of them ends the job.
struct check_runs::run {
  bridge& actors;
  caf::actor inventory;
  std::shared_ptr<key_checker> checker;
  job_board& jobs;
  list_keys query;
  asker by;
  std::uint64_t job = 0;

  std::vector<std::uint64_t> ids;
  std::size_t next = 0;
  std::size_t done = 0;
  std::size_t good = 0;
  std::size_t failed = 0;
  std::vector<failed_check> failures;
  std::size_t workers = 0;
  std::string broken; ///< why the job cannot go on
  bool taken_back = false;
  bool stopped = false; ///< the owner is gone: touch nothing of it
  bool ended = false;
  http::cancel_source cancel;

  run(bridge& a, caf::actor i, std::shared_ptr<key_checker> c, job_board& j)
      : actors(a), inventory(std::move(i)), checker(std::move(c)), jobs(j) {}

  bool over() const { return stopped || taken_back || !broken.empty(); }
};

std::uint64_t check_runs::begin(key_filter filter, asker by) {
  if (running_ && !running_->ended)
    return 0;
  auto r = std::make_shared<run>(actors_, inventory_, checker_, jobs_);
  r->query.filter = std::move(filter);
  r->query.sort = key_sort::id; // the order in which no key moves while its state changes
  r->query.limit = page_size;
  r->by = std::move(by);
  r->job = jobs_.begin(std::string{kind}, r->by.who);
  running_ = r;
  const auto job = r->job;
  http::spawn(gather(std::move(r)));
  return job;
}

void check_runs::stop() {
  if (!running_ || running_->ended)
    return;
  auto r = std::exchange(running_, nullptr);
  r->stopped = true;
  r->ended = true;
  r->jobs.end(r->job, job_state::failed, "{}", "the node is stopping");
  r->cancel.cancel();
}

/// The keys that match at the beginning, then the workers.
http::task<void> check_runs::gather(std::shared_ptr<run> r) {
  for (;;) {
    auto page = co_await r->actors.ask<answer<key_page>>(r->inventory, list_keys(r->query));
    if (r->stopped)
      co_return;
    if (const auto no = refusal_in(page)) {
      r->broken = no->message;
      break;
    }
    for (const auto& k : page->yes.keys)
      r->ids.push_back(k.id);
    r->taken_back = !r->jobs.progress(r->job, 0, page->yes.matched);
    r->query.after = std::move(page->yes.next);
    if (r->query.after.empty() || r->taken_back)
      break;
  }
  r->workers = r->over() ? 0 : std::min(at_once_max, r->ids.size());
  if (r->workers == 0)
    finish(*r);
  for (std::size_t i = 0, all = r->workers; i < all; ++i)
    http::spawn(work(r));
}

http::task<void> check_runs::work(std::shared_ptr<run> r) {
  while (!r->over() && r->next < r->ids.size()) {
    const auto id = r->ids[r->next++];
    asker by = r->by;
    const auto end = co_await r->checker->check(id, std::move(by), r->cancel);
    if (r->stopped)
      co_return;
    ++r->done;
    if (end.no && end.no->code == "unavailable") {
      r->broken = end.no->message;
    } else if (end.no || !end.end.ok) {
      ++r->failed;
      if (r->failures.size() < failures_max)
        r->failures.push_back({id, end.no ? end.no->message : std::string{end.end.word}});
    } else {
      ++r->good;
    }
    if (!r->jobs.progress(r->job, r->done, r->ids.size()))
      r->taken_back = true;
  }
  if (--r->workers == 0 && !r->stopped)
    finish(*r);
}

void check_runs::finish(run& r) {
  std::string report;
  json::writer w{report};
  w.begin_object();
  w.key("matched");
  w.integer(r.ids.size());
  w.key("changed");
  w.integer(r.good);
  w.key("failed");
  w.integer(r.failed);
  w.key("failures");
  w.begin_array();
  for (const auto& f : r.failures) {
    w.begin_object();
    w.member("id", to_string(key_id{f.id}));
    w.member("reason", f.reason);
    w.end_object();
  }
  w.end_array();
  w.end_object();
  r.ended = true;
  const bool whole = r.done == r.ids.size() && r.broken.empty();
  const auto how = !r.broken.empty()        ? job_state::failed
                   : r.taken_back && !whole ? job_state::cancelled
                                            : job_state::done;
  r.jobs.end(r.job, how, std::move(report), r.broken);
}

} // namespace troupe
