#include "actors/cli/groups.hpp"

#include "actors/cli/core/answer_tree.hpp"
#include "actors/cli/job_run.hpp"
#include "protocol/json/writer.hpp"
#include "storage/store.hpp"

#include <filesystem>
#include <memory>

// Copies of all that a node keeps, and new locks for its secrets.

namespace troupe::cli {

namespace {

/// The directory as the node is to be told. Relative ones are of this process, so they make sense
/// only on this machine. Nothing: it makes none, which was told.
std::optional<std::string> absolute(session& s, const std::string& directory) {
  const auto* target = s.target();
  if (target == nullptr)
    return std::nullopt;
  const std::filesystem::path path{directory};
  if (path.is_absolute())
    return path.lexically_normal().string();
  if (!target->local) {
    s.usage("the directory is one of the node's machine: it must begin with /");
    return std::nullopt;
  }
  return (std::filesystem::path{s.around().directory} / path).lexically_normal().string();
}

std::string directory_body(const std::string& directory) {
  std::string body;
  json::writer out{body};
  out.begin_object();
  out.member("directory", directory);
  out.end_object();
  return body;
}

int back_up(session& s, const std::string& told) {
  const auto directory = absolute(s, told);
  if (!directory)
    return s.code();
  const auto end = run_job(
      s, {.method = "POST", .target = "/admin/v1/backup", .body = directory_body(*directory)});
  if (!end)
    return s.code();
  const auto& report = part_of(job_in(end->tree), "report");
  return s.show(end->body, [&](const look& l) {
    if (s.code() != done)
      return std::string{};
    return "backup " + text_in(report, "number") + " in " + painted(*directory, l) + ", "
           + size_text(whole_in(report, "bytes")) + "; "
           + counted(whole_in(report, "backups"), "backup") + " there\n";
  });
}

std::string draw_restored(const config::node& report) {
  const auto three = [&](const std::string& of, const char* a, const char* b, const char* c) {
    return grouped(whole_in(report, of + '_' + a)) + ' ' + a + ", "
           + grouped(whole_in(report, of + '_' + b)) + ' ' + b + ", "
           + grouped(whole_in(report, of + '_' + c)) + ' ' + c + '\n';
  };
  return "keys: " + three("keys", "added", "changed", "deleted")
         + "credentials: " + three("credentials", "added", "changed", "revoked")
         + (truth_in(report, "settings_changed") ? "settings: changed\n"
                                                 : "settings: as they were\n");
}

int restore_offline(session& s, const std::string& from, bool yes) {
  const auto& to = s.target()->data_dir;
  s.remark("no node answers at " + s.target()->name);
  if (!s.confirmed(yes, "Put the newest backup of " + from + " into the data directory " + to + "?",
                   "restore"))
    return s.code();
  if (const auto restored = storage::restore_backup(from, to); !restored) {
    const auto code = restored.error().code == errc::not_found ? not_found : refused;
    return s.fail(code, to_string(restored.error().code), restored.error().text);
  }
  s.remark("restored; what was there is kept beside it");
  return s.code();
}

struct restore_flags {
  std::string directory;
  bool yes = false;
};

/// Asks after it is known who is to do it: the two do not do the same.
int restore(session& s, const restore_flags& f) {
  const auto directory = absolute(s, f.directory);
  if (!directory)
    return s.code();
  bool nobody = false;
  const auto me = s.ask_unless_nobody({.target = "/admin/v1/whoami"}, nobody);
  if (nobody)
    return restore_offline(s, *directory, f.yes);
  if (!me)
    return s.code();
  if (!s.confirmed(f.yes,
                   "Settings, keys and credentials of the running node become those of the newest "
                   "backup in "
                       + *directory + '.',
                   "restore"))
    return s.code();
  const auto end = run_job(
      s, {.method = "POST", .target = "/admin/v1/restore", .body = directory_body(*directory)});
  if (!end)
    return s.code();
  return s.show(end->body, [&](const look&) {
    return s.code() == done ? draw_restored(part_of(job_in(end->tree), "report")) : std::string{};
  });
}

int rotate(session& s) {
  const auto end = run_job(s, {.method = "POST", .target = "/admin/v1/secrets:rotate"});
  if (!end)
    return s.code();
  const auto& report = part_of(job_in(end->tree), "report");
  return s.show(end->body, [&](const look& l) {
    if (s.code() != done)
      return std::string{};
    return counted(whole_in(report, "resealed"), "secret") + " sealed anew with data key "
           + text_in(report, "data_key")
           + "; master key: " + painted(text_in(report, "master_origin"), l) + '\n';
  });
}

} // namespace

void add_backup(command c) {
  auto directory = std::make_shared<std::string>();
  c.argument("directory", *directory,
             "Of the node's machine; empty, or with earlier backups, of which seven are kept");
  c.runs([directory](session& s) { return back_up(s, *directory); });
}

void add_restore(command c) {
  auto f = std::make_shared<restore_flags>();
  c.argument("directory", f->directory, "With backups; the newest one counts")
      .flag("--yes", f->yes, "Do not ask");
  c.runs([f](session& s) { return restore(s, *f); });
}

void add_secrets(command c) {
  c.sub("rotate", "A new data key, a new master key if it is a file; seals all secrets anew")
      .runs(&rotate);
}

} // namespace troupe::cli
