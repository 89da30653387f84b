#include "actors/inventory/job_board.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

std::string_view to_string(job_state s) {
  switch (s) {
  case job_state::running:
    return "running";
  case job_state::done:
    return "done";
  case job_state::failed:
    return "failed";
  case job_state::cancelled:
    return "cancelled";
  }
  return "unknown";
}

std::uint64_t job_board::begin(std::string kind, std::string who, std::uint64_t total) {
  const std::lock_guard lock(mutex_);
  auto& job = jobs_[++last_];
  job.id = last_;
  job.kind = std::move(kind);
  job.who = std::move(who);
  job.total = total;
  job.started_at_ms = now_().time_since_epoch().count();
  return last_;
}

bool job_board::progress(std::uint64_t id, std::uint64_t done, std::uint64_t total) {
  const std::lock_guard lock(mutex_);
  const auto at = jobs_.find(id);
  if (at == jobs_.end())
    return false;
  at->second.done = done;
  at->second.total = total;
  return !at->second.cancel;
}

void job_board::end(std::uint64_t id, job_state how, std::string report, std::string error) {
  const std::lock_guard lock(mutex_);
  const auto at = jobs_.find(id);
  if (at == jobs_.end())
    return;
  at->second.state = how;
  at->second.report = std::move(report);
  at->second.error = std::move(error);
  at->second.ended_at_ms = now_().time_since_epoch().count();
  forget_old();
}

bool job_board::cancel(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto at = jobs_.find(id);
  if (at == jobs_.end() || at->second.state != job_state::running)
    return false;
  at->second.cancel = true;
  return true;
}

std::optional<job_view> job_board::find(std::uint64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto at = jobs_.find(id);
  return at == jobs_.end() ? std::nullopt : std::optional{at->second};
}

std::vector<job_view> job_board::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<job_view> all;
  all.reserve(jobs_.size());
  for (auto at = jobs_.rbegin(); at != jobs_.rend(); ++at)
    all.push_back(at->second);
  return all;
}

std::size_t job_board::running(std::string_view kind) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(jobs_, [&](const auto& entry) {
    return entry.second.state == job_state::running && entry.second.kind == kind;
  }));
}

void job_board::forget_old() {
  auto ended = static_cast<std::size_t>(std::ranges::count_if(
      jobs_, [](const auto& entry) { return entry.second.state != job_state::running; }));
  for (auto at = jobs_.begin(); at != jobs_.end() && ended > ended_max_;) {
    if (at->second.state == job_state::running) {
      ++at;
      continue;
    }
    at = jobs_.erase(at);
    --ended;
  }
}

} // namespace troupe
