#include "actors/admin/key_document.hpp"

#include "actors/admin/document.hpp"
#include "protocol/base/key_id.hpp"

#include <algorithm>

namespace troupe {

namespace {

void write_models(json::writer& w, const key_status& k) {
  w.key("models");
  w.begin_array();
  for (const auto& m : k.models) {
    w.begin_object();
    w.member("model", m.model);
    w.member("state", to_string(key_state::cooling));
    w.member("reason", to_string(m.reason));
    write_instant(w, "until", m.until_at_ms);
    w.end_object();
  }
  w.end_array();
}

void write_quota(json::writer& w, const key_status& k) {
  w.key("quota");
  w.begin_array();
  for (const auto& q : k.quota) {
    w.begin_object();
    write_optional(w, "model", q.model);
    w.member("kind", to_string(q.kind));
    w.member("source", to_string(q.source));
    write_number(w, "limit", q.amount);
    write_number(w, "used", q.used);
    write_number(w, "left", q.amount - std::min(q.amount, q.used));
    write_number(w, "excess", q.excess);
    write_span(w, "frees_in_ms", q.frees_in_ms);
    write_instant(w, "resets_at", q.resets_at_ms);
    w.end_object();
  }
  w.end_array();
}

void write_counts(json::writer& w, const key_status& k) {
  const auto count = [&w](json::plain_key name, std::uint64_t value) {
    write_number(w, name, value);
  };
  w.key("counts");
  w.begin_object();
  count("granted", k.granted);
  count("abandoned", k.abandoned);
  count("expired", k.expired);
  for (std::size_t i = 0; i < k.answers.size(); ++i) {
    w.foreign_key(gemini::to_string(static_cast<gemini::answer_class>(i)));
    w.integer(k.answers[i]);
  }
  w.end_object();
  w.key("tokens");
  w.begin_object();
  count("prompt", k.prompt_tokens);
  count("output", k.output_tokens);
  count("thought", k.thought_tokens);
  count("cached", k.cached_tokens);
  w.end_object();
}

void write_item(json::writer& w, const key_view& k) {
  w.member("id", to_string(key_id{k.id}));
  w.key("revision");
  w.integer(k.header.revision);
  w.member("name", k.item.name.empty() ? k.status.name : k.item.name);
  w.member("upstream", k.item.upstream);
  write_optional(w, "kind", k.item.kind);
  write_optional(w, "domain", k.item.domain);
  write_texts(w, "groups", k.item.groups);
  write_texts(w, "tags", k.item.tags);
  w.key("weight");
  w.integer(k.item.weight);
  w.key("tier");
  w.integer(k.item.tier);
  write_limits(w, "limits", k.item.limits);
  write_optional(w, "proxy", k.has_proxy ? k.proxy_shown : std::string{});
  w.member("note", k.item.note);
  w.boolean_member("enabled", k.item.enabled);
  write_origin(w, k.origin, k.origin_text);
  w.boolean_member("served", k.served);
  write_instant(w, "created", k.header.created_at_ms);
  write_instant(w, "changed", k.header.changed_at_ms);
}

void write_status(json::writer& w, const key_status& k) {
  w.member("state", to_string(k.state));
  write_optional(w, "reason",
                 k.reason == key_reason::none ? std::string_view{} : to_string(k.reason));
  write_instant(w, "since", k.since_at_ms);
  write_instant(w, "until", k.until_at_ms);
  w.key("strikes");
  w.integer(k.strikes);
  w.key("in_flight");
  w.integer(k.in_flight);
  w.key("restarts");
  w.integer(k.restarts);
  write_instant(w, "last_used", k.last_used_at_ms);
  write_instant(w, "last_error_at", k.last_error_at_ms);
  write_optional(w, "last_error", k.last_error);
  write_optional(w, "proxy_in_use", k.proxy_shown);
  w.boolean_member("shares_domain", k.shares_domain);
  if (k.slow_start == 0) {
    w.key("slow_start");
    w.null();
  } else {
    write_number(w, "slow_start", k.slow_start);
  }
  write_instant(w, "next_recheck_at", k.next_recheck_at_ms);
  write_models(w, k);
  write_quota(w, k);
  write_counts(w, k);
}

void write_key(json::writer& w, const key_view& k) {
  w.begin_object();
  write_item(w, k);
  write_status(w, k.status);
  w.end_object();
}

} // namespace

std::string key_document(const key_view& k) {
  std::string out;
  json::writer w{out};
  write_key(w, k);
  return out;
}

std::string key_page_document(const key_page& page) {
  std::string out;
  out.reserve(256 + page.keys.size() * 1024);
  json::writer w{out};
  w.begin_object();
  w.key("keys");
  w.begin_array();
  for (const auto& k : page.keys)
    write_key(w, k);
  w.end_array();
  write_optional(w, "next", page.next);
  w.key("total");
  w.integer(page.total);
  w.key("matched");
  w.integer(page.matched);
  w.end_object();
  return out;
}

std::string key_check_document(const check_end& end, const key_view& k) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.key("check");
  w.begin_object();
  w.boolean_member("ok", end.ok);
  w.member("class", end.word);
  w.key("status");
  if (end.status == 0)
    w.null();
  else
    w.integer(end.status);
  write_optional(w, "message", end.message);
  w.key("latency_ms");
  w.integer(end.latency_ms);
  w.end_object();
  w.key("key");
  write_key(w, k);
  w.end_object();
  return out;
}

} // namespace troupe
