#include "actors/admin/key_document.hpp"

#include "protocol/base/key_id.hpp"
#include "protocol/json/writer.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace troupe {

namespace {

void instant(json::writer& w, json::plain_key name, std::int64_t at_ms) {
  w.key(name);
  if (at_ms <= 0)
    w.null();
  else
    w.string(fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                         fmt::gmtime(static_cast<std::time_t>(at_ms / 1000)), at_ms % 1000));
}

void models(json::writer& w, const key_status& k) {
  w.key("models");
  w.begin_array();
  for (const auto& m : k.models) {
    w.begin_object();
    w.member("model", m.model);
    w.member("state", to_string(key_state::cooling));
    w.member("reason", to_string(m.reason));
    instant(w, "until", m.until_at_ms);
    w.end_object();
  }
  w.end_array();
}

void counts(json::writer& w, const key_status& k) {
  w.key("counts");
  w.begin_object();
  w.key("granted");
  w.integer(k.granted);
  w.key("abandoned");
  w.integer(k.abandoned);
  w.key("expired");
  w.integer(k.expired);
  for (std::size_t i = 0; i < k.answers.size(); ++i) {
    w.foreign_key(gemini::to_string(static_cast<gemini::answer_class>(i)));
    w.integer(k.answers[i]);
  }
  w.end_object();
  w.key("tokens");
  w.begin_object();
  w.key("prompt");
  w.integer(k.prompt_tokens);
  w.key("output");
  w.integer(k.output_tokens);
  w.key("thought");
  w.integer(k.thought_tokens);
  w.key("cached");
  w.integer(k.cached_tokens);
  w.end_object();
}

void key(json::writer& w, const key_status& k) {
  w.begin_object();
  w.member("id", to_string(key_id{k.key}));
  w.member("name", k.name);
  w.member("state", to_string(k.state));
  w.key("reason");
  if (k.reason == key_reason::none)
    w.null();
  else
    w.string(to_string(k.reason));
  instant(w, "since", k.since_at_ms);
  instant(w, "until", k.until_at_ms);
  w.key("strikes");
  w.integer(k.strikes);
  w.key("in_flight");
  w.integer(k.in_flight);
  w.key("restarts");
  w.integer(k.restarts);
  instant(w, "last_used", k.last_used_at_ms);
  instant(w, "last_error_at", k.last_error_at_ms);
  w.key("last_error");
  if (k.last_error.empty())
    w.null();
  else
    w.string(k.last_error);
  models(w, k);
  counts(w, k);
  w.end_object();
}

} // namespace

std::string key_list_document(const std::vector<key_status>& keys) {
  std::string out;
  out.reserve(256 + keys.size() * 600);
  json::writer w{out};
  w.begin_object();
  w.key("keys");
  w.begin_array();
  for (const auto& k : keys)
    key(w, k);
  w.end_array();
  w.end_object();
  return out;
}

} // namespace troupe
