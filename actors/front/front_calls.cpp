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

std::int64_t milliseconds_since_1970() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

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

/// Keeps what an answer about a cached content tells.
class cache_whole final : public whole_answer {
public:
  explicit cache_whole(gemini::cache_told& told) : told_(told) {}

  std::variant<std::string, inner_error, client_error> translate(std::string body) override {
    told_ = gemini::cache_facts(body, milliseconds_since_1970());
    return inner_.translate(std::move(body));
  }
  token_usage usage() const override { return inner_.usage(); }

private:
  gemini::cache_told& told_;
  native_whole inner_{false};
};

class native_maker final : public answer_maker {
public:
  native_maker(const gemini::native_call& call, const front_config& config,
               const http::credential& who, resource_book& book)
      : call_(call), config_(config), who_(who), book_(book) {}

  bool streams() const override { return call_.what == gemini::method::stream_generate_content; }
  std::unique_ptr<whole_answer> whole() override {
    if (call_.what == gemini::method::list_models && !who_.models.empty())
      return std::make_unique<native_models>(who_.models);
    if (gemini::concerns_caches(call_.what) && call_.what != gemini::method::delete_cache)
      return std::make_unique<cache_whole>(told_);
    return std::make_unique<native_whole>(call_.what == gemini::method::generate_content);
  }
  std::unique_ptr<stream_answer> stream() override {
    if (call_.sse)
      return std::make_unique<native_sse>(config_.event_bytes_max);
    return std::make_unique<native_array>(config_.event_bytes_max);
  }
  void served_by(std::uint64_t key) override {
    if (call_.what == gemini::method::delete_cache)
      book_.forget(call_.resource);
    else if (!told_.name.empty())
      book_.note({told_.name, key, who_.id, told_.expires_at_ms}, milliseconds_since_1970());
  }

private:
  const gemini::native_call& call_;
  const front_config& config_;
  const http::credential& who_;
  resource_book& book_;
  gemini::cache_told told_;
};

/// The two forms of a forwarded answer, which keep the id of the response.
class noting_whole final : public whole_answer {
public:
  noting_whole(upstream_kind kind, bool expects_content, std::string& id)
      : inner_(kind, expects_content), id_(id) {}

  std::variant<std::string, inner_error, client_error> translate(std::string body) override {
    auto out = inner_.translate(std::move(body));
    id_ = inner_.response_id();
    return out;
  }
  token_usage usage() const override { return inner_.usage(); }

private:
  forward_whole inner_;
  std::string& id_;
};

class noting_events final : public stream_answer {
public:
  noting_events(upstream::forward_form form, std::size_t event_bytes_max, std::string& id)
      : inner_(form, event_bytes_max), id_(id) {}

  std::string_view content_type() const override { return inner_.content_type(); }
  std::optional<std::variant<inner_error, client_error>> feed(std::string_view bytes,
                                                              std::string& out) override {
    auto failed = inner_.feed(bytes, out);
    if (id_.empty())
      id_ = inner_.response_id();
    return failed;
  }
  std::optional<client_error> end(std::string& out) override { return inner_.end(out); }
  std::string broken(const client_error& why, std::string_view request_id) const override {
    return inner_.broken(why, request_id);
  }
  token_usage usage() const override { return inner_.usage(); }

private:
  forward_events inner_;
  std::string& id_;
};

/// For upstreams that are called in the client's own protocol.
class forward_maker final : public answer_maker {
public:
  forward_maker(const upstream_call& call, bool streams, std::size_t event_bytes_max,
                resource_book& book)
      : call_(call), streams_(streams), event_bytes_max_(event_bytes_max), book_(book) {}

  bool streams() const override { return streams_; }
  std::unique_ptr<whole_answer> whole() override {
    id_.clear();
    const bool content = call_.method == "POST" && !call_.path.ends_with("/count_tokens");
    return std::make_unique<noting_whole>(call_.kind, content, id_);
  }
  std::unique_ptr<stream_answer> stream() override {
    id_.clear();
    return std::make_unique<noting_events>(upstream::form_of(call_.path), event_bytes_max_, id_);
  }
  void served_by(std::uint64_t key) override {
    const auto now = milliseconds_since_1970();
    if (call_.method == "DELETE")
      book_.forget(id_);
    else if (call_.path.starts_with("/v1/responses") && !id_.empty())
      book_.note({id_, key, call_.credential, now + response_lifetime_ms}, now);
  }

private:
  const upstream_call& call_;
  bool streams_;
  std::size_t event_bytes_max_;
  resource_book& book_;
  std::string id_;
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
  if (!p_.gauges || p_.gauges->tokens_counted.load(std::memory_order_relaxed))
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
  // Chats may name cached contents and files of Gemini too, by Google's own fields.
  const gemini::native_call generates;
  const auto owner = owner_of(v, generates, call.body);
  if (auto* e = std::get_if<client_error>(&owner)) {
    auto why = *e;
    co_return co_await tell(v, std::move(why), surface::openai);
  }
  call.pinned = std::get<std::uint64_t>(owner);
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
  const auto owner = owner_of(v, to, *r.body);
  if (auto* e = std::get_if<client_error>(&owner)) {
    auto why = *e;
    co_return co_await tell(v, std::move(why), surface::gemini);
  }
  call.pinned = std::get<std::uint64_t>(owner);
  call.method = r.method == "HEAD" ? std::string_view{"GET"} : r.method;
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
  native_maker answers(to, config, *v.who, *p_.resources);
  co_return co_await attempts_.serve(v.x, v.with, call, answers, v.fields, v.notes);
}

std::uint64_t front::key_of(const visit& v, std::string_view resource) const {
  return p_.resources->key_of(resource, v.who->id, milliseconds_since_1970());
}

std::variant<std::uint64_t, client_error>
front::owner_of(const visit& v, const gemini::native_call& to, std::string_view body) const {
  const auto unknown = [](std::string_view name) {
    return make_client_error(fault::resource_not_found,
                             std::string{name} + " is not known for this credential.");
  };
  if (!to.resource.empty()) {
    const auto key = key_of(v, to.resource);
    return key != 0 ? std::variant<std::uint64_t, client_error>{key} : unknown(to.resource);
  }
  std::uint64_t owner = 0;
  if (!asks_a_model(to.what) && to.what != gemini::method::count_tokens)
    return owner;
  for (const auto& name : gemini::pinned_resources(body)) {
    const auto key = key_of(v, name);
    // A file may have been uploaded without us; a cached content of somebody else must not be
    // used, and only the key that made it could.
    if (key == 0 && name.starts_with("cachedContents/"))
      return unknown(name);
    if (owner != 0 && key != 0 && key != owner)
      return make_client_error(fault::invalid_request,
                               "The request names resources that no single upstream key has made: "
                               "upload them again in one session.");
    owner = key != 0 ? key : owner;
  }
  return owner;
}

/// On an upstream that speaks the client's protocol, and on no other.
http::task<call_summary> front::forward(visit& v, std::span<const upstream_kind> kinds,
                                        surface speaks) {
  if (v.with.routes.depends_on_model() && v.response.empty())
    v.model_asked = upstream::scan_forward(*v.x.req().body).model;
  auto targets = v.with.routes.targets(v.model_asked, kinds);
  const way how = v.response.empty() ? &front::forward_at : &front::response_at;
  co_return co_await over_targets(v, std::move(targets), speaks, how);
}

/// A response that was made before: read or deleted with the key that made it.
http::task<call_summary> front::response_at(visit& v, const model_target& to, bool last) {
  upstream_call call;
  call.speaks = surface::openai;
  call.method = v.x.req().method;
  call.path = v.forward_path;
  complete(call, v, to, last);
  call.demand = {};
  call.pinned = key_of(v, v.response);
  if (call.pinned == 0) {
    auto e = make_client_error(fault::resource_not_found,
                               "No response of this id is known for this credential.");
    co_return co_await tell(v, std::move(e), surface::openai);
  }
  forward_maker answers(call, false, v.with.config->event_bytes_max, *p_.resources);
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
  if (facts.has_previous_response_id) {
    call.pinned = key_of(v, facts.previous_response_id);
    if (call.pinned == 0) {
      auto e = make_client_error(fault::invalid_request,
                                 "No response of this id is known for this credential.");
      e.param = "previous_response_id";
      e.code = "previous_response_not_found";
      co_return co_await tell(v, std::move(e), speaks);
    }
  }
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
  forward_maker answers(call, facts.stream, v.with.config->event_bytes_max, *p_.resources);
  co_return co_await attempts_.serve(v.x, v.with, call, answers, v.fields, v.notes);
}

} // namespace troupe
