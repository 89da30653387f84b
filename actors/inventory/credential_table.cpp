#include "actors/inventory/credential_table.hpp"

#include "protocol/json/writer.hpp"
#include "storage/random.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

using storage::column;
using storage::role;

constexpr std::size_t random_bytes = 24;

bool for_admins(role r) {
  return r != role::client;
}

/// One secret may be a client's and an operator's (`AUTH_TOKEN` is): two credentials, two ids.
std::uint64_t id_of(role r, const std::array<std::uint8_t, 32>& sha256) {
  if (!for_admins(r))
    return storage::credential_id(sha256);
  auto other_half = sha256;
  std::ranges::rotate(other_half, other_half.begin() + 8);
  return storage::credential_id(other_half);
}

secret new_characters() {
  return secret{"sk-troupe-" + storage::random_hex(random_bytes)};
}

std::string texts_json(const std::vector<std::string>& list) {
  std::string out;
  json::writer w{out};
  w.begin_array();
  for (const auto& t : list)
    w.string(t);
  w.end_array();
  return out;
}

/// For the audit: what a credential may do, never its hash.
std::string described(const storage::credential_item& c) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.member("name", c.name);
  w.member("role", to_string(c.what));
  w.key("expires_at_ms");
  w.integer(c.expires_at_ms);
  w.key("models");
  w.raw(texts_json(c.models));
  w.key("groups");
  w.raw(texts_json(c.groups));
  w.key("limits");
  w.integer(c.limits.size());
  w.member("note", c.note);
  w.end_object();
  return out;
}

credential_view view_of(std::uint64_t id, const credential_table::entry& e) {
  return {id, e.header, e.item, e.origin, e.origin_text};
}

refused fixed_by(const std::string& origin) {
  return {errc::permission,
          "fixed",
          "This credential is fixed by " + origin + ": change it there.",
          {},
          0};
}

} // namespace

result<void> credential_table::load(const loaded_settings& configured,
                                    std::vector<std::string>& warnings) {
  auto read = book_.db().for_each(
      column::credentials, "id/", [&](std::string_view row, std::string_view bytes) {
        const auto id = storage::credential_of_row(row);
        auto kept = storage::decode_item(row, bytes);
        if (id == 0 || !kept) {
          warnings.push_back("a credential's row cannot be read and admits nobody: "
                             + (kept ? std::string{"its name is none"} : kept.error().text));
          return true;
        }
        if (kept->header.deleted) {
          tombstones_[id] = kept->header;
          // Which port it was for went with it: both count as having had one.
          had_client_ = had_admin_ = true;
          return true;
        }
        auto item = storage::decode_credential_item(kept->payload);
        if (!item) {
          warnings.push_back(storage::credential_name(id) + " admits nobody: " + item.error().text);
          return true;
        }
        (for_admins(item->what) ? had_admin_ : had_client_) = true;
        entries_[id] = {kept->header, *std::move(item), item_origin::database, {}};
        return true;
      });
  if (!read)
    return read;
  const auto take = [&](const std::vector<credential_settings>& list, role what, const char* path) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto& c = list[i];
      const auto hash = c.sha256.empty()
                            ? http::sha256(c.value.reveal())
                            : http::parse_sha256(c.sha256).value_or(http::sha256_hash{});
      (for_admins(what) ? had_admin_ : had_client_) = true;
      const auto id = id_of(what, hash);
      auto origin = configured.origin_of(std::string{path} + '[' + std::to_string(i) + "].secret");
      if (origin.layer == config_layer::defaults)
        origin = configured.origin_of(path);
      const bool file = origin.layer == config_layer::file;
      if (file && tombstones_.contains(id))
        continue; // revoked while a node ran: a restart does not bring it back
      entry e;
      e.header = entries_.contains(id) ? entries_[id].header : storage::item_header{};
      e.item.what = what;
      e.item.sha256 = hash;
      e.item.name = c.name;
      e.origin = file ? item_origin::file : item_origin::environment;
      e.origin_text = to_string(origin);
      entries_[id] = std::move(e);
    }
  };
  take(configured.values.credentials.clients, role::client, "credentials.clients");
  take(configured.values.credentials.admins, role::operator_, "credentials.admins");
  return {};
}

result<credential_table::first> credential_table::make_first() {
  first made;
  const auto make = [&](role what, secret& into) -> result<void> {
    add_credential wanted;
    wanted.by = ledger::itself();
    wanted.what = what;
    wanted.fields.name = "first";
    effects ignored;
    auto added = add(wanted, ignored);
    if (!added)
      return failure{added.no->code, added.no->text};
    into = std::move(added.yes.characters);
    return {};
  };
  const bool client = !had_client_;
  const bool admin = !had_admin_;
  if (client)
    if (auto done = make(role::client, made.client); !done)
      return done.error();
  if (admin)
    if (auto done = make(role::operator_, made.admin); !done)
      return done.error();
  return made;
}

std::vector<credential_view> credential_table::list() const {
  std::vector<credential_view> all;
  all.reserve(entries_.size());
  for (const auto& [id, e] : entries_)
    all.push_back(view_of(id, e));
  std::ranges::stable_sort(all, {}, [](const credential_view& v) {
    return std::pair{v.item.what, v.item.name};
  });
  return all;
}

void credential_table::put(storage::write_batch& batch, std::uint64_t id, const entry& e) const {
  const auto row = storage::credential_row(id);
  batch.put(column::credentials, row, storage::encode_item(row, e.header, encode(e.item)));
}

void credential_table::bury(storage::write_batch& batch, std::uint64_t id, const entry& e) {
  auto header = book_.next(e.header.revision != 0 ? &e.header : nullptr);
  header.deleted = true;
  const auto row = storage::credential_row(id);
  batch.put(column::credentials, row, storage::encode_item(row, header, {}));
  tombstones_[id] = header; // true once written; until then nobody reads it
}

answer<new_credential> credential_table::keep_new(storage::write_batch& batch, entry e,
                                                  const asker& by, std::string_view action,
                                                  effects& out) {
  auto characters = new_characters();
  e.item.sha256 = http::sha256(characters.reveal());
  e.header = book_.next(nullptr);
  e.origin = item_origin::database;
  e.origin_text.clear();
  const auto id = id_of(e.item.what, e.item.sha256);
  put(batch, id, e);
  book_.audit(batch, by,
              {action, storage::credential_name(id), 0, e.header.revision, described(e.item)});
  if (auto written = book_.commit(batch); !written)
    return refusal_of(written.error());
  (for_admins(e.item.what) ? had_admin_ : had_client_) = true;
  auto& kept = entries_[id] = std::move(e);
  out.credentials = true;
  return new_credential{view_of(id, kept), std::move(characters)};
}

answer<new_credential> credential_table::add(const add_credential& wanted, effects& out) {
  if (auto bad = refuse(wanted.fields, wanted.what, 0))
    return *std::move(bad);
  entry e;
  e.item.what = wanted.what;
  apply(wanted.fields, e.item);
  storage::write_batch batch;
  return keep_new(batch, std::move(e), wanted.by, "credentials.add", out);
}

answer<credential_view> credential_table::edit(const edit_credential& wanted, effects& out) {
  const auto* e = find(wanted.id);
  if (auto fit = check(e, wanted.expected); !fit)
    return *std::move(fit.no);
  if (e->origin != item_origin::database)
    return fixed_by(e->origin_text);
  if (auto bad = refuse(wanted.fields, e->item.what, wanted.id))
    return *std::move(bad);
  auto after = *e;
  apply(wanted.fields, after.item);
  if (after.item == e->item)
    return view_of(wanted.id, *e);
  after.header = book_.next(&e->header);
  storage::write_batch batch;
  put(batch, wanted.id, after);
  book_.audit(batch, wanted.by,
              {"credentials.edit", storage::credential_name(wanted.id), e->header.revision,
               after.header.revision,
               "{\"before\":" + described(e->item) + ",\"after\":" + described(after.item) + '}'});
  if (auto written = book_.commit(batch); !written)
    return refusal_of(written.error());
  auto& kept = entries_[wanted.id] = std::move(after);
  out.credentials = true;
  return view_of(wanted.id, kept);
}

answer<nothing> credential_table::revoke(const revoke_credential& wanted, effects& out) {
  const auto* e = find(wanted.id);
  if (auto fit = check(e, wanted.expected); !fit)
    return fit;
  if (e->origin == item_origin::environment)
    return fixed_by(e->origin_text);
  storage::write_batch batch;
  bury(batch, wanted.id, *e);
  book_.audit(batch, wanted.by,
              {"credentials.revoke", storage::credential_name(wanted.id), e->header.revision,
               tombstones_[wanted.id].revision, described(e->item)});
  if (auto written = book_.commit(batch); !written) {
    tombstones_.erase(wanted.id);
    return refusal_of(written.error());
  }
  entries_.erase(wanted.id);
  out.credentials = true;
  return nothing{};
}

answer<new_credential> credential_table::renew(const renew_credential& wanted, effects& out) {
  const auto* e = find(wanted.id);
  if (auto fit = check(e, wanted.expected); !fit)
    return *std::move(fit.no);
  if (e->origin != item_origin::database)
    return fixed_by(e->origin_text);
  storage::write_batch batch;
  bury(batch, wanted.id, *e);
  auto made = keep_new(batch, *e, wanted.by, "credentials.renew", out);
  if (made)
    entries_.erase(wanted.id);
  else
    tombstones_.erase(wanted.id);
  return made;
}

answer<credential_table::restored>
credential_table::replace_with(const asker& by, const std::map<std::uint64_t, entry>& rows,
                               effects& out) {
  restored count;
  storage::write_batch batch;
  auto after = entries_;
  for (const auto& [id, e] : entries_) {
    if (e.origin != item_origin::database || rows.contains(id))
      continue;
    bury(batch, id, e);
    after.erase(id);
    ++count.revoked;
  }
  for (const auto& [id, wanted] : rows) {
    const auto present = after.find(id);
    if (present != after.end()
        && (present->second.item == wanted.item || present->second.origin != item_origin::database))
      continue;
    auto e = wanted;
    const auto grave = tombstones_.find(id);
    e.header = book_.next(present != after.end()       ? &present->second.header
                          : grave != tombstones_.end() ? &grave->second
                                                       : nullptr);
    put(batch, id, e);
    ++(present != after.end() ? count.changed : count.added);
    after[id] = std::move(e);
  }
  if (batch.empty())
    return count;
  book_.audit(batch, by,
              {"credentials.restore", {}, 0, 0, "{\"rows\":" + std::to_string(batch.size()) + '}'});
  if (auto written = book_.commit(batch); !written)
    return refusal_of(written.error());
  entries_ = std::move(after);
  out.credentials = true;
  return count;
}

answer<nothing> credential_table::check(const entry* e, const expected_revision& expected) const {
  if (e == nullptr)
    return refused{errc::not_found, "not_found", "There is no such credential.", {}, 0};
  if (expected && *expected != e->header.revision)
    return refused{errc::conflict,
                   "revision_mismatch",
                   "Somebody else changed this credential: it has revision "
                       + std::to_string(e->header.revision) + " now.",
                   {},
                   e->header.revision};
  return nothing{};
}

const credential_table::entry* credential_table::find(std::uint64_t id) const {
  const auto at = entries_.find(id);
  return at == entries_.end() ? nullptr : &at->second;
}

http::credential_set credential_table::set_of(bool admin) const {
  std::vector<http::credential> list;
  for (const auto& [id, e] : entries_) {
    if (for_admins(e.item.what) != admin)
      continue;
    http::credential c;
    c.name = e.item.name;
    c.hash = e.item.sha256;
    c.expires_at_ms = e.item.expires_at_ms;
    c.tag = static_cast<std::uint32_t>(e.item.what);
    c.models = e.item.models;
    c.groups = e.item.groups;
    c.id = id;
    list.push_back(std::move(c));
  }
  return http::credential_set{std::move(list)};
}

credential_table::limits_by_id credential_table::limits() const {
  limits_by_id all;
  for (const auto& [id, e] : entries_)
    if (!e.item.limits.empty())
      all.emplace_back(id, e.item.limits);
  return all;
}

http::credential_set credential_table::clients() const {
  return set_of(false);
}

http::credential_set credential_table::admins() const {
  return set_of(true);
}

} // namespace troupe
