#include "actors/admin/rest_routes.hpp"

#include "actors/admin/asking.hpp"
#include "actors/admin/body.hpp"
#include "actors/admin/query.hpp"
#include "actors/admin/rest_document.hpp"

#include <limits>
#include <utility>

namespace troupe {

namespace {

std::string path_of_job(std::uint64_t job) {
  return "/admin/v1/jobs/" + std::to_string(job);
}

} // namespace

admin_reply job_begun(const job_board& jobs, std::uint64_t job) {
  const auto view = jobs.find(job);
  if (!view)
    return admin_error("unavailable", "The job is not known any more.");
  admin_reply reply(202, job_document(*view));
  reply.field("location", path_of_job(job));
  return reply;
}

http::task<admin_reply> rest_routes::serve(const admin_call& call) {
  switch (call.route.what) {
  case admin_path::audit:
    co_return co_await audit(call);
  case admin_path::backup:
  case admin_path::restore:
    co_return co_await directory_job(call);
  case admin_path::secrets_rotate:
    co_return co_await rotate(call);
  case admin_path::whoami:
    co_return whoami(call);
  default:
    co_return jobs(call);
  }
}

http::task<admin_reply> rest_routes::audit(const admin_call& call) {
  field_problems problems;
  query_reader query(call.query, problems);
  list_audit question;
  question.limit = page_limit(query);
  question.before = query.number("after", 0, 1, std::numeric_limits<std::uint64_t>::max());
  question.action = query.text("action");
  question.who = query.text("who");
  question.target = query.text("target");
  query.refuse_rest();
  if (!problems.empty())
    co_return invalid_request(std::move(problems));
  auto got = co_await actors_.ask<answer<audit_page>>(inventory_, std::move(question));
  if (auto no = refusal_in(got))
    co_return *std::move(no);
  co_return admin_reply(audit_document(got->yes));
}

http::task<admin_reply> rest_routes::directory_job(const admin_call& call) {
  field_problems problems;
  refuse_parameters(call, problems);
  const auto body = json_body(call);
  if (const auto* no = std::get_if<admin_reply>(&body))
    co_return *no;
  const auto& tree = std::get<json::tree>(body);
  body_reader reader(tree, {}, problems);
  auto directory = reader.text("directory");
  if (tree.what == json::kind::object
      && (!tree.find("directory") || (directory && directory->empty())))
    reader.fault("directory", "missing", "is needed: an absolute path on the node's machine");
  reader.refuse_rest();
  if (!problems.empty())
    co_return invalid_request(std::move(problems));
  result<answer<job_ticket>> got = failure(errc::shutting_down, {});
  if (call.route.what == admin_path::backup) {
    back_up question;
    question.by = call.by;
    question.directory = *std::move(directory);
    got = co_await actors_.ask<answer<job_ticket>>(inventory_, std::move(question));
  } else {
    restore_from question;
    question.by = call.by;
    question.directory = *std::move(directory);
    got = co_await actors_.ask<answer<job_ticket>>(inventory_, std::move(question));
  }
  if (auto no = refusal_in(got))
    co_return *std::move(no);
  co_return job_begun(jobs_, got->yes.job);
}

http::task<admin_reply> rest_routes::rotate(const admin_call& call) {
  if (auto problems = nothing_given(call); !problems.empty())
    co_return invalid_request(std::move(problems));
  rotate_secrets question;
  question.by = call.by;
  const auto got = co_await actors_.ask<answer<job_ticket>>(inventory_, std::move(question));
  if (auto no = refusal_in(got))
    co_return *std::move(no);
  co_return job_begun(jobs_, got->yes.job);
}

admin_reply rest_routes::jobs(const admin_call& call) {
  if (auto problems = nothing_given(call); !problems.empty())
    return invalid_request(std::move(problems));
  if (call.route.what == admin_path::jobs)
    return admin_reply(job_list_document(jobs_.list()));
  const auto id = call.route.id;
  const auto job = jobs_.find(id);
  if (!job)
    return admin_error("not_found", "There is no such job; of those that ended only the newest "
                                    "are kept.");
  if (call.route.what != admin_path::job_cancel)
    return admin_reply(job_document(*job));
  jobs_.cancel(id); // of one that has ended there is nothing to cancel
  return job_begun(jobs_, id);
}

admin_reply rest_routes::whoami(const admin_call& call) const {
  if (auto problems = nothing_given(call); !problems.empty())
    return invalid_request(std::move(problems));
  return admin_reply(whoami_document(call.by.who, call.role, call.by.from));
}

} // namespace troupe
