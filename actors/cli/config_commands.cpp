#include "actors/cli/groups.hpp"

#include "actors/cli/config_views.hpp"
#include "actors/cli/core/answer_tree.hpp"
#include "actors/cli/core/query.hpp"
#include "actors/cli/core/settings_patch.hpp"
#include "actors/cli/key_flags.hpp"
#include "actors/cli/pages.hpp"

#include <algorithm>
#include <memory>

namespace troupe::cli {

namespace {

constexpr const char* path = "/admin/v1/settings";
constexpr std::size_t patch_bytes_max = 1024 * 1024; ///< the API's own bound

struct change_flags {
  bool dry_run = false;
  std::string if_match;
};

void add_change_flags(command& c, change_flags& f) {
  c.flag("--dry-run", f.dry_run, "Tell what would change, and change nothing")
      .text("--if-match", f.if_match, "REVISION", "Only if this is the revision of the settings");
}

int change(session& s, const change_flags& f, std::string method, std::string target,
           std::string body) {
  const auto answer = s.ask({.method = std::move(method),
                             .target = std::move(target) + (f.dry_run ? "?dry_run=true" : ""),
                             .body = std::move(body),
                             .if_match = f.if_match});
  if (!answer)
    return s.code();
  for (const auto& warning : part_of(answer->tree, "warnings").items)
    s.remark("warning: " + value_text(warning));
  return s.show(answer->body,
                [&](const look& l) { return draw_changes(answer->tree, f.dry_run, l); });
}

int patch(session& s, const change_flags& f, result<std::string> body) {
  if (!body)
    return s.usage(body.error().text);
  return change(s, f, "PATCH", path, std::move(*body));
}

void add_show(command c) {
  struct flags {
    std::string prefix;
    bool origin = false;
  };
  auto f = std::make_shared<flags>();
  c.argument("prefix", f->prefix, "Only options that begin so: pool.", false)
      .flag("--origin", f->origin, "Also where each value is from");
  c.runs([f](session& s) {
    bool nobody = false;
    const auto answer =
        s.ask_unless_nobody({.target = path + query_text({{"prefix", f->prefix}})}, nobody);
    if (nobody)
      return show_without_node(s, f->prefix, f->origin);
    if (!answer)
      return s.code();
    s.show(answer->body, [&](const look& l) { return draw_settings(answer->tree, f->origin, l); });
    if (const auto waiting = texts_in(answer->tree, "awaiting_restart"); !waiting.empty())
      s.remark("not in force before a restart: " + waiting);
    return s.code();
  });
}

void add_set(command c) {
  struct flags {
    std::vector<std::string> words;
    change_flags change;
  };
  auto f = std::make_shared<flags>();
  c.arguments("path-value", f->words, "An option and its value, any number of pairs");
  add_change_flags(c, f->change);
  c.runs([f](session& s) {
    if (f->words.size() % 2 != 0)
      return s.usage("a value is missing: `config set` takes pairs of an option and its value");
    std::vector<std::pair<std::string, std::string>> pairs;
    for (std::size_t i = 0; i < f->words.size(); i += 2)
      pairs.emplace_back(f->words[i], f->words[i + 1]);
    return patch(s, f->change, patch_of(pairs));
  });
}

void add_unset(command c) {
  struct flags {
    std::vector<std::string> paths;
    change_flags change;
  };
  auto f = std::make_shared<flags>();
  c.arguments("path", f->paths, "Options, one or several");
  add_change_flags(c, f->change);
  c.runs([f](session& s) { return patch(s, f->change, patch_without(f->paths)); });
}

void add_patch(command c) {
  struct flags {
    std::string file;
    change_flags change;
  };
  auto f = std::make_shared<flags>();
  c.argument("file", f->file,
             "JSON in the shape of the configuration file, comments allowed; "
             "null takes a value out; - is standard input");
  add_change_flags(c, f->change);
  c.runs([f](session& s) {
    const auto text = read_text(s, f->file, patch_bytes_max);
    if (!text)
      return s.code();
    config_problems problems;
    const auto tree = config::read_document(*text, f->file, problems);
    if (!tree || !problems.empty())
      return s.usage(problems.empty() ? f->file + ": is no JSON" : to_string(problems.front()));
    return change(s, f->change, "PATCH", path, config::write_json(*tree));
  });
}

void add_history(command c) {
  auto f = std::make_shared<page_flags>();
  add_page_flags(c, *f);
  c.runs([f](session& s) {
    const auto page = read_pages(s, std::string{path} + "/history", {}, "versions", *f);
    if (!page)
      return s.code();
    return s.show(page->body, [&](const look& l) { return draw_history(page->tree, l, s.now()); });
  });
}

void add_diff(command c) {
  struct flags {
    std::string from, to;
  };
  auto f = std::make_shared<flags>();
  c.argument("from", f->from, "A revision; 0: nothing was ever changed")
      .argument("to", f->to, "Another one; the present one if it is left out", false);
  c.runs([f](session& s) {
    auto to = f->to;
    if (to.empty()) {
      // Any prefix that no option has: only the revision is wanted.
      const auto now = s.get(std::string{path} + "?prefix=-");
      if (!now)
        return s.code();
      to = text_in(now->tree, "revision");
    }
    const auto answer =
        s.get(std::string{path} + "/diff" + query_text({{"from", f->from}, {"to", to}}));
    if (!answer)
      return s.code();
    return s.show(answer->body, [&](const look& l) { return draw_differences(answer->tree, l); });
  });
}

void add_restore_revision(command c) {
  struct flags {
    std::string revision;
    change_flags change;
  };
  auto f = std::make_shared<flags>();
  c.argument("revision", f->revision, "Whose values are to be in force again, as a new revision");
  add_change_flags(c, f->change);
  c.runs([f](session& s) {
    const auto& text = f->revision;
    if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos)
      return s.usage("the revision must be a whole number");
    const auto digits = text.substr(std::min(text.find_first_not_of('0'), text.size() - 1));
    return change(s, f->change, "POST", std::string{path} + ":restore",
                  R"({"revision":)" + digits + "}");
  });
}

} // namespace

void add_config(command c) {
  add_show(c.sub("show", "Show the options and their values"));
  add_set(c.sub("set", "Change options: config set pool.attempts_max 5"));
  add_unset(c.sub("unset", "Back to what file and defaults say"));
  add_patch(c.sub("patch", "Change options as a file says"));
  add_history(c.sub("history", "List what was changed, when and by whom"));
  add_diff(c.sub("diff", "Show what differs between two revisions"));
  add_restore_revision(c.sub("restore", "Back to the values of a revision"));
}

} // namespace troupe::cli
