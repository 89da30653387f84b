#include "actors/admin/settings_routes.hpp"

#include "actors/admin/asking.hpp"
#include "actors/admin/body.hpp"
#include "actors/admin/query.hpp"
#include "actors/admin/settings_document.hpp"

#include <limits>
#include <utility>

namespace troupe {

namespace {

constexpr std::string_view merge_patch = "application/merge-patch+json";
constexpr auto any_revision = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

admin_reply reply_of(const result<answer<settings_changed>>& got) {
  if (auto no = refusal_in(got))
    return *std::move(no);
  admin_reply reply(settings_changed_document(got->yes));
  reply.field("etag", etag(got->yes.revision));
  return reply;
}

std::uint64_t needed_revision(query_reader& query, std::string_view name) {
  if (!query.has(name))
    query.fault(name, "missing", "is needed: a revision");
  return query.number(name, 0, 0, any_revision);
}

} // namespace

http::task<admin_reply> settings_routes::serve(const admin_call& call) {
  switch (call.route.what) {
  case admin_path::settings_history:
    co_return co_await history(call);
  case admin_path::settings_diff:
    co_return co_await diff(call);
  case admin_path::settings_restore:
    co_return co_await restore(call);
  default:
    if (call.reads())
      co_return co_await show(call);
    co_return co_await change(call);
  }
}

http::task<admin_reply> settings_routes::show(const admin_call& call) {
  field_problems problems;
  query_reader query(call.query, problems);
  const auto prefix = query.text("prefix");
  query.refuse_rest();
  if (!problems.empty())
    co_return invalid_request(std::move(problems));
  auto got = co_await actors_.ask<answer<settings_view>>(inventory_, get_settings());
  if (auto no = refusal_in(got))
    co_return *std::move(no);
  admin_reply reply(settings_document(got->yes, prefix));
  reply.field("etag", etag(got->yes.revision));
  co_return reply;
}

http::task<admin_reply> settings_routes::change(const admin_call& call) {
  field_problems problems;
  query_reader query(call.query, problems);
  change_settings question;
  question.dry_run = query.flag("dry_run");
  query.refuse_rest();
  const auto body = json_body(call, merge_patch);
  if (const auto* no = std::get_if<admin_reply>(&body))
    co_return *no;
  if (std::get<json::tree>(body).what != json::kind::object)
    problems.push_back({{}, "wrong_type", "must be an object in the shape of the configuration"});
  if (!problems.empty())
    co_return invalid_request(std::move(problems));
  question.by = call.by;
  question.expected = call.expected;
  question.patch = call.body;
  const auto got = co_await actors_.ask<answer<settings_changed>>(inventory_, std::move(question));
  co_return reply_of(got);
}

http::task<admin_reply> settings_routes::history(const admin_call& call) {
  field_problems problems;
  query_reader query(call.query, problems);
  get_settings_history question;
  question.limit = page_limit(query);
  question.before = query.number("after", 0, 1, any_revision);
  query.refuse_rest();
  if (!problems.empty())
    co_return invalid_request(std::move(problems));
  auto got = co_await actors_.ask<answer<settings_history>>(inventory_, std::move(question));
  if (auto no = refusal_in(got))
    co_return *std::move(no);
  co_return admin_reply(settings_history_document(got->yes));
}

http::task<admin_reply> settings_routes::diff(const admin_call& call) {
  field_problems problems;
  query_reader query(call.query, problems);
  diff_settings question;
  question.from = needed_revision(query, "from");
  question.to = needed_revision(query, "to");
  query.refuse_rest();
  if (!problems.empty())
    co_return invalid_request(std::move(problems));
  auto got = co_await actors_.ask<answer<settings_diff>>(inventory_, std::move(question));
  if (auto no = refusal_in(got))
    co_return *std::move(no);
  co_return admin_reply(settings_diff_document(got->yes));
}

http::task<admin_reply> settings_routes::restore(const admin_call& call) {
  field_problems problems;
  query_reader query(call.query, problems);
  restore_settings question;
  question.dry_run = query.flag("dry_run");
  query.refuse_rest();
  const auto body = json_body(call);
  if (const auto* no = std::get_if<admin_reply>(&body))
    co_return *no;
  const auto& tree = std::get<json::tree>(body);
  body_reader reader(tree, {}, problems);
  const auto revision = reader.integer("revision", 0, std::numeric_limits<std::int64_t>::max());
  if (tree.what == json::kind::object && tree.find("revision") == nullptr)
    reader.fault("revision", "missing", "is needed: which version to restore");
  reader.refuse_rest();
  if (!problems.empty())
    co_return invalid_request(std::move(problems));
  question.by = call.by;
  question.expected = call.expected;
  question.revision = static_cast<std::uint64_t>(revision.value_or(0));
  const auto got = co_await actors_.ask<answer<settings_changed>>(inventory_, std::move(question));
  co_return reply_of(got);
}

} // namespace troupe
