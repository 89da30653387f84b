#include "actors/front/attempt_words.hpp"
#include "actors/front/chat_answers.hpp"
#include "actors/front/forward_answers.hpp"
#include "actors/front/front.hpp"
#include "actors/front/native_answers.hpp"
#include "protocol/upstream/demand.hpp"
#include "protocol/upstream/forward.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

// How a client's request becomes a call of an upstream, on each surface.

namespace troupe {

namespace {

constexpr std::string_view json_lines = "content-type: application/json\r\n";

constexpr std::array chat_kinds{upstream_kind::gemini, upstream_kind::vertex,
                                upstream_kind::openai};
constexpr std::array native_kinds{upstream_kind::gemini, upstream_kind::vertex};

class chat_maker final : public answer_maker {
public:
  chat_maker(const openai::chat_facts& facts, const front_config& config,
             openai::answer_context context)
      : facts_(facts), config_(config), context_(context) {}

  bool streams() const override { return facts_.stream; }
  std::unique_ptr<whole_answer> whole() override {
    return std::make_unique<chat_whole>(facts_, config_.translation, context_);
  }
  std::unique_ptr<stream_answer> stream() override {
    return std::make_unique<chat_chunks>(facts_, config_.translation, context_,
                                         config_.event_bytes_max);
  }

private:
  const openai::chat_facts& facts_;
  const front_config& config_;
  openai::answer_context context_;
};

class native_maker final : public answer_maker {
public:
  native_maker(const gemini::native_call& call, const front_config& config,
               const http::credential& who)
      : call_(call), config_(config), who_(who) {}

  bool streams() const override { return call_.what == gemini::method::stream_generate_content; }
  std::unique_ptr<whole_answer> whole() override {
    if (call_.what == gemini::method::list_models && !who_.models.empty())
      return std::make_unique<native_models>(who_.models);
    return std::make_unique<native_whole>(call_.what == gemini::method::generate_content);
  }
  std::unique_ptr<stream_answer> stream() override {
    if (call_.sse)
      return std::make_unique<native_sse>(config_.event_bytes_max);
    return std::make_unique<native_array>(config_.event_bytes_max);
  }

private:
  const gemini::native_call& call_;
  const front_config& config_;
  const http::credential& who_;
};

/// For upstreams that are called in the client's own protocol.
class forward_maker final : public answer_maker {
public:
  forward_maker(upstream_kind kind, std::string_view path, bool streams,
                std::size_t event_bytes_max)
      : kind_(kind), path_(path), streams_(streams), event_bytes_max_(event_bytes_max) {}

  bool streams() const override { return streams_; }
  std::unique_ptr<whole_answer> whole() override {
    return std::make_unique<forward_whole>(kind_, !path_.ends_with("/count_tokens"));
  }
  std::unique_ptr<stream_answer> stream() override {
    return std::make_unique<forward_events>(upstream::form_of(path_), event_bytes_max_);
  }

private:
  upstream_kind kind_;
  std::string_view path_;
  bool streams_;
  std::size_t event_bytes_max_;
};

std::chrono::seconds since_epoch() {
  return std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
}

/// A field that `connection` names concerns this hop only (RFC 9110, 7.6.1).
bool named_by_connection(const http::headers& fields, std::string_view name) {
  auto names = fields.get("connection");
  while (!names.empty()) {
    const auto comma = names.find(',');
    auto one = names.substr(0, comma);
    while (one.starts_with(' '))
      one.remove_prefix(1);
    while (one.ends_with(' '))
      one.remove_suffix(1);
    if (http::same_name(one, name))
      return true;
    names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 1);
  }
  return false;
}

/// A number for the session that a header names; 0: none does.
std::uint64_t session_of(const http::headers& fields, const std::vector<std::string>& names,
                         std::uint64_t credential) {
  for (const auto& name : names)
    if (const auto value = fields.get(name); !value.empty()) {
      // Sessions of two clients are two, whatever they call them.
      const auto hash = std::hash<std::string_view>{}(value) ^ (credential * 0x9E3779B97F4A7C15U);
      return hash == 0 ? 1 : hash;
    }
  return 0;
}

bool asks_a_model(gemini::method m) {
  return m == gemini::method::generate_content || m == gemini::method::stream_generate_content;
}

client_error not_offered(std::string_view protocol) {
  auto e = make_client_error(fault::invalid_request,
                             "No upstream of this gateway that may serve this model is reached by "
                             "the "
                                 + std::string{protocol} + " protocol.");
  e.param = "model";
  e.code = "model_not_offered_here";
  return e;
}

std::string_view protocol_of(surface s) {
  switch (s) {
  case surface::openai:
    return "OpenAI";
  case surface::anthropic:
    return "Anthropic";
  case surface::gemini:
    return "Gemini";
  }
  return "";
}

} // namespace

request_context front::context(const serving& with, const model_target& to) const {
  request_context c;
  c.upstream = to.kind;
  c.models = &models(with);
  c.model = to.model;
  return c;
}

void front::complete(upstream_call& call, const visit& v, const model_target& to, bool last) const {
  const auto& config = *v.with.config;
  call.kind = to.kind;
  call.upstreams = to.upstreams;
  call.model_groups = to.groups;
  call.groups = v.who->groups;
  call.credential = v.who->id;
  call.wait_max = last ? config.pool.wait_max : duration::zero();
  if (call.method == "GET")
    return;
  call.demand = upstream::demand_of(to.kind, call.body, config.pool.output_tokens_assumed);
  if (!config.pool.affinity)
    return;
  call.affinity = session_of(*v.x.req().fields, config.pool.session_headers, v.who->id);
  if (call.affinity == 0 && call.body.size() >= upstream::prefix_bytes)
    call.affinity = upstream::prefix_hash(call.body);
}

/// Tries one target after the other, as long as the client has seen nothing and another may do
/// better. The first failure says most, unless it was only that no key is there.
http::task<call_summary> front::over_targets(visit& v, std::vector<model_target> targets,
                                             surface speaks, way how) {
  if (targets.empty())
    co_return co_await tell(v, not_offered(protocol_of(speaks)), speaks);
  std::optional<client_error> first;
  for (std::size_t i = 0;; ++i) {
    const bool last = i + 1 == targets.size();
    auto end = co_await (this->*how)(v, targets[i], last);
    if (!end.error || end.gone || end.begun)
      co_return end;
    const bool goes_on = !last && may_fall_back(*end.error);
    if (!goes_on) {
      if (first && end.error->what == fault::no_usable_key)
        end.error = std::move(first);
      co_return end;
    }
    if (!first && end.error->what != fault::no_usable_key)
      first = std::move(end.error);
  }
}

http::task<call_summary> front::chat(visit& v) {
  v.forward_path = "/v1/chat/completions";
  auto& routes = v.with.routes;
  if (routes.depends_on_model())
    v.model_asked = upstream::scan_forward(*v.x.req().body).model;
  auto targets = routes.targets(v.model_asked, chat_kinds);
  co_return co_await over_targets(v, std::move(targets), surface::openai, &front::chat_at);
}

http::task<call_summary> front::chat_at(visit& v, const model_target& to, bool last) {
  if (to.kind == upstream_kind::openai)
    co_return co_await forward_at(v, to, last);
  const auto& config = *v.with.config;
  const auto about = context(v.with, to);
  auto translated = openai::translate_chat_request(*v.x.req().body, config.translation, about);
  if (auto* e = std::get_if<client_error>(&translated))
    co_return co_await tell(v, std::move(*e), surface::openai);
  if (std::holds_alternative<openai::needs_media>(translated)) {
    auto e =
        make_client_error(fault::invalid_request,
                          "This gateway does not fetch media by address; send it as a data URL.");
    e.code = "remote_media_disabled";
    co_return co_await tell(v, std::move(e), surface::openai);
  }
  auto& request = std::get<openai::chat_request>(translated);
  v.model_asked = request.facts.model_asked;
  v.model = request.facts.model;
  if (auto e = refuse_model(v, request.facts.model))
    co_return co_await tell(v, std::move(*e), surface::openai);
  upstream_call call;
  call.speaks = surface::openai;
  call.path = std::move(request.path);
  call.body = request.body;
  call.header_lines = json_lines;
  call.model = request.facts.model;
  call.heartbeats = request.facts.stream;
  complete(call, v, to, last);
  openai::answer_context facts;
  facts.created = since_epoch();
  facts.id_seed = ++next_id_;
  facts.request_id = v.x.request_id();
  chat_maker answers(request.facts, config, facts);
  auto fields = v.fields;
  if (!request.ignored.empty())
    fields += "x-troupe-ignored: " + request.ignored + "\r\n";
  co_return co_await attempts_.serve(v.x, v.with, call, answers, fields, v.notes);
}

http::task<call_summary> front::native(visit& v) {
  const auto& r = v.x.req();
  auto& routes = v.with.routes;
  if (routes.depends_on_model()) {
    const model_target as_asked;
    const auto about = context(v.with, as_asked);
    const auto routed =
        gemini::route_native(r.method, r.path, r.query, *r.body, v.with.config->translation, about);
    if (const auto* to = std::get_if<gemini::native_call>(&routed))
      v.model_asked = to->model_asked;
  }
  auto targets = routes.targets(v.model_asked, native_kinds);
  co_return co_await over_targets(v, std::move(targets), surface::gemini, &front::native_at);
}

http::task<call_summary> front::native_at(visit& v, const model_target& target, bool last) {
  const auto& r = v.x.req();
  const auto& config = *v.with.config;
  const auto about = context(v.with, target);
  auto routed = gemini::route_native(r.method, r.path, r.query, *r.body, config.translation, about);
  if (auto* e = std::get_if<client_error>(&routed))
    co_return co_await tell(v, std::move(*e), surface::gemini);
  const auto& to = std::get<gemini::native_call>(routed);
  v.model_asked = to.model_asked;
  v.model = to.model;
  if (auto e = refuse_model(v, to.model))
    co_return co_await tell(v, std::move(*e), surface::gemini);
  upstream_call call;
  call.speaks = surface::gemini;
  call.method = to.what == gemini::method::list_models || to.what == gemini::method::get_model
                    ? "GET"
                    : "POST";
  call.path = to.path;
  call.body = to.body_changed ? std::string_view{to.body} : std::string_view{*r.body};
  call.model = to.model;
  for (std::size_t i = 0; i < r.fields->size(); ++i) {
    const auto field = (*r.fields)[i];
    if (!gemini::forwards_header(field.name) || named_by_connection(*r.fields, field.name))
      continue;
    call.header_lines += field.name;
    call.header_lines += ": ";
    call.header_lines += field.value;
    call.header_lines += "\r\n";
  }
  complete(call, v, target, last);
  if (!asks_a_model(to.what))
    call.demand.output = 0;
  native_maker answers(to, config, *v.who);
  co_return co_await attempts_.serve(v.x, v.with, call, answers, v.fields, v.notes);
}

/// To an upstream that speaks the client's own protocol: bodies pass as they are, but for the
/// name of the model.
http::task<call_summary> front::forward_at(visit& v, const model_target& to, bool last) {
  const auto& r = v.x.req();
  const auto speaks = surface_of(r.path);
  const auto facts = upstream::scan_forward(*r.body);
  if (!facts.well_formed) {
    auto e = make_client_error(fault::invalid_json, "The request body must be a JSON object.");
    co_return co_await tell(v, std::move(e), speaks);
  }
  if (facts.model.empty()) {
    auto e = make_client_error(fault::invalid_request, "'model' is required.");
    e.param = "model";
    co_return co_await tell(v, std::move(e), speaks);
  }
  v.model_asked = facts.model;
  v.model = to.model.empty() ? facts.model : to.model;
  if (auto e = refuse_model(v, v.model))
    co_return co_await tell(v, std::move(*e), speaks);
  std::string renamed;
  if (!to.model.empty())
    renamed = upstream::with_model(*r.body, to.model);
  upstream_call call;
  call.speaks = speaks;
  call.path = v.forward_path;
  call.body = to.model.empty() ? std::string_view{*r.body} : std::string_view{renamed};
  call.header_lines = json_lines;
  for (const auto name : {"anthropic-version", "anthropic-beta", "openai-beta"})
    if (const auto value = r.fields->get(name); !value.empty()) {
      call.header_lines += name;
      call.header_lines += ": ";
      call.header_lines += value;
      call.header_lines += "\r\n";
    }
  call.model = v.model;
  call.heartbeats = facts.stream && speaks == surface::openai;
  complete(call, v, to, last);
  forward_maker answers(to.kind, call.path, facts.stream, v.with.config->event_bytes_max);
  co_return co_await attempts_.serve(v.x, v.with, call, answers, v.fields, v.notes);
}

} // namespace troupe
