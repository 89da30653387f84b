#include "actors/cli/keys_bulk.hpp"

#include "actors/cli/core/answer_tree.hpp"
#include "actors/cli/core/query.hpp"
#include "actors/cli/job_run.hpp"
#include "actors/cli/key_flags.hpp"
#include "actors/cli/key_views.hpp"
#include "protocol/config/values.hpp"
#include "protocol/json/writer.hpp"

#include <memory>

namespace troupe::cli {

namespace {

enum class key_change : std::uint8_t { enable, disable, pause, reset, check, erase, edit };

struct change_flags {
  key_change what = key_change::enable;
  std::vector<std::string> ids;
  std::vector<std::string> filters;
  bool all = false;
  bool yes = false;
  std::string pause;
  std::string if_match;
  key_field_flags fields;
};

std::string action_of(key_change what) {
  switch (what) {
  case key_change::enable:
    return "enable";
  case key_change::disable:
    return "disable";
  case key_change::pause:
    return "pause";
  case key_change::reset:
    return "reset";
  case key_change::check:
    return "check";
  case key_change::erase:
    return "delete";
  case key_change::edit:
    return "edit";
  }
  return {};
}

/// For reports: `12 enabled`.
std::string past_of(key_change what) {
  switch (what) {
  case key_change::enable:
    return "enabled";
  case key_change::disable:
    return "disabled";
  case key_change::pause:
    return "paused";
  case key_change::reset:
    return "reset";
  case key_change::check:
    return "work";
  case key_change::erase:
    return "deleted";
  case key_change::edit:
    return "edited";
  }
  return {};
}

int show_key_line(session& s, const std::optional<told>& key) {
  if (!key)
    return s.code();
  return s.show(key->body, [&](const look& l) { return draw_key_line(key->tree, l); });
}

int delete_key(session& s, const change_flags& f, const std::string& path) {
  if (!s.confirmed(f.yes, "Delete the key " + f.ids.front() + "?"))
    return s.code();
  if (s.ask({.method = "DELETE", .target = path, .if_match = f.if_match}))
    s.remark(f.ids.front() + " is deleted");
  return s.code();
}

/// The limits that are not named stay, so those that are there are read first; the change is then
/// made to this very revision.
int edit_key(session& s, const change_flags& f, const std::string& path) {
  const auto fields = read_key_fields(s, f.fields);
  if (!fields)
    return s.code();
  limit_set before;
  auto if_match = f.if_match;
  if (!fields->limits.empty() && !begins_anew(fields->limits)) {
    const auto key = s.get(path);
    if (!key)
      return s.code();
    before = read_limits(part_of(key->tree, "limits"));
    if (if_match.empty())
      if_match = text_in(key->tree, "revision");
  }
  auto body = key_patch_body(*fields, before);
  if (!body)
    return s.usage(body.error().text);
  const auto key =
      s.ask({.method = "PATCH", .target = path, .body = std::move(*body), .if_match = if_match});
  if (!key)
    return s.code();
  return s.show(key->body, [&](const look& l) { return draw_key(key->tree, l, s.now()); });
}

int check_key(session& s, const std::string& path) {
  const auto answer = s.post(path + ":check");
  if (!answer)
    return s.code();
  const auto& check = part_of(answer->tree, "check");
  if (!truth_in(check, "ok"))
    s.fail_with(refused);
  return s.show(answer->body, [&](const look& l) {
    const bool ok = truth_in(check, "ok");
    auto out = painted({text_in(check, "class"), ok ? tone::good : tone::bad}, l);
    if (whole_in(check, "status") != 0)
      out += ", status " + text_in(check, "status");
    out += ", " + grouped(whole_in(check, "latency_ms")) + " ms";
    if (const auto message = text_in(check, "message"); !message.empty())
      out += ": " + painted(message, l);
    return out + '\n' + draw_key_line(part_of(answer->tree, "key"), l);
  });
}

std::string pause_body(const std::string& span) {
  std::string body;
  json::writer out{body};
  out.begin_object();
  out.member("for", span);
  out.end_object();
  return body;
}

int change_one(session& s, const change_flags& f) {
  const auto path = "/admin/v1/keys/" + encoded_segment(f.ids.front());
  switch (f.what) {
  case key_change::erase:
    return delete_key(s, f, path);
  case key_change::edit:
    return edit_key(s, f, path);
  case key_change::check:
    return check_key(s, path);
  case key_change::pause:
    return show_key_line(s, s.ask({.method = "POST",
                                   .target = path + ":pause",
                                   .body = pause_body(f.pause),
                                   .if_match = f.if_match}));
  case key_change::enable:
  case key_change::disable:
  case key_change::reset:
    return show_key_line(s, s.ask({.method = "POST",
                                   .target = path + ':' + action_of(f.what),
                                   .if_match = f.if_match}));
  }
  return s.code();
}

/// Asks before every key is changed, and before several are deleted.
bool confirm_many(session& s, const change_flags& f, const bulk_change& change) {
  if (f.yes || (!f.all && f.what != key_change::erase))
    return true;
  auto count = static_cast<std::int64_t>(change.filter.ids.size());
  if (count == 0 && s.around().terminal.in) {
    auto query = query_of(change.filter);
    query.emplace_back("limit", "1");
    const auto page = s.get("/admin/v1/keys" + query_text(query));
    if (!page)
      return false;
    count = whole_in(page->tree, "matched");
  }
  return s.confirmed(false,
                     "This will " + action_of(f.what) + ' ' + counted(count, "key")
                         + (f.all ? ", all that there are." : "."),
                     f.all ? action_of(f.what) : "yes");
}

int change_many(session& s, const change_flags& f) {
  auto filter = read_key_filter(f.filters);
  if (!filter)
    return s.usage(filter.error().text);
  if (!f.if_match.empty())
    return s.usage("--if-match is about one key");
  bulk_change change{action_of(f.what), std::move(*filter), f.all, f.pause, {}};
  change.filter.ids = f.ids;
  if (f.what == key_change::edit) {
    auto fields = read_key_fields(s, f.fields);
    if (!fields)
      return s.code();
    change.fields = std::move(*fields);
  }
  auto body = bulk_body(change);
  if (!body)
    return s.usage(body.error().text);
  if (!confirm_many(s, f, change))
    return s.code();
  const auto end =
      run_job(s, {.method = "POST", .target = "/admin/v1/keys:bulk", .body = std::move(*body)});
  if (!end)
    return s.code();
  const auto& report = part_of(job_in(end->tree), "report");
  if (whole_in(report, "failed") > 0)
    s.fail_with(refused);
  return s.show(end->body,
                [&](const look& l) { return draw_bulk_report(report, past_of(f.what), l); });
}

int change_keys(session& s, const change_flags& f) {
  const int ways = (f.ids.empty() ? 0 : 1) + (f.filters.empty() ? 0 : 1) + (f.all ? 1 : 0);
  if (ways != 1)
    return s.usage("which keys? name them by id, by --filter, or say --all: one of these");
  if (f.what == key_change::edit && f.fields.fields.empty() && f.fields.proxy_file.empty())
    return s.usage("nothing to change was given; see --help");
  if (f.what == key_change::pause && !config::parse_duration(f.pause))
    return s.usage("--for: must be a duration such as 10m");
  for (const auto& id : f.ids)
    if (!s.is_id(id, "key_"))
      return s.code();
  return f.ids.size() == 1 ? change_one(s, f) : change_many(s, f);
}

void add_change(command c, key_change what) {
  auto told = std::make_shared<change_flags>();
  told->what = what;
  c.arguments("id", told->ids, "key_..., one or several", false)
      .texts("--filter", told->filters, "NAME=VALUE,...",
             "All that match: q, state, reason, upstream, group, tag")
      .flag("--all", told->all, "Every key there is; asks first")
      .flag("--yes", told->yes, "Do not ask")
      .text("--if-match", told->if_match, "REVISION", "Only if this is its revision");
  if (what == key_change::pause)
    c.text("--for", told->pause, "SPAN", "How long, such as 10m");
  if (what == key_change::edit)
    add_key_field_flags(c, told->fields);
  c.runs([told](session& s) { return change_keys(s, *told); });
}

} // namespace

void add_key_changes(command c) {
  add_change(c.sub("edit", "Change fields of keys; what is not named stays"), key_change::edit);
  add_change(c.sub("delete", "Delete keys; asks first"), key_change::erase);
  add_change(c.sub("enable", "Let keys serve, and forget why they did not"), key_change::enable);
  add_change(c.sub("disable", "Let keys serve no more until they are enabled"),
             key_change::disable);
  add_change(c.sub("pause", "Let keys rest for a while"), key_change::pause);
  add_change(c.sub("check", "Call the upstream with each key, as cheaply as it can be"),
             key_change::check);
  add_change(c.sub("reset", "Forget cooldowns, strikes and errors of keys"), key_change::reset);
}

} // namespace troupe::cli
