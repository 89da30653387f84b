#include "actors/inventory/inventory.hpp"

#include "storage/core/record_layout.hpp"
#include "storage/core/settings_item.hpp"

#include <filesystem>
#include <map>

// A backup is unpacked beside the data, opened with the same master key, read, and applied as
// new revisions: nothing that happens is different from an operator doing it all by hand.

namespace troupe {

namespace {

using storage::column;

struct unpacked {
  std::string document;
  std::map<std::uint64_t, key_table::entry> keys;
  std::map<std::uint64_t, credential_table::entry> credentials;
};

/// The directory that a backup is unpacked in, gone when this is.
class scratch {
public:
  explicit scratch(std::string path) : path_(std::move(path)) { clear(); }
  ~scratch() { clear(); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  const std::string& path() const { return path_; }

private:
  void clear() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string path_;
};

result<std::string> document_in(const storage::store& db, const storage::vault& vault) {
  auto row = db.get(column::settings, "document");
  if (!row)
    return row.error();
  if (!*row)
    return std::string{};
  auto kept = storage::decode_item("document", **row);
  if (!kept)
    return kept.error();
  auto item = storage::decode_settings_item(kept->payload);
  if (!item)
    return item.error();
  auto text =
      vault.open_sealed("settings/" + std::to_string(kept->header.revision), item->sealed_document);
  if (!text)
    return text.error();
  return std::string{text->reveal()};
}

result<unpacked> read_backup(storage::store& db, const storage::vault& vault,
                             const ledger::wall_clock& wall) {
  unpacked out;
  auto document = document_in(db, vault);
  if (!document)
    return document.error();
  out.document = *std::move(document);
  auto book = ledger::open(db, wall);
  if (!book)
    return book.error();
  std::vector<std::string> warnings;
  upstream_numbers numbers;
  key_table keys(*book, vault, numbers);
  if (auto read = keys.load({}, warnings); !read)
    return read.error();
  out.keys.insert(keys.all().begin(), keys.all().end());
  credential_table credentials(*book);
  if (auto read = credentials.load({}, warnings); !read)
    return read.error();
  out.credentials = credentials.all();
  if (!warnings.empty())
    return failure{errc::corrupt, "the backup is damaged: " + warnings.front()};
  return out;
}

/// Settings, keys and credentials are restored one after the other, in steps.
refused half_way(refused why) {
  why.text = "The restore ended half way; ask again when this is mended. What was restored before "
             "stays: see the audit log. "
             + why.text;
  return why;
}

} // namespace

std::optional<refused> inventory::restore_now(std::uint64_t job, const restore_from& q) {
  const scratch room(parts_.data_dir + "/restore.tmp");
  if (auto put = storage::restore_backup(q.directory, room.path()); !put)
    return refusal_of(put.error());
  auto db = storage::store::open({.directory = room.path()});
  if (!db)
    return refusal_of(db.error());
  auto vault = storage::vault::open(**db, parts_.master);
  if (!vault)
    return refusal_of(vault.error());
  auto from = read_backup(**db, **vault, parts_.wall);
  if (!from)
    return refusal_of(from.error());
  effects e;
  // Keys may lose their upstreams here: theirs come with the backup.
  const auto known_zone = [this](const troupe::settings& s) { return refuse_zone(s); };
  auto settings = settings_.replace_with(q.by, from->document, known_zone, e);
  if (!settings)
    return *std::move(settings.no);
  carry_out(e);
  auto keys = keys_.replace_with(q.by, from->keys, e);
  carry_out(e);
  if (!keys)
    return half_way(*std::move(keys.no));
  auto credentials = credentials_.replace_with(q.by, from->credentials, e);
  carry_out(e);
  if (!credentials)
    return half_way(*std::move(credentials.no));
  const auto number = [](const char* name, std::uint64_t n) {
    return std::string{"\""} + name + "\":" + std::to_string(n);
  };
  parts_.jobs.end(job, job_state::done,
                  '{' + number("keys_added", keys.yes.added) + ','
                      + number("keys_changed", keys.yes.changed) + ','
                      + number("keys_deleted", keys.yes.deleted) + ','
                      + number("credentials_added", credentials.yes.added) + ','
                      + number("credentials_changed", credentials.yes.changed) + ','
                      + number("credentials_revoked", credentials.yes.revoked)
                      + ",\"settings_changed\":" + (settings.yes ? "true" : "false") + '}');
  return std::nullopt;
}

} // namespace troupe
