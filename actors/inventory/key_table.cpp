#include "actors/inventory/key_table.hpp"

#include "actors/core/key_text.hpp"
#include "http/core/credentials.hpp"
#include "protocol/base/key_id.hpp"
#include "storage/core/record_layout.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

using storage::column;

refused not_there() {
  return {errc::not_found, "not_found", "There is no such key.", {}, 0};
}

} // namespace

std::string key_table::secret_context(std::uint64_t id) {
  return "keys/" + id_text(id) + "/secret";
}

std::string key_table::proxy_context(std::uint64_t id) {
  return "keys/" + id_text(id) + "/proxy";
}

result<void> key_table::load(std::vector<configured_key> configured,
                             std::vector<std::string>& warnings) {
  for (auto& k : configured) {
    entry e;
    e.characters = std::move(k.characters);
    e.item.upstream = std::move(k.upstream);
    e.origin = k.origin;
    e.origin_text = std::move(k.origin_text);
    e.fallback_name = std::move(k.name);
    put(k.id, std::move(e));
  }
  std::size_t kept_away = 0;
  auto read =
      book_.db().for_each(column::keys, {}, [&](std::string_view row, std::string_view bytes) {
        const auto id = storage::key_of_row(row);
        auto item = storage::decode_item(row, bytes);
        if (id == 0 || !item) {
          warnings.push_back(
              "a key's row cannot be read and is left out: "
              + (item ? std::string{"its name is none of a key"} : item.error().text));
          return true;
        }
        const auto known = entries_.find(id);
        if (item->header.deleted) {
          tombstones_[id] = item->header;
          if (known != entries_.end() && known->second.origin == item_origin::file) {
            take_out(id);
            ++kept_away;
          }
          return true;
        }
        auto e = read_row(id, *item);
        if (!e) {
          warnings.push_back(id_text(id) + " is left out: " + e.error().text);
          return true;
        }
        if (known != entries_.end()) {
          const bool own_secret = !e->characters.empty();
          e->characters = std::move(known->second.characters);
          e->fallback_name = std::move(known->second.fallback_name);
          if (!own_secret || known->second.origin == item_origin::environment) {
            e->origin = known->second.origin;
            e->origin_text = std::move(known->second.origin_text);
          }
          put(id, *std::move(e));
        } else if (!e->characters.empty()) {
          put(id, *std::move(e));
        } else {
          tombstones_[id] = item->header; // edits of a key that is no longer configured
        }
        return true;
      });
  if (kept_away != 0)
    warnings.push_back(std::to_string(kept_away)
                       + " keys of the configuration file stay away: they were deleted while a "
                         "node ran; add them again to have them back");
  return read;
}

result<key_table::entry> key_table::read_row(std::uint64_t id, const storage::item_row& row) const {
  auto item = storage::decode_key_item(row.payload);
  if (!item)
    return item.error();
  entry e;
  e.header = row.header;
  if (!item->sealed_secret.empty()) {
    auto opened = vault_.open_sealed(secret_context(id), item->sealed_secret);
    if (!opened)
      return opened.error();
    e.characters = *std::move(opened);
    e.own_secret = true;
  }
  if (!item->proxy_sealed.empty()) {
    auto opened = vault_.open_sealed(proxy_context(id), item->proxy_sealed);
    if (!opened)
      return opened.error();
    e.proxy = *std::move(opened);
  }
  e.item = *std::move(item);
  e.item.sealed_secret.clear();
  e.item.proxy_sealed.clear();
  return e;
}

std::string key_table::row_value(std::uint64_t id, const entry& e) const {
  auto item = e.item;
  if (e.own_secret)
    item.sealed_secret = vault_.seal(secret_context(id), e.characters.reveal());
  if (!e.proxy.empty())
    item.proxy_sealed = vault_.seal(proxy_context(id), e.proxy.reveal());
  return storage::encode_item(storage::row_of(id), e.header, encode(item));
}

void key_table::stage(staging& s, std::uint64_t id, const entry* before, entry after) const {
  const auto grave = tombstones_.find(id);
  const auto* last = before != nullptr && before->header.revision != 0 ? &before->header
                     : grave != tombstones_.end()                      ? &grave->second
                                                                       : nullptr;
  after.header = book_.next(last);
  s.batch.put(column::keys, storage::row_of(id), row_value(id, after));
  s.changes.push_back({id, std::move(after), {}});
}

void key_table::stage_removal(staging& s, std::uint64_t id, const entry& before) const {
  auto header = book_.next(before.header.revision != 0 ? &before.header : nullptr);
  header.deleted = true;
  s.batch.put(column::keys, storage::row_of(id),
              storage::encode_item(storage::row_of(id), header, {}));
  s.changes.push_back({id, std::nullopt, header});
}

void key_table::put(std::uint64_t id, entry e) {
  take_out(id);
  by_creation_.emplace(e.header.created_at_ms, id);
  ++per_upstream_[e.item.upstream];
  entries_.emplace(id, std::move(e));
}

void key_table::take_out(std::uint64_t id) {
  const auto at = entries_.find(id);
  if (at == entries_.end())
    return;
  by_creation_.erase({at->second.header.created_at_ms, id});
  const auto count = per_upstream_.find(at->second.item.upstream);
  if (--count->second == 0)
    per_upstream_.erase(count);
  entries_.erase(at);
}

answer<nothing> key_table::commit(staging& s, effects& out) {
  if (s.batch.empty())
    return nothing{};
  if (auto written = book_.commit(s.batch); !written)
    return refusal_of(written.error());
  for (auto& c : s.changes) {
    if (!c.becomes) {
      take_out(c.id);
      tombstones_[c.id] = c.gone;
      out.removed.push_back(c.id);
      continue;
    }
    tombstones_.erase(c.id);
    put(c.id, *std::move(c.becomes));
    const auto& e = entries_.at(c.id);
    if (served(e))
      out.added.push_back(for_pool(c.id, e));
    else
      out.set_aside.push_back(c.id);
  }
  return nothing{};
}

answer<nothing> key_table::check(const entry* e, const expected_revision& expected,
                                 std::uint64_t id) const {
  if (e == nullptr)
    return not_there();
  if (expected && *expected != e->header.revision)
    return refused{errc::conflict,
                   "revision_mismatch",
                   "Somebody else changed " + id_text(id) + ": it has revision "
                       + std::to_string(e->header.revision) + " now.",
                   {},
                   e->header.revision};
  return nothing{};
}

answer<std::uint64_t> key_table::add(const add_one_key& wanted, effects& out) {
  if (const auto fault = fault_of_key(wanted.characters.reveal()); !fault.empty())
    return refused{
        errc::invalid_argument,
        "invalid_request",
        "The key cannot be added.",
        {{"secret", fault.find("masked") != fault.npos ? "masked_secret" : "invalid_value",
          "It " + std::string{fault} + '.'}},
        0};
  if (auto bad = refuse(wanted.fields))
    return *std::move(bad);
  const auto id = http::fingerprint(wanted.characters.reveal()).value;
  if (entries_.contains(id))
    return refused{errc::already_exists,
                   "already_exists",
                   "This key is there already: " + id_text(id) + '.',
                   {},
                   0};
  entry e;
  e.characters = wanted.characters;
  e.own_secret = true;
  e.item.upstream = first_upstream_;
  apply(wanted.fields, e);
  const auto changes = changes_between({}, e);
  staging s;
  stage(s, id, nullptr, std::move(e));
  const auto revision = s.changes.back().becomes->header.revision;
  book_.audit(s.batch, wanted.by, {"keys.add", id_text(id), 0, revision, changes});
  if (auto done = commit(s, out); !done)
    return *std::move(done.no);
  return id;
}

answer<nothing> key_table::edit(const edit_key& wanted, effects& out) {
  const auto* e = find(wanted.id);
  if (auto fit = check(e, wanted.expected, wanted.id); !fit)
    return fit;
  if (auto bad = refuse(wanted.fields))
    return *std::move(bad);
  auto after = *e;
  apply(wanted.fields, after);
  if (after.item == e->item && after.proxy == e->proxy)
    return nothing{}; // nothing is different: no new revision, nothing to tell
  const auto changes = changes_between(*e, after);
  staging s;
  stage(s, wanted.id, e, std::move(after));
  book_.audit(s.batch, wanted.by,
              {"keys.edit", id_text(wanted.id), e->header.revision,
               s.changes.back().becomes->header.revision, changes});
  return commit(s, out);
}

answer<nothing> key_table::remove(const delete_key& wanted, effects& out) {
  const auto* e = find(wanted.id);
  if (auto fit = check(e, wanted.expected, wanted.id); !fit)
    return fit;
  if (e->origin == item_origin::environment)
    return refused{errc::permission,
                   "fixed",
                   "This key is fixed by " + e->origin_text + ": take it out there, or disable it.",
                   {},
                   0};
  staging s;
  stage_removal(s, wanted.id, *e);
  book_.audit(
      s.batch, wanted.by,
      {"keys.delete", id_text(wanted.id), e->header.revision, s.changes.back().gone.revision});
  return commit(s, out);
}

answer<nothing> key_table::set_enabled(const asker& by, std::uint64_t id, bool enabled,
                                       effects& out) {
  edit_key edit;
  edit.by = by;
  edit.id = id;
  edit.fields.enabled = enabled;
  return this->edit(edit, out);
}

answer<import_count> key_table::import_some(const asker& by, const std::vector<secret>& keys,
                                            const key_fields& fields, bool dry_run, effects& out) {
  import_count count;
  staging s;
  for (const auto& characters : keys) {
    const auto id = http::fingerprint(characters.reveal()).value;
    if (entries_.contains(id)) {
      ++count.already_there;
      continue;
    }
    ++count.added;
    if (dry_run)
      continue;
    entry e;
    e.characters = characters;
    e.own_secret = true;
    e.item.upstream = first_upstream_;
    apply(fields, e);
    stage(s, id, nullptr, std::move(e));
  }
  if (count.added == 0 || dry_run)
    return count;
  book_.audit(s.batch, by,
              {"keys.import", {}, 0, 0, "{\"added\":" + std::to_string(count.added) + '}'});
  if (auto done = commit(s, out); !done)
    return *std::move(done.no);
  return count;
}

answer<nothing> key_table::change_some(const asker& by, const std::vector<std::uint64_t>& ids,
                                       const change_keys& wanted, std::vector<failed_key>& failures,
                                       effects& out) {
  staging s;
  auto fields = wanted.fields;
  if (wanted.action == bulk_action::enable || wanted.action == bulk_action::disable) {
    fields = {};
    fields.enabled = wanted.action == bulk_action::enable;
  }
  for (const auto id : ids) {
    const auto* e = find(id);
    if (e == nullptr) {
      failures.push_back({id, "it was deleted meanwhile"});
    } else if (wanted.action == bulk_action::erase) {
      if (e->origin == item_origin::environment)
        failures.push_back({id, "it is fixed by " + e->origin_text});
      else
        stage_removal(s, id, *e);
    } else {
      auto after = *e;
      apply(fields, after);
      if (after.item != e->item || after.proxy != e->proxy)
        stage(s, id, e, std::move(after));
    }
  }
  if (s.changes.empty())
    return nothing{};
  const auto action = wanted.action == bulk_action::erase ? "keys.delete" : "keys.edit";
  std::string changed = "{\"keys\":[";
  for (const auto& c : s.changes)
    changed += '"' + id_text(c.id) + (&c == &s.changes.back() ? "\"" : "\",");
  book_.audit(s.batch, by, {action, {}, 0, 0, changed + "]}"});
  return commit(s, out);
}

const key_table::entry* key_table::find(std::uint64_t id) const {
  const auto at = entries_.find(id);
  return at == entries_.end() ? nullptr : &at->second;
}

} // namespace troupe
