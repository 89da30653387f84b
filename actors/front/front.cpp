#include "actors/front/front.hpp"

#include "http/credentials.hpp"
#include "protocol/base/key_id.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace troupe {

namespace {

std::int64_t milliseconds_since_epoch() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

constexpr std::array openai_kinds{upstream_kind::openai};
constexpr std::array anthropic_kinds{upstream_kind::anthropic};

fault fault_of(int status) {
  switch (status) {
  case 401:
    return fault::bad_credential;
  case 408:
    return fault::request_timeout;
  case 413:
    return fault::too_large;
  case 415:
    return fault::unsupported_encoding;
  case 503:
    return fault::busy;
  default:
    return fault::invalid_request;
  }
}

} // namespace

front::front(attempts::parts parts, std::shared_ptr<const serving> with,
             const std::atomic<bool>& draining)
    : p_(parts),
      attempts_(std::move(parts)),
      next_id_(p_.seed),
      draining_(draining),
      serving_(std::move(with)) {}

void front::replace(std::shared_ptr<const serving> with) {
  serving_ = std::move(with);
}

http::task<void> front::serve(http::exchange& x) {
  p_.metrics.exchanges_open.add();
  const auto held = serving_; // to the end of this exchange, whatever is changed meanwhile
  const auto where = http::match(x.req().method, x.req().path);
  visit v{x, *held};
  v.fields = cors_fields(x.req(), *held);
  auto end = co_await dispatch(v, where);
  if (end.error && !end.gone)
    co_await tell_rest(v, end, where.speaks);
  if (v.who != nullptr)
    attempts_.settle_credential(v.who->id, v.notes);
  p_.metrics.exchanges_open.subtract();
  account(x, where.speaks, end);
  explain(v, where.speaks, end);
}

http::task<call_summary> front::dispatch(visit& v, const http::route& where) {
  using http::endpoint;
  if (where.what == endpoint::preflight)
    co_return co_await preflight(v);
  auto admitted = admit(v.x.req(), v.with);
  if (auto* e = std::get_if<client_error>(&admitted)) {
    note_refusal(v.x.req(), v.x.request_id());
    co_return co_await tell(v, std::move(*e), where.speaks);
  }
  v.who = std::get<const http::credential*>(admitted);
  if (draining_.load(std::memory_order_relaxed))
    co_return co_await tell(
        v, make_client_error(fault::draining, "This node is stopping; try another one."),
        where.speaks);
  switch (where.what) {
  case endpoint::chat_completions:
    co_return co_await chat(v);
  case endpoint::native:
    co_return co_await native(v);
  case endpoint::forward_openai:
    v.forward_path = "/v1" + std::string{where.below};
    v.response = where.response;
    co_return co_await forward(v, openai_kinds, surface::openai);
  case endpoint::messages:
    v.forward_path = "/v1" + std::string{where.below};
    co_return co_await forward(v, anthropic_kinds, surface::anthropic);
  case endpoint::list_models:
    co_return co_await list_models(v);
  case endpoint::get_model:
    co_return co_await get_model(v, where.model);
  case endpoint::wrong_method: {
    const std::string allow{where.allow};
    auto e = make_client_error(fault::wrong_method, "This path takes " + allow + ".");
    v.fields += "allow: " + allow + "\r\n";
    co_return co_await tell(v, std::move(e), where.speaks);
  }
  case endpoint::preflight:
  case endpoint::unknown:
    break;
  }
  co_return co_await tell(
      v, make_client_error(fault::unknown_path, "This gateway does not offer this path."),
      where.speaks);
}

http::task<call_summary> front::preflight(visit& v) {
  http::response_head head(204, {});
  head.fields = v.fields;
  if (!v.fields.empty()) {
    head.fields += "access-control-allow-methods: GET, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
                   "access-control-max-age: 600\r\n";
    if (const auto wanted = v.x.req().fields->get("access-control-request-headers");
        !wanted.empty())
      head.add("access-control-allow-headers", wanted);
  }
  call_summary end;
  const std::string_view nothing;
  end.gone = !co_await v.x.respond(head, nothing);
  end.status = 204;
  co_return end;
}

http::task<call_summary> front::tell(visit& v, client_error e, surface speaks) {
  call_summary end;
  end.status = render(e, speaks, {}).status;
  end.gone = !co_await attempts::refuse(v.x, e, speaks, v.fields);
  co_return end;
}

/// The error that is left when nothing more can be tried.
http::task<void> front::tell_rest(visit& v, call_summary& end, surface speaks) {
  if (end.begun) {
    // Only comments were sent, but the status has gone out with them.
    const auto last_words = render_stream_error(*end.error, speaks, v.x.request_id());
    end.gone = !co_await v.x.write(last_words);
    end.cut = true;
    v.x.cut();
    co_return;
  }
  const bool theirs = end.forwarded && end.error->upstream_body && end.error->upstream_status;
  end.status = theirs ? *end.error->upstream_status : render(*end.error, speaks, {}).status;
  end.gone = !co_await attempts::refuse(v.x, *end.error, speaks, v.fields, end.forwarded);
}

void front::explain(const visit& v, surface speaks, const call_summary& end) {
  if (v.notes.tickets.empty())
    return;
  constexpr std::array<std::string_view, 3> names{"openai", "anthropic", "gemini"};
  explain_board::record r;
  r.request.request_id = v.x.request_id();
  r.request.at_ms = milliseconds_since_epoch()
                    - std::chrono::duration_cast<std::chrono::milliseconds>(v.x.age()).count();
  r.request.surface = names[static_cast<std::size_t>(speaks)];
  r.request.model_asked = v.model_asked;
  r.request.model = v.model;
  r.request.credential = v.who->name;
  r.request.status = end.gone ? 0 : end.status;
  r.request.attempts = v.notes.attempts;
  r.tickets = v.notes.tickets;
  p_.explained->add(std::move(r));
}

std::variant<const http::credential*, client_error> front::admit(const http::request& r,
                                                                 const serving& with) const {
  const auto presented = http::presented_credential(r);
  const auto* who = presented.empty() ? nullptr : with.config->clients.find(presented);
  if (who == nullptr)
    return make_client_error(fault::bad_credential,
                             "The credential is missing or not known to this gateway.");
  if (who->expires_at_ms != 0 && milliseconds_since_epoch() >= who->expires_at_ms)
    return make_client_error(fault::bad_credential, "The credential has expired.");
  return who;
}

int front::refusal_of(const http::request& head) {
  if (std::holds_alternative<const http::credential*>(admit(head, *serving_)))
    return 0;
  note_refusal(head, {});
  return 401;
}

/// A line of the security log at most once a second: a flood of guesses must not be one of lines.
void front::note_refusal(const http::request& r, std::string_view id) {
  p_.metrics.refusals_401.add();
  ++refusals_untold_;
  const auto now = p_.loop.now();
  if (now - refusal_told_ < std::chrono::seconds{1}
      || !p_.log.wants(log_area::security, log_level::warning))
    return;
  p_.log.write(log_area::security, log_level::warning, id,
               fmt::format("a request from {} without a valid credential ({} since the last line)",
                           r.peer, refusals_untold_));
  refusal_told_ = now;
  refusals_untold_ = 0;
}

std::optional<client_error> front::refuse_model(const visit& v, std::string_view model) {
  if (v.who->models.empty() || model.empty() || http::matches_any(v.who->models, model))
    return std::nullopt;
  auto e = make_client_error(fault::model_not_allowed, "The credential may not use this model.");
  e.param = "model";
  return e;
}

std::string front::cors_fields(const http::request& r, const serving& with) {
  const auto origin = r.fields->get("origin");
  const auto& allowed = with.config->cors.origins;
  if (origin.empty() || allowed.empty())
    return {};
  const bool any = std::find(allowed.begin(), allowed.end(), "*") != allowed.end();
  if (!any && std::find(allowed.begin(), allowed.end(), origin) == allowed.end())
    return {};
  std::string fields = "access-control-allow-origin: ";
  fields += any ? std::string_view{"*"} : origin;
  fields += "\r\naccess-control-expose-headers: x-request-id, retry-after\r\n";
  if (!any)
    fields += "vary: origin\r\n";
  return fields;
}

const known_models& front::models(const serving& with) const {
  return models_.filled && models_.edition == with.config->edition ? models_.known
                                                                   : with.config->real_models;
}

std::pair<http::response_head, std::string> front::refuse(const http::refusal& r) {
  const auto path = r.target.substr(0, r.target.find('?'));
  auto e = make_client_error(fault_of(r.status), std::string{r.reason});
  e.status = r.status;
  auto rendered = render(e, surface_of(path), r.request_id);
  http::response_head head(r.status, "application/json");
  head.fields = std::move(rendered.fields);
  return {std::move(head), std::move(rendered.body)};
}

void front::account(const http::exchange& x, surface speaks, const call_summary& end) {
  auto& m = p_.metrics;
  const auto status_class = end.gone ? 0 : std::clamp(end.status / 100, 0, 5);
  m.requests[static_cast<std::size_t>(speaks)][static_cast<std::size_t>(status_class)].add();
  if (end.gone)
    m.clients_gone.add();
  m.request_time.add(x.age());
  if (!p_.log.wants(log_area::http, log_level::info))
    return;
  fmt::memory_buffer line;
  const auto& r = x.req();
  fmt::format_to(std::back_inserter(line), "{} {} {} {:.1f}ms", r.method, r.path,
                 end.gone ? std::string_view{"gone"} : fmt::format_int(end.status).c_str(),
                 std::chrono::duration<double, std::milli>(x.age()).count());
  if (end.attempts != 0)
    fmt::format_to(std::back_inserter(line), " {} attempts={}", to_string(key_id{end.key}),
                   end.attempts);
  if (end.cut)
    fmt::format_to(std::back_inserter(line), " cut");
  p_.log.write(log_area::http, log_level::info, x.request_id(), {line.data(), line.size()});
}

} // namespace troupe
