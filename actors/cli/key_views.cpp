#include "actors/cli/key_views.hpp"

#include "actors/cli/core/answer_tree.hpp"
#include "actors/cli/core/limits.hpp"
#include "actors/cli/moments.hpp"
#include "actors/cli/pool_views.hpp"

namespace troupe::cli {

namespace {

tone tone_of(const std::string& state) {
  if (state == "ready")
    return tone::good;
  if (state == "disabled")
    return tone::bad;
  return state == "cooling" || state == "probing" ? tone::worth_a_look : tone::plain;
}

cell state_cell(const config::node& key) {
  const auto state = text_in(key, "state");
  return {state, tone_of(state)};
}

std::string origin_text(const config::node& item) {
  const auto& origin = part_of(item, "origin");
  const auto source = text_in(origin, "source");
  return text_in(origin, "layer") + (source.empty() ? "" : " (" + source + ")");
}

/// `ok 12, quota_minute 3`: what is zero is left out.
std::string counts_text(const config::node& counts) {
  std::string out;
  for (const auto& m : counts.members)
    if (m.value.kind == config::node_kind::integer && m.value.whole != 0)
      out += (out.empty() ? "" : ", ") + m.name + ' ' + grouped(m.value.whole);
  return out;
}

void add_moment(sheet& out, std::string_view name, std::string_view label, const config::node& key,
                wall_time now) {
  out.add_if_any(label, full_moment(text_in(key, name), now));
}

void add_moment(sheet& out, std::string_view name, const config::node& key, wall_time now) {
  add_moment(out, name, name, key, now);
}

void add_models(sheet& out, const config::node& key, wall_time now) {
  for (const auto& model : part_of(key, "models").items) {
    const auto until = text_in(model, "until");
    auto text =
        text_in(model, "model") + ' ' + text_in(model, "state") + ", " + text_in(model, "reason");
    if (!until.empty())
      text += ", until " + full_moment(until, now);
    out.add("model", {std::move(text), tone::worth_a_look});
  }
}

std::string numbered(std::int64_t count, std::string_view what) {
  return grouped(count) + ' ' + std::string{what};
}

} // namespace

std::string draw_key(const config::node& key, const look& l, wall_time now) {
  sheet out;
  out.add("id", text_in(key, "id"));
  out.add_if_any("name", text_in(key, "name"));
  out.add("state", state_cell(key));
  out.add_if_any("reason", text_in(key, "reason"));
  add_moment(out, "since", key, now);
  add_moment(out, "until", key, now);
  add_moment(out, "next_recheck_at", "checked again", key, now);
  if (const auto slow = text_in(key, "slow_start"); !slow.empty())
    out.add("slow start", {slow + " calls at one time", tone::worth_a_look});
  add_models(out, key, now);
  out.add("enabled", truth_in(key, "enabled") ? cell{"yes"} : cell{"no", tone::bad});
  out.add("upstream", text_in(key, "upstream"));
  if (const auto* served = key.find("served"); served != nullptr && !served->truth)
    out.add("served", {"no: its upstream is not configured", tone::worth_a_look});
  out.add_if_any("kind", text_in(key, "kind"));
  out.add_if_any("domain", text_in(key, "domain"));
  out.add_if_any("groups", texts_in(key, "groups"));
  out.add_if_any("tags", texts_in(key, "tags"));
  out.add("weight", text_in(key, "weight"));
  out.add("tier", text_in(key, "tier"));
  const auto limits = limits_text(read_limits(part_of(key, "limits")));
  out.add("limits", limits.empty() ? std::string{"none"} : limits);
  out.add_if_any("proxy", text_in(key, "proxy"));
  if (const auto used = text_in(key, "proxy_in_use"); used != text_in(key, "proxy"))
    out.add_if_any("goes out by", used);
  out.add_if_any("note", text_in(key, "note"));
  out.add("in flight", text_in(key, "in_flight"));
  if (whole_in(key, "strikes") > 0)
    out.add("strikes", {text_in(key, "strikes"), tone::worth_a_look});
  out.add_if_any("calls", counts_text(part_of(key, "counts")));
  out.add_if_any("tokens", counts_text(part_of(key, "tokens")));
  out.add_if_any("last used", full_moment(text_in(key, "last_used"), now));
  out.add_if_any("last error", full_moment(text_in(key, "last_error_at"), now));
  out.add_if_any("", {text_in(key, "last_error"), tone::bad});
  out.add("origin", origin_text(key));
  add_moment(out, "created", key, now);
  add_moment(out, "changed", key, now);
  out.add("revision", text_in(key, "revision"));
  const auto quota = draw_quota(key, l, now);
  if (quota.empty())
    return out.draw(l);
  return out.draw(l) + (truth_in(key, "shares_domain") ? "\nshared with other keys:\n" : "\n")
         + quota;
}

std::string draw_keys(const config::node& page, const look& l, wall_time now) {
  table out{{{"ID"},
             {"NAME", false, true},
             {"STATE"},
             {"REASON", false, true},
             {"UNTIL"},
             {"UPSTREAM", false, true},
             {"TIER", true},
             {"WEIGHT", true},
             {"OK", true},
             {"LAST USED"},
             {"TAGS", false, true}}};
  for (const auto& key : part_of(page, "keys").items)
    out.add({text_in(key, "id"), text_in(key, "name"), state_cell(key), text_in(key, "reason"),
             relative_moment(text_in(key, "until"), now), text_in(key, "upstream"),
             text_in(key, "tier"), text_in(key, "weight"),
             grouped(whole_in(part_of(key, "counts"), "ok")),
             cell{relative_moment(text_in(key, "last_used"), now), tone::faint},
             texts_in(key, "tags")});
  return out.empty() ? std::string{} : out.draw(l);
}

std::string draw_key_line(const config::node& key, const look& l) {
  const auto name = text_in(key, "name");
  auto out = painted(text_in(key, "id"), l);
  if (!name.empty())
    out += " (" + painted(name, l) + ')';
  out += " is " + painted(state_cell(key), l);
  if (const auto reason = text_in(key, "reason"); !reason.empty())
    out += ", " + painted(reason, l);
  if (const auto until = text_in(key, "until"); !until.empty())
    out += ", until " + painted(absolute_moment(until), l);
  return out + '\n';
}

std::string draw_import_report(const config::node& report, const look& l) {
  auto out = counted(whole_in(report, "added"), "key")
             + (truth_in(report, "dry_run") ? " would be added, " : " added, ")
             + numbered(whole_in(report, "already_there"), "already there, ")
             + numbered(whole_in(report, "repeated"), "repeated, ")
             + numbered(whole_in(report, "refused"), "refused\n");
  table refusals{{{"LINE", true}, {"REFUSED BECAUSE"}}};
  for (const auto& refusal : part_of(report, "refusals").items)
    refusals.add({text_in(refusal, "line"), text_in(refusal, "reason")});
  return refusals.empty() ? out : out + refusals.draw(l);
}

std::string draw_bulk_report(const config::node& report, const std::string& done, const look& l) {
  auto out = counted(whole_in(report, "matched"), "key") + " matched, "
             + numbered(whole_in(report, "changed"), done) + ", "
             + numbered(whole_in(report, "failed"), "failed\n");
  table failures{{{"ID"}, {"FAILED BECAUSE"}}};
  for (const auto& one : part_of(report, "failures").items)
    failures.add({text_in(one, "id"), text_in(one, "reason")});
  return failures.empty() ? out : out + failures.draw(l);
}

} // namespace troupe::cli
