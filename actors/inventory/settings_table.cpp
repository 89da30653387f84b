#include "actors/inventory/settings_table.hpp"

#include "protocol/json/writer.hpp"
#include "storage/core/settings_item.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

using storage::column;

constexpr std::string_view document_row = "document";
constexpr std::string_view versions = "version/";

std::string context_of(std::uint64_t revision) {
  return "settings/" + std::to_string(revision);
}

std::string changes_json(const std::vector<config::setting_change>& changes) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  for (const auto& c : changes) {
    w.foreign_key(c.path);
    w.begin_object();
    w.key("before");
    w.raw(c.before);
    w.key("after");
    w.raw(c.after);
    w.end_object();
  }
  w.end_object();
  return out;
}

std::string one_line(const std::vector<config::setting_change>& changes) {
  constexpr std::size_t named_max = 5;
  std::string out = "changed ";
  for (std::size_t i = 0; i < std::min(changes.size(), named_max); ++i)
    out += (i == 0 ? "" : ", ") + changes[i].path;
  if (changes.size() > named_max)
    out += " and " + std::to_string(changes.size() - named_max) + " more";
  return out;
}

/// Problems of a document as an admin is told of them.
refused refusal_of(const config_problems& problems) {
  refused r;
  r.reason = "invalid_request";
  r.text = "The settings are not valid; nothing was changed.";
  for (const auto& p : problems) {
    if (p.code == "fixed") {
      r.reason = "fixed";
      r.code = errc::permission;
    } else if (p.code == "invalid_json") {
      r.reason = "invalid_json";
      r.text = "The body is not JSON: " + p.text;
    }
    r.fields.push_back({p.option, p.code, p.text});
  }
  if (r.reason == "fixed")
    r.text = "A value is fixed outside of the database; nothing was changed.";
  return r;
}

} // namespace

result<std::string> settings_table::opened(std::uint64_t revision,
                                           const std::string& sealed) const {
  auto text = vault_.open_sealed(context_of(revision), sealed);
  if (!text)
    return text.error();
  return std::string{text->reveal()};
}

result<void> settings_table::load(std::vector<std::string>& warnings) {
  auto row = book_.db().get(column::settings, document_row);
  if (!row)
    return row.error();
  if (*row) {
    auto kept = storage::decode_item(document_row, **row);
    if (!kept)
      return failure{kept.error().code,
                     "the settings that were changed at run time: " + kept.error().text};
    auto item = storage::decode_settings_item(kept->payload);
    if (!item)
      return item.error();
    auto text = opened(kept->header.revision, item->sealed_document);
    if (!text)
      return failure{text.error().code,
                     "the settings that were changed at run time: " + text.error().text};
    header_ = kept->header;
    document_ = *std::move(text);
  }
  auto all = sources_;
  if (!document_.empty())
    all.database = config_text{"database", document_};
  auto loaded = config::load_with_database(all);
  if (!loaded.problems.empty()) {
    std::string words = "the configuration is not valid";
    for (const auto& p : loaded.problems)
      words += "\n  " + to_string(p);
    return failure{errc::invalid_argument, words};
  }
  // Those of file and environment were told when they were loaded.
  const auto told = load_settings(sources_).warnings;
  for (const auto& words : loaded.warnings)
    if (std::ranges::find(told, words) == told.end())
      warnings.push_back(words);
  loaded_ = std::make_shared<const loaded_settings>(std::move(loaded));
  started_ = loaded_;
  return {};
}

settings_view settings_table::view() const {
  settings_view v;
  v.revision = header_.revision;
  v.loaded = loaded_;
  v.document = document_.empty() ? "{}" : config::masked_document(document_);
  if (loaded_ != started_)
    for (auto& path : config::differing_options(*started_, *loaded_, config::applies::restart))
      v.awaiting_restart.push_back(std::move(path));
  return v;
}

std::optional<refused> settings_table::refuse_revision(const expected_revision& expected) const {
  if (!expected || *expected == header_.revision)
    return std::nullopt;
  return refused{errc::conflict,
                 "revision_mismatch",
                 "Somebody else changed the settings: they have revision "
                     + std::to_string(header_.revision) + " now.",
                 {},
                 header_.revision};
}

answer<settings_changed> settings_table::change(const change_settings& wanted, const veto& other,
                                                effects& out) {
  if (auto bad = refuse_revision(wanted.expected))
    return *std::move(bad);
  auto planned = config::plan_change(sources_, document_, wanted.patch);
  if (!planned.problems.empty())
    return refusal_of(planned.problems);
  auto what = one_line(planned.changes);
  return take(std::move(planned), {wanted.by, std::move(what), "settings.change", wanted.dry_run},
              other, out);
}

answer<settings_changed> settings_table::restore(const restore_settings& wanted, const veto& other,
                                                 effects& out) {
  if (auto bad = refuse_revision(wanted.expected))
    return *std::move(bad);
  auto document = document_of(wanted.revision);
  if (!document)
    return *std::move(document.no);
  auto planned = config::plan_document(sources_, document_, document.yes);
  if (!planned.problems.empty())
    return refusal_of(planned.problems);
  return take(std::move(planned),
              {wanted.by, "restored version " + std::to_string(wanted.revision), "settings.restore",
               wanted.dry_run},
              other, out);
}

answer<bool> settings_table::replace_with(const asker& by, const std::string& document,
                                          const veto& other, effects& out) {
  auto planned = config::plan_document(sources_, document_, document);
  if (!planned.problems.empty())
    return refusal_of(planned.problems);
  auto done =
      take(std::move(planned), {by, "restored from a backup", "settings.restore"}, other, out);
  if (!done)
    return *std::move(done.no);
  return !done.yes.changes.empty();
}

answer<settings_changed> settings_table::take(config::settings_change planned,
                                              const change_words& words, const veto& other,
                                              effects& out) {
  settings_changed done;
  done.revision = header_.revision;
  done.changes = planned.changes;
  done.warnings = planned.loaded.warnings;
  if (auto no = other(planned.loaded.values))
    return *std::move(no);
  if (planned.changes.empty() || words.dry_run)
    return done;
  const auto header = book_.next(header_.revision != 0 ? &header_ : nullptr);
  storage::settings_item item;
  item.sealed_document = vault_.seal(context_of(header.revision), planned.document);
  item.who = words.by.who;
  item.from = words.by.from;
  item.what = words.what;
  storage::write_batch batch;
  for (const auto& row : {std::string{document_row}, storage::version_row(header.revision)})
    batch.put(column::settings, row, row_value(row, header, item));
  if (header.revision > versions_max)
    batch.erase(column::settings, storage::version_row(header.revision - versions_max));
  book_.audit(
      batch, words.by,
      {words.action, "settings", header_.revision, header.revision, changes_json(done.changes)});
  if (auto written = book_.commit(batch); !written)
    return troupe::refusal_of(written.error());
  header_ = header;
  document_ = std::move(planned.document);
  loaded_ = std::make_shared<const loaded_settings>(std::move(planned.loaded));
  done.revision = header.revision;
  out.settings = true;
  return done;
}

std::string settings_table::row_value(std::string_view row, const storage::item_header& header,
                                      const storage::settings_item& item) const {
  return storage::encode_item(row, header, encode(item));
}

answer<std::string> settings_table::document_of(std::uint64_t revision) const {
  if (revision == 0)
    return std::string{};
  const auto row = storage::version_row(revision);
  auto bytes = book_.db().get(column::settings, row);
  if (!bytes)
    return troupe::refusal_of(bytes.error());
  if (!*bytes)
    return refused{errc::not_found,
                   "not_found",
                   "There is no version " + std::to_string(revision) + " of the settings.",
                   {},
                   0};
  auto kept = storage::decode_item(row, **bytes);
  if (!kept)
    return troupe::refusal_of(kept.error());
  auto item = storage::decode_settings_item(kept->payload);
  if (!item)
    return troupe::refusal_of(item.error());
  auto text = opened(revision, item->sealed_document);
  if (!text)
    return troupe::refusal_of(text.error());
  return *std::move(text);
}

answer<settings_history> settings_table::history(const get_settings_history& query) const {
  settings_history h;
  const auto limit = std::clamp<std::uint32_t>(query.limit, 1, 1'000);
  const auto below = query.before == 0 ? std::string{} : storage::version_row(query.before);
  auto read = book_.db().for_each_backwards(
      column::settings, versions, below, [&](std::string_view row, std::string_view bytes) {
        auto kept = storage::decode_item(row, bytes);
        auto item = kept ? storage::decode_settings_item(kept->payload)
                         : result<storage::settings_item>{kept.error()};
        if (!item)
          return true; // one damaged version hides no other
        if (h.versions.size() == limit) {
          h.more = true;
          return false;
        }
        settings_version v;
        v.revision = kept->header.revision;
        v.at_ms = kept->header.changed_at_ms;
        v.who = std::move(item->who);
        v.from = std::move(item->from);
        v.what = std::move(item->what);
        auto text = opened(v.revision, item->sealed_document);
        v.document = text ? config::masked_document(*text) : "{}";
        h.versions.push_back(std::move(v));
        return true;
      });
  if (!read)
    return troupe::refusal_of(read.error());
  return h;
}

answer<settings_diff> settings_table::diff(const diff_settings& query) const {
  auto from = document_of(query.from);
  if (!from)
    return *std::move(from.no);
  auto to = document_of(query.to);
  if (!to)
    return *std::move(to.no);
  return settings_diff{config::diff_documents(from.yes, to.yes)};
}

answer<std::uint64_t> settings_table::reseal(std::size_t most) {
  storage::write_batch batch;
  const auto visit = [&](std::string_view row, std::string_view bytes) {
    if (row != document_row && !row.starts_with(versions))
      return true;
    auto kept = storage::decode_item(row, bytes);
    auto item = kept ? storage::decode_settings_item(kept->payload)
                     : result<storage::settings_item>{kept.error()};
    if (!item || !vault_.is_stale(item->sealed_document))
      return true;
    const auto revision = kept->header.revision;
    auto text = opened(revision, item->sealed_document);
    if (!text)
      return true;
    item->sealed_document = vault_.seal(context_of(revision), *text);
    batch.put(column::settings, std::string{row}, row_value(row, kept->header, *item));
    return batch.size() < most;
  };
  if (auto read = book_.db().for_each(column::settings, {}, visit); !read)
    return troupe::refusal_of(read.error());
  if (batch.empty())
    return std::uint64_t{0};
  if (auto written = book_.commit(batch); !written)
    return troupe::refusal_of(written.error());
  return std::uint64_t{batch.size()};
}

} // namespace troupe
