#include "sandbox/script.hpp"

#include "sandbox/faults.hpp"
#include "sandbox/fields.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace sandbox {

namespace {

constexpr std::pair<const char*, method> methods[] = {{"models", method::models},
                                                      {"model", method::model},
                                                      {"generate", method::generate},
                                                      {"stream", method::stream},
                                                      {"count", method::count},
                                                      {"caches", method::caches},
                                                      {"chat", method::chat},
                                                      {"responses", method::responses},
                                                      {"embeddings", method::embeddings},
                                                      {"messages", method::messages}};

constexpr std::pair<const char*, scope> scopes[] = {{"key", scope::key},
                                                    {"key+model", scope::key_model},
                                                    {"project", scope::project},
                                                    {"project+model", scope::project_model}};

constexpr std::pair<const char*, breakage> breakages[] = {{"reset", breakage::reset},
                                                          {"hang", breakage::hang},
                                                          {"fin", breakage::fin},
                                                          {"half_event", breakage::half_event},
                                                          {"no_finish", breakage::no_finish},
                                                          {"garbage", breakage::garbage},
                                                          {"error", breakage::error},
                                                          {"not_http", breakage::not_http}};

constexpr std::pair<const char*, place> places[] = {
    {"before_head", place::before_head}, {"after_head", place::after_head}, {"body", place::body}};

constexpr std::pair<const char*, framing> framings[] = {{"usual", framing::usual},
                                                        {"chunked", framing::chunked},
                                                        {"length", framing::length},
                                                        {"close", framing::close}};

duration seconds_of(double s) {
  return duration{static_cast<std::int64_t>(std::llround(s * 1e9))};
}

/// The ways to write a limit: exactly one of them stands in each.
struct limit_form {
  const char* name;
  measure counts;
  bool until_midnight;
  duration window; ///< zero: `window_s` must say
};

constexpr std::chrono::minutes minute{1};
constexpr limit_form limit_forms[] = {
    {"rpm", measure::requests, false, minute},
    {"rpd", measure::requests, true, {}},
    {"tpm", measure::tokens, false, minute},
    {"tpd", measure::tokens, true, {}},
    {"input_tpm", measure::input_tokens, false, minute},
    {"output_tpm", measure::output_tokens, false, minute},
    {"concurrency", measure::in_flight, false, minute},
    {"requests", measure::requests, false, {}},
};
constexpr std::uint64_t limit_requests_max = 1'000'000;
constexpr std::uint64_t limit_tokens_max = 1'000'000'000'000;

limit read_limit(const json& from) {
  limit to;
  fields f{from, "limit"};
  double window_s = 0;
  const limit_form* form = nullptr;
  int ways = 0;
  for (const auto& one : limit_forms) {
    f.take(one.name, to.allowed);
    if (!from.contains(one.name))
      continue;
    form = &one;
    ++ways;
  }
  f.take("window_s", window_s);
  f.take("until_midnight", to.until_midnight);
  f.take("scope", to.shared_by, scopes);
  f.take("model", to.model);
  f.done();
  if (ways != 1)
    f.refuse("wants exactly one of rpm, rpd, tpm, tpd, input_tpm, output_tpm, concurrency and "
             "requests");
  to.counts = form->counts;
  to.until_midnight = to.until_midnight || form->until_midnight;
  to.window = window_s > 0 ? seconds_of(window_s) : form->window;
  if (!to.until_midnight && to.window == duration{})
    f.refuse("needs window_s or until_midnight");
  const bool requests = to.counts == measure::requests || to.counts == measure::in_flight;
  if (to.allowed > (requests ? limit_requests_max : limit_tokens_max))
    f.refuse("allows at most 1000000 requests or 10^12 tokens");
  return to;
}

void read_per_source(const json& from, script& to) {
  fields f{from, "per_source"};
  double window_s = 1;
  f.take("requests", to.per_source);
  f.take("window_s", window_s);
  f.done();
  if (to.per_source == 0 || to.per_source > limit_requests_max || window_s <= 0)
    f.refuse("wants requests from 1 to 1000000 within window_s");
  to.source_window = seconds_of(window_s);
}

void read_when(const json& from, rule& to) {
  fields f{from, "when"};
  f.take("model", to.model);
  f.take("method", to.only, methods);
  f.take("skip", to.skip);
  f.take("first", to.first);
  f.take("probability", to.probability);
  f.done();
  if (to.probability < 0 || to.probability > 1)
    f.refuse("probability is from 0 to 1");
}

verbatim read_verbatim(const json& from) {
  verbatim to;
  fields f{from, "error"};
  std::uint64_t status = 0;
  f.take("status", status);
  f.take("content_type", to.content_type);
  if (const auto* body = f.raw("body"))
    to.body = body->is_string() ? body->get<std::string>() : body->dump();
  if (const auto* headers = f.raw("headers")) {
    if (!headers->is_object())
      f.refuse("headers is an object of strings");
    for (const auto& [name, value] : headers->items()) {
      if (!value.is_string())
        f.refuse("headers is an object of strings");
      to.headers.emplace_back(name, value.get<std::string>());
    }
  }
  f.done();
  if (status < 200 || status > 599)
    f.refuse("status is from 200 to 599");
  to.status = static_cast<int>(status);
  return to;
}

void read_breakage(fields& f, rule& to) {
  f.take("break", to.broken, breakages);
  f.take("at", to.broken_at, places);
  f.take("after_events", to.after_events);
  f.take("break_error", to.broken_error);
  if (!is_fault(to.broken_error))
    f.refuse("break_error is not in the catalogue: " + to.broken_error);
  const bool anywhere = to.broken == breakage::reset || to.broken == breakage::hang
                        || to.broken == breakage::fin || to.broken == breakage::none;
  if (!anywhere && to.broken_at != place::body)
    f.refuse("this kind of break happens in the body only");
}

void read_pace(fields& f, rule& to) {
  double delay_ms = 0, event_delay_ms = 0, drip_ms = 0, per_second = 0;
  f.take("delay_ms", delay_ms);
  f.take("event_delay_ms", event_delay_ms);
  f.take("events_per_second", per_second);
  f.take("tokens_per_second", to.tokens_per_second);
  f.take("events", to.events);
  f.take("event_bytes", to.event_bytes);
  f.take("flush_each", to.flush_each);
  f.take("drip_bytes", to.drip_bytes);
  f.take("drip_ms", drip_ms);
  to.delay = seconds_of(delay_ms / 1e3);
  to.event_delay = per_second > 0 ? seconds_of(1 / per_second) : seconds_of(event_delay_ms / 1e3);
  to.drip_every = seconds_of(drip_ms / 1e3);
  if (delay_ms < 0 || event_delay_ms < 0 || drip_ms < 0 || per_second < 0
      || to.tokens_per_second < 0)
    f.refuse("no time can be negative");
  if (to.events > 10'000'000 || to.event_bytes > 64 * 1024 * 1024)
    f.refuse("at most 10000000 events of at most 64 MiB");
}

rule read_rule(const json& from) {
  rule to;
  fields f{from, "rule"};
  if (const auto* when = f.raw("when"))
    read_when(*when, to);
  if (const auto* error = f.raw("error")) {
    if (error->is_string())
      to.error = error->get<std::string>();
    else
      to.answer = read_verbatim(*error);
    if (error->is_string() && !is_fault(to.error))
      f.refuse("error is not in the catalogue: " + to.error);
  }
  f.take("retry_s", to.retry_s);
  f.take("in_array", to.in_array);
  read_breakage(f, to);
  read_pace(f, to);
  f.take("text", to.text);
  f.take("finish_reason", to.finish_reason);
  f.take("block_reason", to.block_reason);
  f.take("head_bytes", to.head_bytes);
  f.take("gzip", to.gzip);
  f.take("framing", to.framed, framings);
  f.take("close_after", to.close_after);
  f.take("close_silently", to.close_silently);
  f.take("fixed", to.fixed);
  f.take("empty", to.empty);
  f.done();
  if (to.head_bytes > 16 * 1024 * 1024)
    f.refuse("head_bytes is at most 16 MiB");
  return to;
}

} // namespace

const char* name_of(method m) {
  for (const auto& [name, value] : methods)
    if (value == m)
      return name;
  return "";
}

bool spends(method m) {
  switch (m) {
  case method::generate:
  case method::stream:
  case method::chat:
  case method::responses:
  case method::embeddings:
  case method::messages:
    return true;
  case method::models:
  case method::model:
  case method::count:
  case method::caches:
    return false;
  }
  return false;
}

std::string read_script(const json& from, script& to) {
  try {
    fields f{from, "script"};
    f.take("key", to.key);
    f.take("project", to.project);
    if (const auto* limits = f.raw("limits"))
      for (const auto& l : f.list(*limits, "limits"))
        to.limits.push_back(read_limit(l));
    if (const auto* rules = f.raw("rules"))
      for (const auto& r : f.list(*rules, "rules"))
        to.rules.push_back({std::make_shared<const rule>(read_rule(r)), 0});
    f.take("tell_limits", to.tells_limits);
    if (const auto* source = f.raw("per_source"))
      read_per_source(*source, to);
    f.done();
    if (to.key.empty())
      f.refuse("needs a key, or \"*\" for all of them");
  } catch (const bad_field& e) {
    return e.what();
  }
  return {};
}

} // namespace sandbox
