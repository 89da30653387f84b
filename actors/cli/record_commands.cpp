#include "actors/cli/groups.hpp"

#include "actors/cli/core/answer_tree.hpp"
#include "actors/cli/core/query.hpp"
#include "actors/cli/job_run.hpp"
#include "actors/cli/moments.hpp"
#include "actors/cli/pages.hpp"

#include <memory>

// What happened and what runs: audit, jobs, whoami.

namespace troupe::cli {

namespace {

/// `3 -> 4`, `made`, `gone`; empty for what has no revisions.
std::string revisions_text(const config::node& entry) {
  const auto before = whole_in(entry, "before"), after = whole_in(entry, "after");
  if (before == 0 && after == 0)
    return {};
  if (before == 0)
    return "made";
  return after == 0 ? "gone" : std::to_string(before) + " -> " + std::to_string(after);
}

std::string draw_audit(const config::node& page, const look& l, wall_time now) {
  table out{{{"ID", true},
             {"AT"},
             {""},
             {"WHO", false, true},
             {"FROM", false, true},
             {"ACTION"},
             {"TARGET", false, true},
             {"REVISION"},
             {"CHANGES", false, true}}};
  for (const auto& e : part_of(page, "entries").items) {
    const auto at = text_in(e, "at");
    const auto& changes = part_of(e, "changes");
    out.add({text_in(e, "id"), absolute_moment(at), cell{relative_moment(at, now), tone::faint},
             text_in(e, "who"), text_in(e, "from"), text_in(e, "action"), text_in(e, "target"),
             revisions_text(e),
             changes.members.empty() ? std::string{} : config::write_json(changes)});
  }
  return out.empty() ? "nothing was done that matches\n" : out.draw(l);
}

tone tone_of(const std::string& state) {
  if (state == "done")
    return tone::good;
  return state == "running" ? tone::worth_a_look : tone::bad;
}

std::string done_of_total(const config::node& job) {
  const auto total = whole_in(job, "total");
  return grouped(whole_in(job, "done")) + (total > 0 ? " of " + grouped(total) : "");
}

std::string draw_jobs(const config::node& list, const look& l, wall_time now) {
  table out{{{"ID", true},
             {"KIND"},
             {"STATE"},
             {"DONE", true},
             {"STARTED"},
             {"ENDED"},
             {"WHO", false, true},
             {"ERROR", false, true}}};
  for (const auto& job : part_of(list, "jobs").items) {
    const auto state = text_in(job, "state");
    out.add({text_in(job, "id"), text_in(job, "kind"), cell{state, tone_of(state)},
             done_of_total(job), relative_moment(text_in(job, "started"), now),
             relative_moment(text_in(job, "ended"), now), text_in(job, "who"),
             cell{text_in(job, "error"), tone::bad}});
  }
  return out.empty() ? "no job runs or ran\n" : out.draw(l);
}

std::string draw_job(const config::node& job, const look& l, wall_time now) {
  const auto state = text_in(job, "state");
  sheet out;
  out.add("id", text_in(job, "id"));
  out.add("kind", text_in(job, "kind"));
  out.add("state", {state, tone_of(state)});
  out.add("done", done_of_total(job));
  out.add("who", text_in(job, "who"));
  out.add("started", full_moment(text_in(job, "started"), now));
  out.add_if_any("ended", full_moment(text_in(job, "ended"), now));
  out.add_if_any("error", {text_in(job, "error"), tone::bad});
  for (const auto& m : part_of(job, "report").members)
    out.add(m.name, value_text(m.value));
  return out.draw(l);
}

struct job_flags {
  std::string id, action;
};

int use_jobs(session& s, const job_flags& f) {
  const auto path = "/admin/v1/jobs" + (f.id.empty() ? "" : '/' + encoded_segment(f.id));
  if (f.action == "cancel") {
    const auto job = s.post(path + ":cancel");
    if (!job)
      return s.code();
    return s.show(job->body,
                  [&](const look& l) { return draw_job(job_in(job->tree), l, s.now()); });
  }
  if (!f.action.empty() && f.action != "wait")
    return s.usage("there is no such action on a job; there are cancel and wait");
  auto answer = s.get(path);
  if (answer && f.action == "wait")
    answer = follow_job(s, std::move(*answer));
  if (!answer)
    return s.code();
  return s.show(answer->body, [&](const look& l) {
    return f.id.empty() ? draw_jobs(answer->tree, l, s.now())
                        : draw_job(job_in(answer->tree), l, s.now());
  });
}

} // namespace

void add_audit(command c) {
  struct flags {
    std::string action, who, target;
    page_flags pages;
  };
  auto f = std::make_shared<flags>();
  c.text("--action", f->action, "TEXT", "Actions that begin so: keys.")
      .text("--who", f->who, "NAME", "Done by them")
      .text("--target", f->target, "ID", "Done to this");
  add_page_flags(c, f->pages);
  c.runs([f](session& s) {
    const auto page = read_pages(s, "/admin/v1/audit",
                                 {{"action", f->action}, {"who", f->who}, {"target", f->target}},
                                 "entries", f->pages);
    if (!page)
      return s.code();
    s.show(page->body, [&](const look& l) { return draw_audit(page->tree, l, s.now()); });
    if (const auto next = text_in(page->tree, "next"); !next.empty())
      s.remark("there are older ones: --all lists all, --after " + next + " goes on");
    return s.code();
  });
}

void add_jobs(command c) {
  auto f = std::make_shared<job_flags>();
  c.argument("id", f->id, "Of one job; else all are listed", false)
      .argument("action", f->action, "cancel, or wait for its end", false);
  c.runs([f](session& s) { return use_jobs(s, *f); });
}

void add_whoami(command c) {
  c.runs([](session& s) {
    const auto me = s.get("/admin/v1/whoami");
    if (!me)
      return s.code();
    return s.show(me->body, [&](const look& l) {
      return painted(text_in(me->tree, "name"), l) + ", " + painted(text_in(me->tree, "role"), l)
             + ", from " + painted(text_in(me->tree, "from"), l) + '\n';
    });
  });
}

} // namespace troupe::cli
