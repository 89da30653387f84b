#include "actors/cli/pool_views.hpp"

#include "actors/cli/core/answer_tree.hpp"
#include "actors/cli/moments.hpp"

#include <fmt/format.h>

namespace troupe::cli {

namespace {

/// Empty for what is absent or null.
std::string span_in(const config::node& object, std::string_view name) {
  return text_in(object, name).empty() ? std::string{} : span_text(whole_in(object, name));
}

tone tone_of_source(const std::string& source) {
  return source == "declared" ? tone::plain : tone::faint;
}

tone tone_of_breaker(const std::string& state) {
  return state == "closed" ? tone::good : state == "open" ? tone::bad : tone::worth_a_look;
}

cell breaker_cell(const config::node& upstream) {
  cell worst;
  for (const auto& b : part_of(upstream, "breakers").items) {
    const auto state = text_in(b, "state");
    const auto model = text_in(b, "model");
    if (state == "closed") {
      if (worst.text.empty())
        worst = {state, tone_of_breaker(state)};
      continue;
    }
    auto words = state + (model.empty() ? "" : " for " + model);
    if (const auto wait = span_in(b, "retry_in_ms"); !wait.empty())
      words += ", tries again in " + wait;
    const bool first = worst.text.empty() || worst.text == "closed";
    worst = {first ? words : worst.text + "; " + words,
             first || state == "open" ? tone_of_breaker(state) : worst.how};
  }
  return worst;
}

std::string draw_choices(const config::node& request, const look& l) {
  table choices{{{"OUTCOME"}, {"KEY"}, {"USABLE"}, {"TIER", true}, {"WAITED", true}, {"BECAUSE"}}};
  table turned{{{"PASSED OVER"}, {"BECAUSE"}, {"FREE IN", true}}};
  table looked{{{"LOOKED AT"}, {"SCORE", true}}};
  for (const auto& c : part_of(request, "choices").items) {
    choices.add({text_in(c, "outcome"), text_in(c, "chosen"),
                 grouped(whole_in(c, "usable")) + " of " + grouped(whole_in(c, "members")),
                 text_in(c, "tier"), span_in(c, "waited_ms"),
                 truth_in(c, "by_affinity") ? "it had this session before" : ""});
    for (const auto& t : part_of(c, "turned").items)
      turned.add({text_in(t, "key"), text_in(t, "why"), span_in(t, "wait_ms")});
    for (const auto& k : part_of(c, "looked").items)
      looked.add({text_in(k, "key"), text_in(k, "score")});
  }
  std::string out;
  for (const auto* t : {&choices, &looked, &turned})
    if (!t->empty())
      out += '\n' + t->draw(l);
  return out;
}

std::string draw_attempts(const config::node& request, const look& l) {
  table attempts{{{"KEY"},
                  {"UPSTREAM", false, true},
                  {"MODEL", false, true},
                  {"CLASS"},
                  {"STATUS", true},
                  {"TOLD TO WAIT", true},
                  {"MESSAGE", false, true}}};
  for (const auto& a : part_of(request, "attempts").items) {
    const auto what = text_in(a, "class");
    attempts.add({text_in(a, "key"), text_in(a, "upstream"), text_in(a, "model"),
                  cell{what, what == "ok" ? tone::good : tone::bad}, text_in(a, "status"),
                  span_in(a, "wait_ms"), text_in(a, "message")});
  }
  return attempts.empty() ? std::string{} : '\n' + attempts.draw(l);
}

} // namespace

std::string span_text(std::int64_t ms) {
  constexpr double s = 1'000, min = 60 * s, h = 60 * min;
  const auto span = static_cast<double>(ms);
  if (span < s)
    return fmt::format("{} ms", ms);
  if (span < min)
    return fmt::format("{:.1f} s", span / s);
  return span < h ? fmt::format("{:.1f} min", span / min) : fmt::format("{:.1f} h", span / h);
}

std::string draw_quota(const config::node& key, const look& l, wall_time now) {
  table out{{{"LIMIT"},
             {"MODEL", false, true},
             {"OF", true},
             {"USED", true},
             {"LEFT", true},
             {"FREES IN", true},
             {"RESETS"},
             {"SOURCE"}}};
  for (const auto& q : part_of(key, "quota").items) {
    const auto model = text_in(q, "model");
    const auto source = text_in(q, "source");
    const auto left = whole_in(q, "left");
    out.add({text_in(q, "kind"), model.empty() ? cell{"all", tone::faint} : cell{model},
             grouped(whole_in(q, "limit")), grouped(whole_in(q, "used")),
             cell{grouped(left), left == 0 ? tone::worth_a_look : tone::plain},
             span_in(q, "frees_in_ms"), relative_moment(text_in(q, "resets_at"), now),
             cell{source, tone_of_source(source)}});
  }
  return out.empty() ? std::string{} : out.draw(l);
}

std::string draw_pool(const config::node& pool, const look& l) {
  const auto& keys = part_of(pool, "keys");
  const auto& waiting = part_of(pool, "waiting");
  sheet out;
  out.add("strategy", text_in(pool, "strategy"));
  out.add("keys", grouped(whole_in(keys, "total")) + ": " + grouped(whole_in(keys, "ready"))
                      + " ready, " + grouped(whole_in(keys, "cooling")) + " cooling, "
                      + grouped(whole_in(keys, "disabled")) + " disabled");
  const auto count = whole_in(waiting, "count");
  out.add("waiting", count == 0 ? cell{"nobody"}
                                : cell{counted(count, "request") + ", the longest for "
                                           + span_in(waiting, "longest_ms"),
                                       tone::worth_a_look});
  table sharing{{{"SEEM TO SHARE A QUOTA", false, true}, {"BECAUSE"}}};
  for (const auto& s : part_of(pool, "suspected_sharing").items)
    sharing.add({texts_in(s, "keys"), text_in(s, "why")});
  return out.draw(l) + (sharing.empty() ? std::string{} : '\n' + sharing.draw(l));
}

std::string draw_upstreams(const config::node& list, const look& l) {
  table out{{{"NAME", false, true},
             {"KIND"},
             {"BASE URL", false, true},
             {"KEYS", true},
             {"READY", true},
             {"COOLING", true},
             {"DISABLED", true},
             {"BREAKER", false, true}}};
  for (const auto& u : part_of(list, "upstreams").items) {
    const auto& keys = part_of(u, "keys");
    out.add({text_in(u, "name"), text_in(u, "kind"), text_in(u, "base_url"),
             grouped(whole_in(keys, "total")), grouped(whole_in(keys, "ready")),
             grouped(whole_in(keys, "cooling")), grouped(whole_in(keys, "disabled")),
             breaker_cell(u)});
  }
  return out.draw(l);
}

std::string draw_explained(const config::node& request, const look& l, wall_time now) {
  const auto asked = text_in(request, "model_asked");
  const auto model = text_in(request, "model");
  const auto status = text_in(request, "status");
  sheet out;
  out.add("request", text_in(request, "request_id"));
  out.add("at", full_moment(text_in(request, "at"), now));
  out.add("surface", text_in(request, "surface"));
  out.add("model", asked == model ? model : asked + ", which means " + model);
  out.add("credential", text_in(request, "credential"));
  out.add("status", status.empty() ? std::string{"none: the client left"} : status);
  return out.draw(l) + draw_choices(request, l) + draw_attempts(request, l);
}

} // namespace troupe::cli
