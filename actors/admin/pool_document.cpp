#include "actors/admin/pool_document.hpp"

#include "actors/admin/document.hpp"
#include "protocol/base/key_id.hpp"

namespace troupe {

namespace {

std::string_view word_of(upstream_kind kind) {
  switch (kind) {
  case upstream_kind::gemini:
    return "gemini";
  case upstream_kind::vertex:
    return "vertex";
  case upstream_kind::openai:
    return "openai";
  case upstream_kind::anthropic:
    return "anthropic";
  }
  return {};
}

std::string_view word_of(pool_strategy strategy) {
  switch (strategy) {
  case pool_strategy::most_headroom:
    return "most_headroom";
  case pool_strategy::round_robin:
    return "round_robin";
  case pool_strategy::weighted:
    return "weighted";
  case pool_strategy::least_busy:
    return "least_busy";
  case pool_strategy::p2c_ewma:
    return "p2c_ewma";
  }
  return {};
}

void write_breaker(json::writer& w, const breaker_shown& b) {
  w.begin_object();
  write_optional(w, "model", b.model);
  w.member("state", to_string(b.state));
  write_instant(w, "since", b.since_at_ms);
  write_optional(w, "why", b.why);
  write_number(w, "calls", b.calls);
  write_number(w, "failures", b.failures);
  write_span(w, "retry_in_ms", b.retry_in_ms);
  w.end_object();
}

void write_upstream(json::writer& w, const upstream_view& u,
                    const std::vector<breaker_shown>& breakers) {
  w.begin_object();
  w.member("name", u.name);
  w.member("kind", word_of(u.kind));
  w.member("base_url", u.base_url);
  write_limits(w, "limits", u.limits);
  w.key("keys");
  w.begin_object();
  write_number(w, "total", u.keys);
  for (std::size_t i = 0; i < u.by_state.size(); ++i) {
    w.foreign_key(to_string(static_cast<key_state>(i)));
    w.integer(u.by_state[i]);
  }
  w.end_object();
  w.key("breakers");
  w.begin_array();
  for (const auto& b : breakers)
    if (b.upstream == u.name)
      write_breaker(w, b);
  w.end_array();
  w.end_object();
}

void write_choice(json::writer& w, const explained_choice& c) {
  w.begin_object();
  write_instant(w, "at", c.at_ms);
  write_key_id(w, "chosen", c.chosen);
  w.member("outcome", c.outcome);
  write_number(w, "members", c.members);
  write_number(w, "usable", c.usable);
  w.key("tier");
  w.integer(c.tier);
  w.boolean_member("by_affinity", c.by_affinity);
  write_span(w, "waited_ms", c.waited_ms);
  w.key("looked");
  w.begin_array();
  for (const auto& l : c.looked) {
    w.begin_object();
    write_key_id(w, "key", l.key);
    w.key("score");
    w.number(l.score);
    w.end_object();
  }
  w.end_array();
  w.key("turned");
  w.begin_array();
  for (const auto& t : c.turned) {
    w.begin_object();
    write_key_id(w, "key", t.key);
    w.member("why", t.why);
    write_span(w, "wait_ms", t.wait_ms);
    w.end_object();
  }
  w.end_array();
  w.end_object();
}

void write_status_or_null(json::writer& w, json::plain_key name, int status) {
  write_span(w, name, status == 0 ? -1 : status);
}

void write_attempt(json::writer& w, const explained_attempt& a) {
  w.begin_object();
  write_key_id(w, "key", a.key);
  w.member("upstream", a.upstream);
  w.member("model", a.model);
  w.member("class", a.what);
  write_status_or_null(w, "status", a.status);
  write_span(w, "wait_ms", a.wait_ms);
  write_optional(w, "message", a.message);
  w.end_object();
}

} // namespace

std::string upstreams_document(const std::vector<upstream_view>& upstreams,
                               const std::vector<breaker_shown>& breakers) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.key("upstreams");
  w.begin_array();
  for (const auto& u : upstreams)
    write_upstream(w, u, breakers);
  w.end_array();
  w.end_object();
  return out;
}

std::string pool_document(const pool_view& pool) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.member("strategy", word_of(pool.strategy));
  w.key("keys");
  w.begin_object();
  write_number(w, "total", pool.keys);
  write_number(w, "ready", pool.ready);
  write_number(w, "cooling", pool.cooling);
  write_number(w, "disabled", pool.disabled);
  w.end_object();
  w.key("waiting");
  w.begin_object();
  write_number(w, "count", pool.waiting);
  write_span(w, "longest_ms", pool.longest_wait_ms);
  w.end_object();
  w.key("suspected_sharing");
  w.begin_array();
  for (const auto& s : pool.sharing) {
    w.begin_object();
    w.key("keys");
    w.begin_array();
    for (const auto key : s.keys)
      w.string(to_string(key_id{key}));
    w.end_array();
    w.member("why", s.why);
    w.end_object();
  }
  w.end_array();
  w.end_object();
  return out;
}

std::string explain_document(const explained_request& request) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.member("request_id", request.request_id);
  write_instant(w, "at", request.at_ms);
  w.member("surface", request.surface);
  w.member("model_asked", request.model_asked);
  w.member("model", request.model);
  w.member("credential", request.credential);
  write_status_or_null(w, "status", request.status);
  w.key("choices");
  w.begin_array();
  for (const auto& c : request.choices)
    write_choice(w, c);
  w.end_array();
  w.key("attempts");
  w.begin_array();
  for (const auto& a : request.attempts)
    write_attempt(w, a);
  w.end_array();
  w.end_object();
  return out;
}

} // namespace troupe
