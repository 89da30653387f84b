#include "actors/admin/key_routes.hpp"

#include "actors/admin/asking.hpp"
#include "actors/admin/key_body.hpp"
#include "actors/admin/key_document.hpp"
#include "actors/admin/preconditions.hpp"
#include "protocol/base/key_id.hpp"

#include <utility>

namespace troupe {

namespace {

admin_reply reply_of(const result<answer<key_view>>& got, int status = 200) {
  if (auto no = refusal_in(got))
    return *std::move(no);
  admin_reply reply(status, key_document(got->yes));
  reply.field("etag", etag(got->yes.header.revision));
  if (status == 201)
    reply.field("location", "/admin/v1/keys/" + to_string(key_id{got->yes.id}));
  return reply;
}

} // namespace

http::task<admin_reply> key_routes::serve(const admin_call& call) {
  switch (call.route.what) {
  case admin_path::keys:
    if (call.reads())
      co_return co_await list(call);
    co_return co_await add(call);
  case admin_path::key_enable:
    co_return co_await order(call, key_order::enable);
  case admin_path::key_disable:
    co_return co_await order(call, key_order::disable);
  case admin_path::key_pause:
    co_return co_await order(call, key_order::pause);
  case admin_path::key_reset:
    co_return co_await order(call, key_order::reset);
  case admin_path::key_check:
    co_return co_await check(call);
  case admin_path::keys_import:
    co_return co_await import_many(call);
  case admin_path::keys_bulk:
    co_return co_await change_many(call);
  default:
    break;
  }
  if (call.reads())
    co_return co_await show(call);
  if (call.method == "PATCH")
    co_return co_await edit(call);
  co_return co_await erase(call);
}

http::task<admin_reply> key_routes::list(const admin_call& call) {
  field_problems problems;
  query_reader query(call.query, problems);
  auto question = read_key_list(query);
  if (!problems.empty())
    co_return invalid_request(std::move(problems));
  auto got = co_await actors_.ask<answer<key_page>>(inventory_, std::move(question));
  if (auto no = refusal_in(got))
    co_return *std::move(no);
  co_return admin_reply(key_page_document(got->yes));
}

http::task<admin_reply> key_routes::add(const admin_call& call) {
  field_problems problems;
  refuse_parameters(call, problems);
  const auto body = json_body(call);
  if (const auto* no = std::get_if<admin_reply>(&body))
    co_return *no;
  auto question = read_new_key(std::get<json::tree>(body), problems);
  if (!problems.empty())
    co_return invalid_request(std::move(problems));
  question.by = call.by;
  const auto got = co_await actors_.ask<answer<key_view>>(inventory_, std::move(question));
  co_return reply_of(got, 201);
}

http::task<admin_reply> key_routes::show(const admin_call& call) {
  if (auto problems = nothing_given(call); !problems.empty())
    co_return invalid_request(std::move(problems));
  get_key question;
  question.id = call.route.id;
  const auto got = co_await actors_.ask<answer<key_view>>(inventory_, std::move(question));
  co_return reply_of(got);
}

http::task<admin_reply> key_routes::edit(const admin_call& call) {
  field_problems problems;
  refuse_parameters(call, problems);
  const auto body = json_body(call);
  if (const auto* no = std::get_if<admin_reply>(&body))
    co_return *no;
  auto question = read_key_edit(std::get<json::tree>(body), problems);
  if (!problems.empty())
    co_return invalid_request(std::move(problems));
  question.by = call.by;
  question.expected = call.expected;
  question.id = call.route.id;
  const auto got = co_await actors_.ask<answer<key_view>>(inventory_, std::move(question));
  co_return reply_of(got);
}

http::task<admin_reply> key_routes::erase(const admin_call& call) {
  if (auto problems = nothing_given(call); !problems.empty())
    co_return invalid_request(std::move(problems));
  delete_key question;
  question.by = call.by;
  question.expected = call.expected;
  question.id = call.route.id;
  const auto got = co_await actors_.ask<answer<nothing>>(inventory_, std::move(question));
  if (auto no = refusal_in(got))
    co_return *std::move(no);
  co_return admin_reply(204, {});
}

http::task<admin_reply> key_routes::order(const admin_call& call, key_order what) {
  order_key question;
  if (what == key_order::pause) {
    field_problems problems;
    refuse_parameters(call, problems);
    const auto body = json_body(call);
    if (const auto* no = std::get_if<admin_reply>(&body))
      co_return *no;
    question.pause_ms = read_pause(std::get<json::tree>(body), problems);
    if (!problems.empty())
      co_return invalid_request(std::move(problems));
  } else if (auto problems = nothing_given(call); !problems.empty()) {
    co_return invalid_request(std::move(problems));
  }
  question.by = call.by;
  question.id = call.route.id;
  question.order = what;
  const auto got = co_await actors_.ask<answer<key_view>>(inventory_, std::move(question));
  co_return reply_of(got);
}

http::task<admin_reply> key_routes::check(const admin_call& call) {
  if (auto problems = nothing_given(call); !problems.empty())
    co_return invalid_request(std::move(problems));
  asker by = call.by;
  auto ended = co_await checker_->check(call.route.id, std::move(by), *call.gone);
  if (ended.no)
    co_return *std::move(ended.no);
  admin_reply reply(key_check_document(ended.end, ended.key));
  reply.field("etag", etag(ended.key.header.revision));
  co_return reply;
}

http::task<admin_reply> key_routes::import_many(const admin_call& call) {
  field_problems problems;
  import_keys question;
  if (is_media_type(call.content_type, "text/plain")) {
    query_reader query(call.query, problems);
    question = read_import(query, std::string{call.body});
  } else {
    refuse_parameters(call, problems);
    const auto body = json_body(call);
    if (const auto* no = std::get_if<admin_reply>(&body))
      co_return *no;
    question = read_import(std::get<json::tree>(body), problems);
  }
  if (!problems.empty())
    co_return invalid_request(std::move(problems));
  question.by = call.by;
  const auto got = co_await actors_.ask<answer<job_ticket>>(inventory_, std::move(question));
  if (auto no = refusal_in(got))
    co_return *std::move(no);
  co_return job_begun(jobs_, got->yes.job);
}

http::task<admin_reply> key_routes::change_many(const admin_call& call) {
  field_problems problems;
  refuse_parameters(call, problems);
  const auto body = json_body(call);
  if (const auto* no = std::get_if<admin_reply>(&body))
    co_return *no;
  auto wanted = read_bulk(std::get<json::tree>(body), problems);
  if (!problems.empty())
    co_return invalid_request(std::move(problems));
  if (wanted.check) {
    const auto job = runs_.begin(std::move(wanted.change.filter), call.by);
    if (job == 0)
      co_return admin_error("busy", "A check of many keys is running; wait for its end.");
    co_return job_begun(jobs_, job);
  }
  wanted.change.by = call.by;
  const auto got = co_await actors_.ask<answer<job_ticket>>(inventory_, std::move(wanted.change));
  if (auto no = refusal_in(got))
    co_return *std::move(no);
  co_return job_begun(jobs_, got->yes.job);
}

} // namespace troupe
