#include "actors/admin/rest_document.hpp"

#include "actors/admin/document.hpp"

namespace troupe {

namespace {

void write_job(json::writer& w, const job_view& j) {
  w.begin_object();
  w.member("id", std::to_string(j.id));
  w.member("kind", j.kind);
  w.member("who", j.who);
  w.member("state", to_string(j.state));
  w.key("done");
  w.integer(j.done);
  w.key("total");
  w.integer(j.total);
  write_instant(w, "started", j.started_at_ms);
  write_instant(w, "ended", j.ended_at_ms);
  write_raw(w, "report", j.report, "null");
  write_optional(w, "error", j.error);
  w.end_object();
}

} // namespace

std::string audit_document(const audit_page& page) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.key("entries");
  w.begin_array();
  for (const auto& row : page.entries) {
    const auto& e = row.entry;
    w.begin_object();
    w.member("id", std::to_string(row.clock));
    write_instant(w, "at", e.at_ms);
    w.member("who", e.who);
    w.member("from", e.from);
    w.member("action", e.action);
    w.member("target", e.target);
    w.key("before");
    w.integer(e.before);
    w.key("after");
    w.integer(e.after);
    w.member("request_id", e.request_id);
    write_raw(w, "changes", e.changes, "{}");
    w.end_object();
  }
  w.end_array();
  write_optional(w, "next", page.next == 0 ? std::string{} : std::to_string(page.next));
  w.end_object();
  return out;
}

std::string job_document(const job_view& j) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.key("job");
  write_job(w, j);
  w.end_object();
  return out;
}

std::string job_list_document(const std::vector<job_view>& all) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.key("jobs");
  w.begin_array();
  for (const auto& j : all)
    write_job(w, j);
  w.end_array();
  w.end_object();
  return out;
}

std::string whoami_document(std::string_view name, storage::role role, std::string_view from) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.member("name", name);
  w.member("role", to_string(role));
  w.member("from", from);
  w.end_object();
  return out;
}

} // namespace troupe
