#include "actors/cli/groups.hpp"

#include "actors/cli/core/answer_tree.hpp"
#include "actors/cli/core/query.hpp"
#include "actors/cli/job_run.hpp"
#include "actors/cli/key_flags.hpp"
#include "actors/cli/key_views.hpp"
#include "actors/cli/keys_bulk.hpp"
#include "actors/cli/pages.hpp"

#include <memory>
#include <ostream>

// Keys one at a time, lists of them, and texts full of them. Changes of many: keys_bulk.cpp.

namespace troupe::cli {

namespace {

constexpr std::size_t import_bytes_max = std::size_t{32} * 1024 * 1024; ///< the API's own bound
constexpr std::size_t secret_bytes_max = 64 * 1024;

struct list_flags {
  key_filter filter;
  std::string sort;
  page_flags pages;
};

int list_keys(session& s, const list_flags& told) {
  auto query = query_of(told.filter);
  query.emplace_back("sort", told.sort);
  const auto page = read_pages(s, "/admin/v1/keys", query, "keys", told.pages);
  if (!page)
    return s.code();
  s.show(page->body, [&](const look& l) { return draw_keys(page->tree, l, s.now()); });
  const auto listed = static_cast<std::int64_t>(part_of(page->tree, "keys").items.size());
  const auto matched = whole_in(page->tree, "matched"), total = whole_in(page->tree, "total");
  auto text = grouped(listed) + " of " + counted(matched, "key");
  if (matched != total)
    text += ", " + grouped(total) + " without the filter";
  if (page->tree.find("next") != nullptr && !text_in(page->tree, "next").empty())
    text += "; --all lists all, --after " + text_in(page->tree, "next") + " goes on";
  s.remark(text);
  return s.code();
}

void add_list(command c) {
  auto told = std::make_shared<list_flags>();
  auto& f = told->filter;
  c.text("-q,--search", f.q, "TEXT", "In name, id, note and tags")
      .texts("--state", f.states, "STATE", "ready, cooling, probing or disabled; several times")
      .texts("--reason", f.reasons, "REASON", "Why it is not ready: quota_day, invalid, ...")
      .text("--upstream", f.upstream, "NAME", "Of this upstream")
      .text("--group", f.group, "NAME", "Of this group")
      .text("--tag", f.tag, "TEXT", "With this tag")
      .text("--sort", told->sort, "FIELD",
            "created, name, id, state, upstream, tier or last_used; -FIELD: descending");
  add_page_flags(c, told->pages);
  c.runs([told](session& s) { return list_keys(s, *told); });
}

void add_show(command c) {
  auto id = std::make_shared<std::string>();
  c.argument("id", *id, "key_...");
  c.runs([id](session& s) {
    if (!s.is_id(*id, "key_"))
      return s.code();
    const auto key = s.get("/admin/v1/keys/" + encoded_segment(*id));
    if (!key)
      return s.code();
    return s.show(key->body, [&](const look& l) { return draw_key(key->tree, l, s.now()); });
  });
}

struct add_flags {
  key_field_flags fields;
  std::string secret_file;
};

/// From a file, from standard input, or typed unseen. Never from an argument: every user of a
/// machine can list those.
std::optional<secret> read_secret(session& s, const std::string& file) {
  std::string text;
  if (file.empty() && s.around().terminal.in) {
    text = s.around().read_line("the key (not shown): ", true).value_or("");
    s.around().err << '\n';
  } else {
    auto read = read_text(s, file.empty() ? "-" : file, secret_bytes_max);
    if (!read)
      return std::nullopt;
    text = std::move(*read);
  }
  text = without_blanks_around(text);
  if (text.empty()) {
    s.usage("no key was given: it comes from standard input or by --secret-file");
    return std::nullopt;
  }
  if (text.find_first_of(" \t\r\n") != std::string::npos) {
    s.usage("that is more than one key; `troupe keys import` takes many");
    return std::nullopt;
  }
  return secret{std::move(text)};
}

int add_key(session& s, const add_flags& told) {
  const auto fields = read_key_fields(s, told.fields);
  if (!fields)
    return s.code();
  const auto characters = read_secret(s, told.secret_file);
  if (!characters)
    return s.code();
  auto body = new_key_body(*characters, *fields);
  if (!body)
    return s.usage(body.error().text);
  const auto key = s.post("/admin/v1/keys", std::move(*body));
  if (!key)
    return s.code();
  return s.show(key->body, [&](const look& l) { return draw_key(key->tree, l, s.now()); });
}

void add_add(command c) {
  auto told = std::make_shared<add_flags>();
  c.text("--secret-file", told->secret_file, "FILE",
         "Holds the key; else it comes from standard input");
  add_key_field_flags(c, told->fields);
  c.runs([told](session& s) { return add_key(s, *told); });
}

struct import_flags {
  std::string file, upstream;
  std::vector<std::string> groups, tags;
  bool dry_run = false;
};

int import_keys(session& s, const import_flags& told) {
  auto text = read_text(s, told.file, import_bytes_max);
  if (!text)
    return s.code();
  if (text->empty())
    return s.usage("there is nothing to import");
  const auto query = query_text({{"upstream", told.upstream},
                                 {"group", joined(told.groups)},
                                 {"tag", joined(told.tags)},
                                 {"dry_run", told.dry_run ? "true" : ""}});
  api_request request{.method = "POST", .target = "/admin/v1/keys:import" + query};
  request.body = std::move(*text);
  request.content_type = "text/plain; charset=utf-8";
  const auto end = run_job(s, request);
  if (!end)
    return s.code();
  const auto& report = part_of(job_in(end->tree), "report");
  if (whole_in(report, "refused") > 0)
    s.fail_with(refused);
  return s.show(end->body, [&](const look& l) { return draw_import_report(report, l); });
}

void add_import(command c) {
  auto told = std::make_shared<import_flags>();
  c.argument("file", told->file, "Text with keys and anything between them; - is standard input")
      .text("--upstream", told->upstream, "NAME", "Whose keys these are")
      .texts("--group", told->groups, "NAME", "Of the new keys; several times")
      .texts("--tag", told->tags, "TEXT", "Of the new keys; several times")
      .flag("--dry-run", told->dry_run, "Tell what would be done, and do nothing");
  c.runs([told](session& s) { return import_keys(s, *told); });
}

} // namespace

void add_keys(command c) {
  add_list(c.sub("list", "List keys"));
  add_show(c.sub("show", "Show one key in full"));
  add_add(c.sub("add", "Add a key, which comes from standard input: troupe keys add < key.txt"));
  add_import(c.sub("import", "Add all keys that are in a text"));
  add_key_changes(c);
}

} // namespace troupe::cli
