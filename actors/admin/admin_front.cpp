#include "actors/admin/admin_front.hpp"

#include "actors/admin/key_document.hpp"
#include "http/credentials.hpp"
#include "protocol/json/writer.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

constexpr std::string_view json_type = "application/json";
constexpr std::string_view metrics_type = "text/plain; version=0.0.4; charset=utf-8";

std::string error_body(std::string_view code, std::string_view message,
                       std::string_view request_id) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.key("error");
  w.begin_object();
  w.member("code", code);
  w.member("message", message);
  w.member("request_id", request_id);
  w.end_object();
  w.end_object();
  return out;
}

void count_keys(metrics_facts& facts, const std::vector<key_status>& keys) {
  for (const auto& k : keys) {
    facts.keys_in_flight += k.in_flight;
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

} // namespace

http::task<void> admin_front::serve(http::exchange& x) {
  const auto& r = x.req();
  const bool reads = r.method == "GET" || r.method == "HEAD";
  const auto path = r.path;
  const bool open = path == "/healthz" || path == "/health" || path == "/readyz";
  const bool known = open || path == "/metrics" || path == "/admin/v1/keys";
  if (!open && !admitted(x)) {
    log_.write(log_area::security, log_level::warning, x.request_id(),
               fmt::format("admin request to {} from {} without a valid credential", path, r.peer));
    co_await error(x, 401, "unauthorized",
                   "This needs an admin credential: send it as 'Authorization: Bearer ...'.",
                   "www-authenticate: Bearer realm=\"troupe admin\"\r\n");
  } else if (known && !reads) {
    co_await error(x, 405, "method_not_allowed", "This path takes GET.", "allow: GET, HEAD\r\n");
  } else if (path == "/readyz") {
    co_await readyz(x);
  } else if (open) {
    co_await healthz(x);
  } else if (path == "/metrics") {
    co_await metrics(x);
  } else if (path == "/admin/v1/keys") {
    co_await keys(x);
  } else {
    co_await error(x, 404, "not_found",
                   "The admin port offers /healthz, /readyz, /metrics and /admin/v1/keys.");
  }
}

http::task<bool> admin_front::healthz(http::exchange& x) {
  http::response_head head(200, json_type);
  co_return co_await x.respond(head, R"({"status":"ok"})");
}

http::task<bool> admin_front::readyz(http::exchange& x) {
  const bool ready = node_.ready();
  http::response_head head(ready ? 200 : 503, json_type);
  std::string body;
  json::writer w{body};
  w.begin_object();
  w.member("status", ready ? "ready" : "not_ready");
  if (!ready)
    w.member("reason", node_.not_ready());
  w.end_object();
  co_return co_await x.respond(head, body);
}

http::task<bool> admin_front::metrics(http::exchange& x) {
  auto facts = node_.facts();
  const auto list = co_await actors_.ask<std::vector<key_status>>(pool_, list_keys_atom::value);
  if (list)
    count_keys(facts, *list);
  const auto stored = co_await actors_.ask<storage_status>(storage_, status_atom::value);
  if (stored) {
    facts.storage_failures = stored->failures;
    facts.storage_pending = stored->pending;
  }
  http::response_head head(200, metrics_type);
  const auto page = render_metrics(node_.fronts, facts);
  co_return co_await x.respond(head, page);
}

http::task<bool> admin_front::keys(http::exchange& x) {
  const auto list = co_await actors_.ask<std::vector<key_status>>(pool_, list_keys_atom::value);
  if (!list)
    co_return co_await error(x, 503, "unavailable",
                             "The pool does not answer; the node is stopping.");
  http::response_head head(200, json_type);
  const auto page = key_list_document(*list);
  co_return co_await x.respond(head, page);
}

http::task<bool> admin_front::error(http::exchange& x, int status, std::string_view code,
                                    std::string_view message, std::string_view fields) {
  http::response_head head(status, json_type);
  head.fields = fields;
  const auto body = error_body(code, message, x.request_id());
  co_return co_await x.respond(head, body);
}

bool admin_front::admitted(http::exchange& x) {
  const auto presented = http::presented_credential(x.req());
  return !presented.empty() && admins_.find(presented) != nullptr;
}

std::pair<http::response_head, std::string> admin_front::refuse(const http::refusal& r) {
  return {http::response_head(r.status, json_type),
          error_body("bad_request", r.reason, r.request_id)};
}

} // namespace troupe
