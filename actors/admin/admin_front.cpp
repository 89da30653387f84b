#include "actors/admin/admin_front.hpp"

#include "actors/admin/openapi.hpp"
#include "actors/admin/preconditions.hpp"
#include "protocol/json/writer.hpp"

#include <charconv>
#include <utility>

namespace troupe {

namespace {

constexpr std::string_view metrics_type = "text/plain; version=0.0.4; charset=utf-8";

void count_keys(metrics_facts& facts, const std::vector<key_brief>& keys) {
  for (const auto& k : keys) {
    switch (k.state) {
    case key_state::ready:
      ++facts.keys_ready;
      break;
    case key_state::cooling:
      ++facts.keys_cooling;
      break;
    case key_state::probing:
      ++facts.keys_probing;
      break;
    case key_state::disabled:
      ++facts.keys_disabled;
      break;
    }
  }
}

/// What every answer says, whoever gets it.
http::response_head head_of(const admin_reply& reply) {
  http::response_head head(reply.status, reply.status == 204 ? std::string_view{} : reply.type);
  head.fields = "cache-control: no-store\r\nx-content-type-options: nosniff\r\n";
  head.fields += reply.fields;
  return head;
}

/// Everything that can be refused without looking at the body's meaning.
std::optional<admin_reply> refuse_early(const http::request& r, const admin_route& route,
                                        const admin_gate::visitor& who) {
  if (route.what == admin_path::none)
    return admin_error("not_found", "There is no such path; see /admin/v1/openapi.json.");
  if (!takes(route, r.method)) {
    const auto allowed = allowed_methods(route);
    auto no = admin_error("method_not_allowed", "This path takes " + allowed + '.');
    no.field("allow", allowed);
    return no;
  }
  const auto need = need_of(route, r.method);
  if (need != admin_need::to_change)
    return std::nullopt;
  if (!same_origin(r.fields->get("origin"), r.fields->get("host")))
    return admin_error("forbidden", "A page of another origin may not do this.");
  if (who.role != storage::role::operator_)
    return admin_error("forbidden",
                       "This needs a credential of role operator; this one is a viewer's.");
  const auto most = route.what == admin_path::keys_import ? admin_front::import_bytes_max
                                                          : admin_front::body_bytes_max;
  if (r.body != nullptr && r.body->size() > most)
    return admin_error("too_large", "The body is larger than " + std::to_string(most) + " bytes.");
  return std::nullopt;
}

/// Fills in what `If-Match` says; a problem where it says nothing that makes sense here.
std::optional<admin_reply> take_if_match(const http::request& r, admin_call& call) {
  const auto read = read_if_match(r.fields->get("if-match"));
  if (call.reads())
    return std::nullopt;
  if (!read.good)
    return invalid_request(
        {{"If-Match", "invalid_value", "must be a revision in quotes, such as \"7\", or *"}});
  if (read.revision && !takes_if_match(call.route))
    return invalid_request({{"If-Match", "invalid_value", "is not taken by this path"}});
  call.expected = read.revision;
  return std::nullopt;
}

/// Codes for what the connection refused before anybody could look at it.
std::string_view code_of(int status) {
  switch (status) {
  case 403:
    return "forbidden";
  case 404:
    return "not_found";
  case 405:
    return "method_not_allowed";
  case 429:
    return "too_many_failures";
  case 413:
    return "too_large";
  case 415:
    return "unsupported_media_type";
  case 503:
    return "unavailable";
  default:
    return "invalid_request";
  }
}

} // namespace

admin_front::admin_front(admin_parts parts)
    : actors_(parts.actors),
      pool_(std::move(parts.pool)),
      storage_(std::move(parts.storage)),
      node_(std::move(parts.node)),
      gate_(std::move(parts.access), parts.local_trust,
            {[&loop = parts.loop] { return loop.now(); }, parts.wall}, parts.log),
      settings_(parts.actors, parts.inventory),
      keys_(parts.actors, parts.inventory,
            std::make_shared<key_checker>(parts.actors, parts.inventory, std::move(parts.find),
                                          parts.loop, parts.wall),
            parts.jobs),
      pools_(parts.actors, pool_, parts.inventory, std::move(parts.fronts)),
      credentials_(parts.actors, parts.inventory, parts.wall),
      rest_(parts.actors, parts.inventory, parts.jobs) {}

int admin_front::refusal_of(const http::request& head) {
  constexpr int length_required = 411, too_large = 413;
  const auto route = match_admin(head.path);
  const auto who = gate_.enter(head, {});
  if (who.no)
    return who.no->status;
  if (const auto no = refuse_early(head, route, who))
    return no->status;
  const auto length = head.fields->get("content-length");
  std::size_t bytes = 0;
  const auto read = std::from_chars(length.data(), length.data() + length.size(), bytes);
  if (length.empty() || read.ec != std::errc{})
    return route.what == admin_path::keys_import ? 0 : length_required;
  return route.what == admin_path::keys_import || bytes <= body_bytes_max ? 0 : too_large;
}

http::task<void> admin_front::serve(http::exchange& x) {
  const auto reply = co_await answer_to(x);
  const auto head = head_of(reply);
  const auto body = reply.is_error() ? error_document(reply, x.request_id()) : std::string{};
  const std::string_view bytes = reply.is_error() ? body : reply.body;
  co_await x.respond(head, bytes);
}

http::task<admin_reply> admin_front::answer_to(http::exchange& x) {
  const auto& r = x.req();
  admin_call call;
  call.route = match_admin(r.path);
  admin_gate::visitor who;
  // A stranger is not told which paths there are.
  if (call.route.what == admin_path::none || need_of(call.route, r.method) != admin_need::nothing) {
    who = gate_.enter(r, x.request_id());
    if (who.no)
      co_return *std::move(who.no);
  }
  if (auto no = refuse_early(r, call.route, who))
    co_return *std::move(no);
  call.method = r.method;
  call.query = r.query;
  call.body = r.body != nullptr ? std::string_view{*r.body} : std::string_view{};
  call.content_type = r.fields->get("content-type");
  call.by.who = std::move(who.name);
  call.by.from = r.peer;
  call.by.request_id = x.request_id();
  call.role = who.role;
  call.gone = &x.gone();
  if (auto no = take_if_match(r, call))
    co_return *std::move(no);
  co_return co_await dispatch(call);
}

http::task<admin_reply> admin_front::dispatch(const admin_call& call) {
  switch (call.route.what) {
  case admin_path::none:
    break; // refused already
  case admin_path::health:
    co_return admin_reply(R"({"status":"ok"})");
  case admin_path::ready:
    co_return ready();
  case admin_path::openapi:
    co_return admin_reply(std::string{openapi_document()});
  case admin_path::metrics:
    co_return co_await metrics(call);
  case admin_path::settings:
  case admin_path::settings_history:
  case admin_path::settings_diff:
  case admin_path::settings_restore:
    co_return co_await settings_.serve(call);
  case admin_path::keys:
  case admin_path::key:
  case admin_path::key_enable:
  case admin_path::key_disable:
  case admin_path::key_pause:
  case admin_path::key_reset:
  case admin_path::key_check:
  case admin_path::keys_import:
  case admin_path::keys_bulk:
    co_return co_await keys_.serve(call);
  case admin_path::pool:
  case admin_path::upstreams:
  case admin_path::request_explain:
    co_return co_await pools_.serve(call);
  case admin_path::credentials:
  case admin_path::credential:
  case admin_path::credential_renew:
    co_return co_await credentials_.serve(call);
  case admin_path::audit:
  case admin_path::jobs:
  case admin_path::job:
  case admin_path::job_cancel:
  case admin_path::backup:
  case admin_path::restore:
  case admin_path::secrets_rotate:
  case admin_path::whoami:
    co_return co_await rest_.serve(call);
  }
  co_return admin_error("not_found", "There is no such path.");
}

admin_reply admin_front::ready() const {
  const bool is_ready = node_.ready();
  admin_reply reply(is_ready ? 200 : 503, {});
  json::writer w{reply.body};
  w.begin_object();
  w.member("status", is_ready ? "ready" : "not_ready");
  if (!is_ready)
    w.member("reason", node_.not_ready());
  w.key("warnings");
  w.begin_array();
  if (node_.warnings)
    for (const auto& words : node_.warnings())
      w.string(words);
  w.end_array();
  w.end_object();
  return reply;
}

http::task<admin_reply> admin_front::metrics(const admin_call& call) {
  if (auto problems = nothing_given(call); !problems.empty())
    co_return invalid_request(std::move(problems));
  auto facts = node_.facts();
  const auto list = co_await actors_.ask<std::vector<key_brief>>(pool_, list_briefs_atom::value);
  if (list)
    count_keys(facts, *list);
  const auto stored = co_await actors_.ask<storage_status>(storage_, status_atom::value);
  if (stored) {
    facts.storage_failures = stored->failures;
    facts.storage_pending = stored->pending;
  }
  admin_reply reply(render_metrics(node_.fronts, facts));
  reply.type = metrics_type;
  co_return reply;
}

std::pair<http::response_head, std::string> admin_front::refuse(const http::refusal& r) {
  auto reply = r.status == 401 ? unauthorized() : admin_error(code_of(r.status), {});
  if (r.status != 401)
    reply.message = r.reason;
  reply.status = r.status;
  return {head_of(reply), error_document(reply, r.request_id)};
}

} // namespace troupe
