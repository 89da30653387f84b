#include "actors/cli/groups.hpp"

#include "actors/cli/core/answer_tree.hpp"
#include "actors/cli/core/key_arguments.hpp"
#include "actors/cli/core/limits.hpp"
#include "actors/cli/core/query.hpp"
#include "actors/cli/moments.hpp"
#include "protocol/json/writer.hpp"

#include <memory>

namespace troupe::cli {

namespace {

constexpr const char* path = "/admin/v1/credentials";
constexpr const char* id_prefix = "cred_";

std::string path_of(const std::string& id) {
  return std::string{path} + '/' + encoded_segment(id);
}

cell expiry_cell(const config::node& c, std::string text) {
  if (truth_in(c, "expired"))
    return {text + ", expired", tone::bad};
  return {text.empty() ? std::string{"never"} : std::move(text)};
}

std::string draw_credential(const config::node& c, const look& l, wall_time now) {
  const auto or_all = [](std::string text) { return text.empty() ? std::string{"all"} : text; };
  sheet out;
  out.add("id", text_in(c, "id"));
  out.add("name", text_in(c, "name"));
  out.add("role", text_in(c, "role"));
  out.add("expires", expiry_cell(c, full_moment(text_in(c, "expires"), now)));
  out.add("models", or_all(texts_in(c, "models")));
  out.add("groups", or_all(texts_in(c, "groups")));
  const auto limits = limits_text(read_limits(part_of(c, "limits")));
  out.add("limits", limits.empty() ? std::string{"none"} : limits);
  out.add_if_any("note", text_in(c, "note"));
  const auto& origin = part_of(c, "origin");
  const auto source = text_in(origin, "source");
  out.add("origin", text_in(origin, "layer") + (source.empty() ? "" : " (" + source + ")"));
  out.add_if_any("created", full_moment(text_in(c, "created"), now));
  out.add_if_any("changed", full_moment(text_in(c, "changed"), now));
  out.add("revision", text_in(c, "revision"));
  return out.draw(l);
}

std::string draw_credentials(const config::node& list, const look& l, wall_time now) {
  table out{{{"ID"},
             {"NAME", false, true},
             {"ROLE"},
             {"EXPIRES"},
             {"MODELS", false, true},
             {"GROUPS", false, true},
             {"LIMITS", false, true},
             {"CREATED"}}};
  for (const auto& c : part_of(list, "credentials").items)
    out.add({text_in(c, "id"), text_in(c, "name"), text_in(c, "role"),
             expiry_cell(c, relative_moment(text_in(c, "expires"), now)), texts_in(c, "models"),
             texts_in(c, "groups"), limits_text(read_limits(part_of(c, "limits"))),
             cell{relative_moment(text_in(c, "created"), now), tone::faint}});
  return out.empty() ? std::string{} : out.draw(l);
}

struct credential_fields {
  std::optional<std::string> name, note, expires;
  std::vector<std::string> models, groups, limits;

  bool empty() const {
    return !name && !note && !expires && models.empty() && groups.empty() && limits.empty();
  }
};

void add_field_flags(command& c, credential_fields& f) {
  c.text("--note", f.note, "TEXT", "For people")
      .text("--expires", f.expires, "WHEN", "30d, 2027-01-01, an instant, or never")
      .texts("--model", f.models, "PATTERN",
             "May use these models only, * is any text; several times, replaces all; all: every")
      .texts("--group", f.groups, "NAME",
             "Is served by keys of these groups only; several times, replaces all; all: by every")
      .texts("--limit", f.limits, "[MODEL:]NAME=N",
             "rpm, tpm, input_tpm, output_tpm, rpd, tpd or concurrency; several times. "
             "NAME=none takes one away, none alone all");
}

result<void> write_fields(json::writer& out, const credential_fields& f, limit_set limits,
                          wall_time now) {
  if (f.name)
    out.member("name", *f.name);
  if (f.note) {
    out.key("note");
    if (f.note->empty())
      out.null();
    else
      out.string(*f.note);
  }
  if (f.expires) {
    const auto at = read_expiry(*f.expires, now);
    if (!at)
      return at.error();
    out.key("expires");
    if (at->empty())
      out.null();
    else
      out.string(*at);
  }
  if (!f.models.empty()) {
    out.key("models");
    write_texts(out, f.models, "all");
  }
  if (!f.groups.empty()) {
    out.key("groups");
    write_texts(out, f.groups, "all");
  }
  if (!f.limits.empty()) {
    if (auto applied = apply_limit_flags(limits, f.limits); !applied)
      return applied;
    out.key("limits");
    write_limits(out, limits);
  }
  return {};
}

/// The secret alone goes to standard output, so that it can be piped to where it is needed.
int show_made(session& s, const std::optional<told>& made) {
  if (!made)
    return s.code();
  const auto& c = part_of(made->tree, "credential");
  s.remark(text_in(c, "id") + " (" + text_in(c, "name") + ", " + text_in(c, "role")
           + "): this is the only time that its secret is shown");
  return s.show(made->body,
                [&](const look& l) { return painted(text_in(made->tree, "secret"), l) + '\n'; });
}

void add_list(command c) {
  struct flags {
    std::string role, q;
  };
  auto f = std::make_shared<flags>();
  c.text("--role", f->role, "ROLE", "client, viewer or operator")
      .text("-q,--search", f->q, "TEXT", "In name, id and note");
  c.runs([f](session& s) {
    const auto list = s.get(path + query_text({{"role", f->role}, {"q", f->q}}));
    if (!list)
      return s.code();
    s.show(list->body, [&](const look& l) { return draw_credentials(list->tree, l, s.now()); });
    const auto count = part_of(list->tree, "credentials").items.size();
    s.remark(counted(static_cast<std::int64_t>(count), "credential"));
    return s.code();
  });
}

void add_show(command c) {
  auto id = std::make_shared<std::string>();
  c.argument("id", *id, "cred_...");
  c.runs([id](session& s) {
    if (!s.is_id(*id, id_prefix))
      return s.code();
    const auto found = s.get(path_of(*id));
    if (!found)
      return s.code();
    return s.show(found->body,
                  [&](const look& l) { return draw_credential(found->tree, l, s.now()); });
  });
}

void add_add(command c) {
  struct flags {
    credential_fields fields;
    std::string name, role = "client";
  };
  auto f = std::make_shared<flags>();
  c.argument("name", f->name, "What people call it")
      .text("--role", f->role, "ROLE",
            "client: may call models; viewer, operator: of the admin port. Default client");
  add_field_flags(c, f->fields);
  c.runs([f](session& s) {
    std::string body;
    json::writer out{body};
    out.begin_object();
    out.member("name", f->name);
    out.member("role", f->role);
    if (auto written = write_fields(out, f->fields, {}, s.now()); !written)
      return s.usage(written.error().text);
    out.end_object();
    return show_made(s, s.post(path, std::move(body)));
  });
}

struct edit_flags {
  credential_fields fields;
  std::string id, if_match;
};

/// As with keys: limits that are not named stay, so those that are there are read first.
int edit_credential(session& s, const edit_flags& f) {
  if (f.fields.empty())
    return s.usage("nothing to change was given; see --help");
  if (!s.is_id(f.id, id_prefix))
    return s.code();
  limit_set before;
  auto if_match = f.if_match;
  if (!f.fields.limits.empty() && !begins_anew(f.fields.limits)) {
    const auto there = s.get(path_of(f.id));
    if (!there)
      return s.code();
    before = read_limits(part_of(there->tree, "limits"));
    if (if_match.empty())
      if_match = text_in(there->tree, "revision");
  }
  std::string body;
  json::writer out{body};
  out.begin_object();
  if (auto written = write_fields(out, f.fields, before, s.now()); !written)
    return s.usage(written.error().text);
  out.end_object();
  const auto changed = s.ask(
      {.method = "PATCH", .target = path_of(f.id), .body = std::move(body), .if_match = if_match});
  if (!changed)
    return s.code();
  return s.show(changed->body,
                [&](const look& l) { return draw_credential(changed->tree, l, s.now()); });
}

void add_edit(command c) {
  auto f = std::make_shared<edit_flags>();
  c.argument("id", f->id, "cred_...")
      .text("--name", f->fields.name, "TEXT", "What people call it")
      .text("--if-match", f->if_match, "REVISION", "Only if this is its revision");
  add_field_flags(c, f->fields);
  c.runs([f](session& s) { return edit_credential(s, *f); });
}

struct one_flags {
  std::string id, if_match;
  bool yes = false;
};

void add_revoke(command c) {
  auto f = std::make_shared<one_flags>();
  c.argument("id", f->id, "cred_...")
      .flag("--yes", f->yes, "Do not ask")
      .text("--if-match", f->if_match, "REVISION", "Only if this is its revision");
  c.runs([f](session& s) {
    if (!s.is_id(f->id, id_prefix)
        || !s.confirmed(f->yes, "Whoever uses " + f->id + " is refused from now on."))
      return s.code();
    if (s.ask({.method = "DELETE", .target = path_of(f->id), .if_match = f->if_match}))
      s.remark(f->id + " is revoked");
    return s.code();
  });
}

void add_renew(command c) {
  auto f = std::make_shared<one_flags>();
  c.argument("id", f->id, "cred_...")
      .text("--if-match", f->if_match, "REVISION", "Only if this is its revision");
  c.runs([f](session& s) {
    if (!s.is_id(f->id, id_prefix))
      return s.code();
    return show_made(
        s, s.ask({.method = "POST", .target = path_of(f->id) + ":renew", .if_match = f->if_match}));
  });
}

} // namespace

void add_credentials(command c) {
  add_list(c.sub("list", "List credentials"));
  add_show(c.sub("show", "Show one credential; its secret is kept nowhere"));
  add_add(c.sub("add", "Make a credential; its secret alone goes to standard output"));
  add_edit(c.sub("edit", "Change what a credential may do; what is not named stays"));
  add_revoke(c.sub("revoke", "End a credential; asks first"));
  add_renew(c.sub("renew", "New secret for the same credential; the old one ends"));
}

} // namespace troupe::cli
