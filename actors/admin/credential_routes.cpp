#include "actors/admin/credential_routes.hpp"

#include "actors/admin/asking.hpp"
#include "actors/admin/credential_body.hpp"
#include "actors/admin/credential_document.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

admin_reply credential_routes::made(const result<answer<new_credential>>& got) const {
  if (auto no = refusal_in(got))
    return *std::move(no);
  const auto& view = got->yes.view;
  admin_reply reply(201, new_credential_document(got->yes, now_ms()));
  reply.field("etag", etag(view.header.revision));
  reply.field("location", "/admin/v1/credentials/" + storage::credential_name(view.id));
  return reply;
}

http::task<admin_reply> credential_routes::serve(const admin_call& call) {
  switch (call.route.what) {
  case admin_path::credentials:
    if (call.reads())
      co_return co_await list(call);
    co_return co_await add(call);
  case admin_path::credential_renew:
    co_return co_await renew(call);
  default:
    break;
  }
  if (call.reads())
    co_return co_await show(call);
  if (call.method == "PATCH")
    co_return co_await edit(call);
  co_return co_await revoke(call);
}

http::task<admin_reply> credential_routes::list(const admin_call& call) {
  field_problems problems;
  query_reader query(call.query, problems);
  const auto filter = read_credential_list(query);
  if (!problems.empty())
    co_return invalid_request(std::move(problems));
  auto got =
      co_await actors_.ask<answer<std::vector<credential_view>>>(inventory_, list_credentials());
  if (auto no = refusal_in(got))
    co_return *std::move(no);
  co_return admin_reply(credential_list_document(got->yes, filter, now_ms()));
}

http::task<admin_reply> credential_routes::add(const admin_call& call) {
  field_problems problems;
  refuse_parameters(call, problems);
  const auto body = json_body(call);
  if (const auto* no = std::get_if<admin_reply>(&body))
    co_return *no;
  auto question = read_new_credential(std::get<json::tree>(body), problems);
  if (!problems.empty())
    co_return invalid_request(std::move(problems));
  question.by = call.by;
  const auto got = co_await actors_.ask<answer<new_credential>>(inventory_, std::move(question));
  co_return made(got);
}

http::task<admin_reply> credential_routes::show(const admin_call& call) {
  if (auto problems = nothing_given(call); !problems.empty())
    co_return invalid_request(std::move(problems));
  auto got =
      co_await actors_.ask<answer<std::vector<credential_view>>>(inventory_, list_credentials());
  if (auto no = refusal_in(got))
    co_return *std::move(no);
  const auto at = std::ranges::find(got->yes, call.route.id, &credential_view::id);
  if (at == got->yes.end())
    co_return admin_error("not_found", "There is no such credential.");
  admin_reply reply(credential_document(*at, now_ms()));
  reply.field("etag", etag(at->header.revision));
  co_return reply;
}

http::task<admin_reply> credential_routes::edit(const admin_call& call) {
  field_problems problems;
  refuse_parameters(call, problems);
  const auto body = json_body(call);
  if (const auto* no = std::get_if<admin_reply>(&body))
    co_return *no;
  auto question = read_credential_edit(std::get<json::tree>(body), problems);
  if (!problems.empty())
    co_return invalid_request(std::move(problems));
  question.by = call.by;
  question.expected = call.expected;
  question.id = call.route.id;
  auto got = co_await actors_.ask<answer<credential_view>>(inventory_, std::move(question));
  if (auto no = refusal_in(got))
    co_return *std::move(no);
  admin_reply reply(credential_document(got->yes, now_ms()));
  reply.field("etag", etag(got->yes.header.revision));
  co_return reply;
}

http::task<admin_reply> credential_routes::revoke(const admin_call& call) {
  if (auto problems = nothing_given(call); !problems.empty())
    co_return invalid_request(std::move(problems));
  revoke_credential question;
  question.by = call.by;
  question.expected = call.expected;
  question.id = call.route.id;
  const auto got = co_await actors_.ask<answer<nothing>>(inventory_, std::move(question));
  if (auto no = refusal_in(got))
    co_return *std::move(no);
  co_return admin_reply(204, {});
}

http::task<admin_reply> credential_routes::renew(const admin_call& call) {
  if (auto problems = nothing_given(call); !problems.empty())
    co_return invalid_request(std::move(problems));
  renew_credential question;
  question.by = call.by;
  question.expected = call.expected;
  question.id = call.route.id;
  const auto got = co_await actors_.ask<answer<new_credential>>(inventory_, std::move(question));
  co_return made(got);
}

} // namespace troupe
