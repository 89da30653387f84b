#include "sandbox/control.hpp"

#include "sandbox/fields.hpp"
#include "sandbox/surface.hpp"

#include <nlohmann/json.hpp>

#include <vector>

namespace sandbox {

namespace {

answer say(int status, const json& body) {
  answer a;
  a.status = status;
  a.body = body.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
  return a;
}

answer fine() {
  return say(200, {{"ok", true}});
}

answer trouble(const std::string& why) {
  return say(400, {{"ok", false}, {"error", why}});
}

json words(const json& list, const char* name) {
  if (!list.is_array())
    throw bad_field{std::string{name} + " is a list of strings"};
  for (const auto& one : list)
    if (!one.is_string())
      throw bad_field{std::string{name} + " is a list of strings"};
  return list;
}

void read_settings(const json& from, settings& to) {
  fields f{from, "settings"};
  f.take("strict_keys", to.strict_keys);
  f.take("seed", to.seed);
  f.take("arrival_times_max", to.arrival_times_max);
  f.take("grace_ms", to.grace_ms);
  f.take("cache_s", to.cache_s);
  if (const auto* keys = f.raw("keys"))
    to.keys = words(*keys, "keys").get<decltype(to.keys)>();
  if (const auto* models = f.raw("models"))
    to.models = words(*models, "models").get<decltype(to.models)>();
  f.done();
  if (to.arrival_times_max > 1'000'000)
    f.refuse("arrival_times_max is at most 1000000");
  if (to.grace_ms < 0 || to.grace_ms > 60'000)
    f.refuse("grace_ms is from 0 to 60000");
  if (to.cache_s < 0 || to.cache_s > 86'400)
    f.refuse("cache_s is from 0 to 86400");
}

json settings_json(const settings& s) {
  return {{"strict_keys", s.strict_keys},
          {"keys", s.keys},
          {"models", s.models},
          {"seed", s.seed},
          {"grace_ms", s.grace_ms},
          {"cache_s", s.cache_s},
          {"arrival_times_max", s.arrival_times_max}};
}

answer put_settings(world& w, const json& body) {
  auto s = w.options();
  read_settings(body, s);
  w.set_options(std::move(s));
  return say(200, settings_json(w.options()));
}

answer plant(world& w, const json& body) {
  bool violation = false, early = false;
  fields f{body, "plant"};
  f.take("violation", violation);
  f.take("early", early);
  f.done();
  if (!violation && !early)
    f.refuse("wants \"violation\": true, \"early\": true, or both");
  w.plant(violation, early);
  return say(200, w.verdicts());
}

answer reset(world& w, const json& body) {
  world::forget what;
  fields f{body, "reset"};
  f.take("scripts", what.scripts);
  f.take("settings", what.settings);
  f.take("counters", what.counters);
  f.take("judge", what.judge);
  f.done();
  if (body.empty())
    what = {true, true, true, true};
  w.reset(what);
  return fine();
}

answer post(world& w, std::string_view what, std::string_view text) {
  if (what == "scripts") {
    const auto why = put_scripts(w, text);
    return why.empty() ? fine() : trouble(why);
  }
  const auto body = text.empty() ? json::object() : parse_sent(text);
  if (body.is_discarded())
    return trouble("the body is not JSON");
  try {
    if (what == "settings")
      return put_settings(w, body);
    if (what == "judge/plant")
      return plant(w, body);
    if (what == "reset")
      return reset(w, body);
  } catch (const bad_field& e) {
    return trouble(e.what());
  }
  return say(404, {{"ok", false}, {"error", "no such control path"}});
}

answer get(const world& w, std::string_view what, std::string_view query) {
  if (what == "counters")
    return say(200, w.counts(query_value(query, "key"), query_value(query, "times") == "1"));
  if (what == "judge")
    return say(200, w.verdicts());
  if (what == "scripts")
    return say(200, w.scripts());
  if (what == "settings")
    return say(200, settings_json(w.options()));
  if (what == "errors")
    return say(200, fault_names());
  if (what == "health")
    return fine();
  return say(404, {{"ok", false}, {"error", "no such control path"}});
}

} // namespace

std::string put_scripts(world& w, std::string_view text) {
  const auto body = parse_sent(text);
  if (body.is_discarded())
    return "the script is not JSON";
  std::vector<script> read;
  for (const auto& one : body.is_array() ? body : json::array({body})) {
    script s;
    if (auto why = read_script(one, s); !why.empty())
      return why;
    read.push_back(std::move(s));
  }
  for (auto& s : read)
    w.put_script(std::move(s));
  return {};
}

answer control(world& w, const request& r) {
  auto what = r.path;
  what.remove_prefix(std::string_view{"/_sandbox"}.size());
  if (what.starts_with('/'))
    what.remove_prefix(1);
  if (r.method == "GET")
    return get(w, what, r.query);
  if (r.method == "POST" || r.method == "PUT")
    return post(w, what, r.body);
  if (r.method == "DELETE" && what == "scripts") {
    w.drop_scripts(query_value(r.query, "key"));
    return fine();
  }
  return say(405, {{"ok", false}, {"error", "method not allowed"}});
}

} // namespace sandbox
