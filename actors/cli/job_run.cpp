#include "actors/cli/job_run.hpp"

#include "actors/cli/core/answer_tree.hpp"
#include "actors/cli/core/display.hpp"
#include "actors/cli/core/query.hpp"

#include <algorithm>
#include <ostream>

namespace troupe::cli {

namespace {

using std::chrono::milliseconds;

constexpr duration wait_min = milliseconds{50};
constexpr duration wait_max = milliseconds{1000};
constexpr std::size_t bar_width = 30;

/// One line of the terminal that is written over and over, and gone in the end.
class progress {
public:
  explicit progress(const cli_surroundings& around) : around_(around) {}
  ~progress() { clear(); }
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  void show(const config::node& job) {
    if (!around_.terminal.err)
      return;
    around_.err << '\r'
                << progress_line(whole_in(job, "done"), whole_in(job, "total"),
                                 around_.terminal.columns)
                << "\x1b[K" << std::flush;
    drawn_ = true;
  }

  void clear() {
    if (drawn_)
      around_.err << "\r\x1b[K" << std::flush;
    drawn_ = false;
  }

private:
  const cli_surroundings& around_;
  bool drawn_ = false;
};

bool runs(const config::node& job) {
  return text_in(job, "state") == "running";
}

void tell_end(session& s, const config::node& job) {
  const auto state = text_in(job, "state");
  if (state == "done")
    return;
  if (s.json()) { // the job itself says it
    s.fail_with(refused);
    return;
  }
  if (state.empty()) {
    s.fail(refused, "not_a_node", "the answer tells of no job");
    return;
  }
  const auto why = text_in(job, "error");
  s.fail(refused, "job_" + state,
         (state == "cancelled" ? "the job was cancelled" : "the job " + state)
             + (why.empty() ? std::string{} : ": " + why));
}

} // namespace

const config::node& job_in(const config::node& answer) {
  const auto* inner = answer.find("job");
  return inner == nullptr ? answer : *inner;
}

std::string progress_line(std::int64_t finished, std::int64_t total, std::size_t columns) {
  std::string out;
  if (total > 0) {
    const auto part = std::clamp<std::int64_t>(finished, 0, total);
    const auto full = static_cast<std::size_t>(
        static_cast<double>(part) / static_cast<double>(total) * static_cast<double>(bar_width));
    out = '[' + std::string(full, '#') + std::string(bar_width - full, ' ') + "] "
          + grouped(finished) + " of " + grouped(total);
  } else {
    out = grouped(finished) + " done";
  }
  return columns > 0 ? cut_to(out, columns - 1) : out;
}

std::optional<told> follow_job(session& s, told now) {
  const auto& around = s.around();
  const auto id = text_in(job_in(now.tree), "id");
  const auto path = "/admin/v1/jobs/" + encoded_segment(id);
  const auto interrupted = around.watch_interrupts();
  progress bar{around};
  auto wait = wait_min;
  bool asked_to_cancel = false;
  while (runs(job_in(now.tree))) {
    bar.show(job_in(now.tree));
    around.wait(wait);
    wait = std::min(2 * wait, wait_max);
    if (interrupted() && !asked_to_cancel) {
      asked_to_cancel = true;
      bar.clear();
      s.remark("asking the node to cancel the job; Ctrl-C once more leaves it to itself");
      if (!s.post(path + ":cancel"))
        return std::nullopt;
      wait = wait_min;
    }
    auto next = s.get(path);
    if (!next) {
      bar.clear();
      s.remark("the job may go on; see `troupe jobs " + id + "`");
      return std::nullopt;
    }
    now = std::move(*next);
  }
  bar.clear();
  tell_end(s, job_in(now.tree));
  return now;
}

std::optional<told> run_job(session& s, const api_request& request) {
  auto begun = s.ask(request);
  if (!begun)
    return std::nullopt;
  return follow_job(s, std::move(*begun));
}

} // namespace troupe::cli
