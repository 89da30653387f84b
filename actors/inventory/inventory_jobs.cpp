#include "actors/core/key_text.hpp"
#include "actors/inventory/inventory.hpp"
#include "protocol/json/writer.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

// Long work, in steps that leave room for everybody else between them.

namespace troupe {

namespace {

constexpr std::size_t keys_step = 500;
constexpr std::size_t failures_max = 1'000;

struct import_state {
  asker by;
  key_text text;
  key_fields fields;
  bool dry_run = false;
  std::size_t at = 0;
  import_count count;
};

std::string report_of(const import_state& s) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.key("added");
  w.integer(s.count.added);
  w.key("already_there");
  w.integer(s.count.already_there);
  w.key("repeated");
  w.integer(s.text.repeated);
  w.key("refused");
  w.integer(s.text.refused);
  w.key("refusals");
  w.begin_array();
  for (const auto& r : s.text.refusals) {
    w.begin_object();
    w.key("line");
    w.integer(r.line);
    w.member("reason", r.reason);
    w.end_object();
  }
  w.end_array();
  w.boolean_member("dry_run", s.dry_run);
  w.end_object();
  return out;
}

struct bulk_state {
  change_keys wanted;
  std::vector<std::uint64_t> ids;
  std::size_t at = 0;
  std::vector<key_table::failed_key> failures;
};

std::string report_of(const bulk_state& s) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.key("matched");
  w.integer(s.ids.size());
  w.key("changed");
  w.integer(s.at - std::min(s.at, s.failures.size()));
  w.key("failed");
  w.integer(s.failures.size());
  w.key("failures");
  w.begin_array();
  for (std::size_t i = 0; i < std::min(s.failures.size(), failures_max); ++i) {
    w.begin_object();
    w.member("id", id_text(s.failures[i].id));
    w.member("reason", s.failures[i].reason);
    w.end_object();
  }
  w.end_array();
  w.end_object();
  return out;
}

/// Absolute, and not among what the node itself keeps and cleans up.
bool usable(const std::string& directory, const std::string& data_dir) {
  if (!directory.starts_with('/') || directory.find('\0') != std::string::npos)
    return false;
  std::error_code ignored;
  const auto own = std::filesystem::weakly_canonical(data_dir, ignored);
  const auto there = std::filesystem::weakly_canonical(directory, ignored);
  return std::mismatch(own.begin(), own.end(), there.begin(), there.end()).first != own.end();
}

std::string directory_json(const std::string& directory) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.member("directory", directory);
  w.end_object();
  return out;
}

refused not_usable() {
  return {errc::invalid_argument,
          "invalid_request",
          "The directory cannot be used.",
          {{"directory", "invalid_value",
            "must be an absolute path on the node's machine, outside of its data directory"}},
          0};
}

} // namespace

void inventory::step() {
  auto now = std::move(work_.front());
  work_.pop_front();
  if (!now())
    work_.push_back(std::move(now));
}

std::optional<refused> inventory::refuse_second(std::string_view kind) const {
  if (parts_.jobs.running(kind) == 0)
    return std::nullopt;
  return refused{errc::conflict, "busy", "A job of this kind is running; wait for its end.", {}, 0};
}

answer<job_ticket> inventory::begin(std::string kind, const asker& by, std::uint64_t total,
                                    std::function<work_step(std::uint64_t)> make) {
  const auto job = parts_.jobs.begin(std::move(kind), by.who, total);
  work_.push_back(make(job));
  return job_ticket{job};
}

answer<job_ticket> inventory::ask(const import_keys& q) {
  if (auto bad = keys_.refuse(q.fields))
    return *std::move(bad);
  auto s = std::make_shared<import_state>();
  s->by = q.by;
  s->text = find_keys(q.text.reveal());
  s->fields = q.fields;
  s->dry_run = q.dry_run;
  return begin("keys.import", q.by, s->text.keys.size(), [this, s](std::uint64_t job) {
    return [this, s, job] {
      const auto total = s->text.keys.size();
      const auto begin = s->text.keys.begin() + static_cast<std::ptrdiff_t>(s->at);
      const auto many = std::min(keys_step, total - s->at);
      if (auto bad = keys_.refuse(s->fields)) { // an upstream may have gone meanwhile
        parts_.jobs.end(job, job_state::failed, report_of(*s), bad->text);
        return true;
      }
      effects e;
      auto done = keys_.import_some(s->by, {begin, begin + static_cast<std::ptrdiff_t>(many)},
                                    s->fields, s->dry_run, e);
      carry_out(e);
      if (!done) {
        parts_.jobs.end(job, job_state::failed, report_of(*s), done.no->text);
        return true;
      }
      s->at += many;
      s->count.added += done.yes.added;
      s->count.already_there += done.yes.already_there;
      const bool go_on = parts_.jobs.progress(job, s->at, total);
      if (s->at == total)
        parts_.jobs.end(job, job_state::done, report_of(*s));
      else if (!go_on)
        parts_.jobs.end(job, job_state::cancelled, report_of(*s));
      return s->at == total || !go_on;
    };
  });
}

answer<job_ticket> inventory::ask(const change_keys& q) {
  if (auto bad = keys_.refuse(q.fields))
    return *std::move(bad);
  auto s = std::make_shared<bulk_state>();
  s->wanted = q;
  const auto briefs = needs_briefs(q.filter, key_sort::id) ? door_->briefs() : key_briefs{};
  s->ids = matching_keys(keys_, briefs, q.filter);
  return begin("keys.bulk", q.by, s->ids.size(), [this, s](std::uint64_t job) {
    return [this, s, job] {
      const auto total = s->ids.size();
      const auto begin = s->ids.begin() + static_cast<std::ptrdiff_t>(s->at);
      const auto many = std::min(keys_step, total - s->at);
      const std::vector<std::uint64_t> ids(begin, begin + static_cast<std::ptrdiff_t>(many));
      effects e;
      const bool stored = s->wanted.action != bulk_action::pause;
      auto done = stored ? keys_.change_some(s->wanted.by, ids, s->wanted, s->failures, e)
                         : answer<nothing>{};
      carry_out(e);
      if (!done) {
        parts_.jobs.end(job, job_state::failed, report_of(*s), done.no->text);
        return true;
      }
      s->at += many;
      const bool ordered = bulk_orders(s->wanted, ids, s->failures);
      const bool go_on = parts_.jobs.progress(job, s->at, total);
      if (!ordered)
        parts_.jobs.end(job, job_state::failed, report_of(*s),
                        "the disk did not take what was changed");
      else if (s->at == total)
        parts_.jobs.end(job, job_state::done, report_of(*s));
      else if (!go_on)
        parts_.jobs.end(job, job_state::cancelled, report_of(*s));
      return !ordered || s->at == total || !go_on;
    };
  });
}

/// What a change in bulk asks of the keys' health. False: it could not be noted.
bool inventory::bulk_orders(const change_keys& q, const std::vector<std::uint64_t>& ids,
                            std::vector<key_table::failed_key>& failures) {
  key_order order{};
  switch (q.action) {
  case bulk_action::enable:
    order = key_order::enable;
    break;
  case bulk_action::pause:
    order = key_order::pause;
    break;
  case bulk_action::reset:
    order = key_order::reset;
    break;
  case bulk_action::disable:
  case bulk_action::erase:
  case bulk_action::edit:
    return true;
  }
  for (const auto id : ids) {
    const auto* e = keys_.find(id);
    if (e == nullptr || !keys_.served(*e))
      continue;
    if (auto done = door_->order(order, id, q.pause_ms); !done)
      failures.push_back({id, done.error().text});
  }
  if (!door_->flush_states())
    return false;
  if (q.action == bulk_action::enable)
    return true; // noted with the change of the records
  storage::write_batch batch;
  book_.audit(batch, q.by,
              {q.action == bulk_action::pause ? "keys.pause" : "keys.reset",
               {},
               0,
               0,
               "{\"keys\":" + std::to_string(ids.size()) + '}'});
  return book_.commit(batch).has_value();
}

answer<job_ticket> inventory::ask(const back_up& q) {
  if (!usable(q.directory, parts_.data_dir))
    return not_usable();
  if (auto busy = refuse_second("backup"))
    return *std::move(busy);
  storage::write_batch batch;
  book_.audit(batch, q.by, {"backup", {}, 0, 0, directory_json(q.directory)});
  if (auto written = book_.commit(batch); !written)
    return refusal_of(written.error());
  const auto job = parts_.jobs.begin("backup", q.by.who);
  if (copying_.joinable())
    copying_.join();
  const auto copy = [&db = parts_.db, &jobs = parts_.jobs, job, directory = q.directory] {
    auto done = db.backup(directory);
    if (!done)
      return jobs.end(job, job_state::failed, "{}", done.error().text);
    jobs.end(job, job_state::done,
             "{\"number\":" + std::to_string(done->number)
                 + ",\"bytes\":" + std::to_string(done->bytes)
                 + ",\"backups\":" + std::to_string(done->backups) + '}');
  };
  try {
    copying_ = std::thread(copy);
  } catch (const std::system_error& e) {
    parts_.jobs.end(job, job_state::failed, "{}", std::string{"no thread can be had: "} + e.what());
  }
  return job_ticket{job};
}

answer<job_ticket> inventory::ask(const restore_from& q) {
  if (!usable(q.directory, parts_.data_dir))
    return not_usable();
  return begin("restore", q.by, 0, [this, q](std::uint64_t job) {
    return [this, q, job] {
      if (auto bad = restore_now(job, q))
        parts_.jobs.end(job, job_state::failed, "{}", bad->text);
      return true;
    };
  });
}

answer<job_ticket> inventory::ask(const rotate_secrets& q) {
  if (auto busy = refuse_second("secrets.rotate"))
    return *std::move(busy);
  storage::write_batch batch;
  book_.audit(batch, q.by,
              {"secrets.rotate",
               {},
               0,
               0,
               "{\"data_key\":" + std::to_string(parts_.vault->data_key()) + '}'});
  if (auto written = book_.commit(batch); !written)
    return refusal_of(written.error());
  if (auto turned = parts_.vault->rotate(); !turned)
    return refusal_of(turned.error());
  auto sealed = std::make_shared<std::uint64_t>(0);
  return begin("secrets.rotate", q.by, 0, [this, sealed](std::uint64_t job) {
    return [this, sealed, job] {
      const auto fail = [&](const std::string& why) {
        parts_.jobs.end(job, job_state::failed, "{}", why + "; ask again to go on");
        return true;
      };
      auto done = settings_.reseal(keys_step);
      if (done && done.yes == 0)
        done = keys_.reseal(keys_step);
      if (!done)
        return fail(done.no->text);
      *sealed += done.yes;
      parts_.jobs.progress(job, *sealed, 0);
      if (done.yes != 0)
        return false;
      if (auto retired = parts_.vault->retire(); !retired)
        return fail(retired.error().text);
      std::string report;
      json::writer w{report};
      w.begin_object();
      w.key("resealed");
      w.integer(*sealed);
      w.key("data_key");
      w.integer(parts_.vault->data_key());
      w.member("master_origin", parts_.vault->master_origin());
      w.end_object();
      parts_.jobs.end(job, job_state::done, std::move(report));
      return true;
    };
  });
}

} // namespace troupe
