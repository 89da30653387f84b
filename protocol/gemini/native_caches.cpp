#include "protocol/gemini/native_body.hpp"
#include "protocol/gemini/native_target.hpp"
#include "protocol/json/raw.hpp"
#include "protocol/json/reader.hpp"
#include "protocol/upstream/retry_words.hpp"

#include <chrono>
#include <utility>

// Cached contents: prompts that an upstream keeps for one key (docs/protocol/gemini.md section 8).

namespace troupe::gemini {
namespace {

using simdjson::dom::element;

constexpr std::int64_t default_lifetime_ms = 3'600'000;

/// A member's text; empty where it is none.
std::string_view text_of(const simdjson::dom::object& object, std::string_view name) {
  const auto value = json::find_member(object, name);
  return value ? json::as_string(*value).value_or("") : "";
}

/// The model for which a cache is to be made, without `models/`. Refused where it cannot be seen:
/// it could not be held against the models that a credential may use.
std::variant<std::string, client_error> model_of_cache(std::string_view body) {
  const auto parsed = native_reader().parse(body);
  if (const auto* error = std::get_if<client_error>(&parsed))
    return *error;
  const auto root = json::as_object(std::get<element>(parsed));
  if (!root)
    return client_error{.what = fault::invalid_json,
                        .message = "The request body must be a JSON object."};
  auto model = text_of(*root, "model");
  if (model.starts_with("models/"))
    model.remove_prefix(7);
  if (model.empty())
    return client_error{
        .what = fault::invalid_request, .message = "'model' is required.", .param = "model"};
  return std::string{model};
}

} // namespace

bool concerns_caches(method what) {
  return what == method::create_cache || what == method::get_cache || what == method::update_cache
         || what == method::delete_cache;
}

std::variant<native_call, client_error> cache_call(native_call call, const target& asked,
                                                   std::string_view query, std::string_view body,
                                                   const request_context& context) {
  if (context.upstream == upstream_kind::vertex)
    return unknown_path();
  call.path.append("/v1beta/").append(caches);
  if (!asked.name.empty()) {
    call.path += '/';
    append_path_segment(call.path, asked.name);
    call.resource.append(caches).append("/").append(asked.name);
  }
  call.path += read_query{query}.kept;
  if (call.what != method::create_cache)
    return call;
  auto model = model_of_cache(body);
  if (auto* error = std::get_if<client_error>(&model))
    return std::move(*error);
  call.model_asked = std::move(std::get<std::string>(model));
  call.model = read_model(wanted_model(call, context), context).upstream;
  if (call.model != call.model_asked) {
    call.body = body;
    name_model(call.body, json::root_place(body), call.model);
    call.body_changed = true;
  }
  return call;
}

cache_told cache_facts(std::string_view answer_body, std::int64_t now_ms) {
  cache_told told;
  const auto parsed = native_reader().parse(answer_body);
  const auto* value = std::get_if<element>(&parsed);
  const auto root = value ? json::as_object(*value) : std::nullopt;
  if (!root)
    return told;
  const auto name = text_of(*root, "name");
  if (!name.starts_with(caches) || name.size() < caches.size() + 2 || name[caches.size()] != '/'
      || !is_plain_name(name.substr(caches.size() + 1)))
    return told;
  told.name = name;
  const wall_time now{std::chrono::milliseconds{now_ms}};
  auto left = upstream::read_reset(text_of(*root, "expireTime"), now);
  if (!left)
    left = upstream::read_duration(text_of(*root, "ttl"));
  told.expires_at_ms = now_ms + (left ? left->count() : default_lifetime_ms);
  return told;
}

} // namespace troupe::gemini
