#include "storage/vault.hpp"

#include "storage/core/item.hpp"
#include "storage/core/key_item.hpp"
#include "storage/core/vault_record.hpp"
#include "storage/master_key.hpp"
#include "storage/master_search.hpp"
#include "storage/random.hpp"

#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>

// One rule keeps the database and the key file together through any crash: a master key that the
// database may want is on the disk, in the file or in its `.next`, before the database wants it,
// and no key goes from the disk before the database surely does not want it. A write that failed
// may have happened all the same, so a failed rotation leaves its `.next`, and the next rotation
// takes that key instead of a third one.

namespace troupe::storage {

namespace {

constexpr std::string_view purpose = "troupe: wraps data keys";

using data_keys = std::map<std::uint32_t, key_bytes>;

/// What lies in the database.
struct kept {
  std::optional<master_record> master;
  std::map<std::uint32_t, std::string> wrapped;

  result<void> take(std::string_view row, std::string_view value) {
    if (row == master_row) {
      auto m = decode_master_record(value);
      if (!m)
        return m.error();
      master = *std::move(m);
    } else if (is_data_key_row(row)) {
      auto k = decode_data_key_record(value);
      if (!k)
        return k.error();
      if (data_key_row(k->number) != row)
        return failure{errc::corrupt, "the record of a data key lies in the place of another"};
      wrapped[k->number] = std::move(k->wrapped);
    }
    return {};
  }
};

result<kept> read_kept(const store& db) {
  kept k;
  result<void> good;
  auto read =
      db.for_each(column::settings, vault_rows, [&](std::string_view row, std::string_view value) {
        good = k.take(row, value);
        return good.has_value();
      });
  if (!read)
    return read.error();
  if (!good)
    return failure{good.error().code, good.error().text + ": restore a backup"};
  if (k.master.has_value() == k.wrapped.empty())
    return failure{errc::corrupt,
                   "of the master key's record and the data keys' only one is there: "
                   "restore a backup"};
  return k;
}

/// A database that has sealed values and no vault lost it: a new one would only hide that.
result<void> refuse_sealed_without_vault(const store& db) {
  bool sealed = false;
  auto read = db.for_each(column::keys, {}, [&](std::string_view row, std::string_view value) {
    const auto item = decode_item(row, value);
    const auto k = item && !item->header.deleted ? decode_key_item(item->payload)
                                                 : result<key_item>{key_item{}};
    sealed = k && !(k->sealed_secret.empty() && k->proxy_sealed.empty());
    return !sealed;
  });
  if (read && sealed)
    return failure{errc::corrupt, "the database has sealed keys, but what they are sealed under "
                                  "is gone from it: restore a backup"};
  return read;
}

result<data_keys> unwrap(const kept& k, const key_bytes& master) {
  const auto wrapping = derive_key(master, k.master->salt, purpose);
  data_keys keys;
  for (const auto& [number, wrapped] : k.wrapped) {
    auto opened = open_key(wrapping, data_key_row(number), wrapped);
    if (!opened)
      return failure{errc::corrupt,
                     "data key " + std::to_string(number)
                         + " does not open although the master key fits: restore a backup"};
    keys[number] = *opened;
  }
  return keys;
}

/// Writes every data key wrapped under `master`, with a new salt. Synced.
result<void> keep(store& db, const data_keys& keys, const key_bytes& master) {
  master_record m;
  m.salt.resize(master_record::salt_bytes);
  fill_random(reinterpret_cast<std::uint8_t*>(m.salt.data()), m.salt.size());
  m.fingerprint = fingerprint_of(master);
  const auto wrapping = derive_key(master, m.salt, purpose);
  write_batch batch;
  batch.put(column::settings, std::string{master_row}, encode(m));
  for (const auto& [number, bytes] : keys) {
    auto row = data_key_row(number);
    auto wrapped = seal_bytes(wrapping, row, bytes.view());
    batch.put(column::settings, std::move(row),
              encode(data_key_record{number, std::move(wrapped)}));
  }
  return db.write(batch, durability::power);
}

class opened_vault final : public vault {
public:
  opened_vault(store& db, found_master found, data_keys keys)
      : db_(db),
        origin_(std::move(found.key.origin)),
        in_file_(found.key.in_file),
        master_(found.key.bytes),
        keys_(std::move(keys)),
        notes_(std::move(found.notes)) {}

  std::string seal(std::string_view context, std::string_view plain) const override;
  result<secret> open_sealed(std::string_view context, std::string_view sealed) const override;
  bool is_stale(std::string_view sealed) const override;
  result<void> rotate() override;
  result<void> retire() override;

  std::string master_fingerprint() const override {
    const std::shared_lock reading(access_);
    return fingerprint_of(master_);
  }
  std::string master_origin() const override { return origin_; }
  std::uint32_t data_key() const override {
    const std::shared_lock reading(access_);
    return keys_.rbegin()->first;
  }
  const std::vector<std::string>& notes() const override { return notes_; }

private:
  result<key_bytes> next_master() const;

  store& db_;
  const std::string origin_;
  const bool in_file_;
  std::mutex changing_;              ///< held through `rotate` and `retire`, the only writers
  mutable std::shared_mutex access_; ///< of the next two; writers hold it but to put in values
  key_bytes master_;
  data_keys keys_; ///< never empty
  const std::vector<std::string> notes_;
};

std::string opened_vault::seal(std::string_view context, std::string_view plain) const {
  const std::shared_lock reading(access_);
  const auto& [number, key] = *keys_.rbegin();
  return join_sealed(number, seal_bytes(key, context, plain));
}

result<secret> opened_vault::open_sealed(std::string_view context, std::string_view sealed) const {
  const auto parts = split_sealed(sealed);
  if (!parts)
    return failure{errc::corrupt, "a sealed value is damaged, or of a later version"};
  const std::shared_lock reading(access_);
  const auto key = keys_.find(parts->data_key);
  if (key == keys_.end())
    return failure{errc::corrupt, "a value is sealed under data key "
                                      + std::to_string(parts->data_key) + ", which is not here"};
  return open_bytes(key->second, context, parts->box);
}

bool opened_vault::is_stale(std::string_view sealed) const {
  const auto parts = split_sealed(sealed);
  return parts && parts->data_key != data_key();
}

/// A new master key, on the disk as `.next`.
result<key_bytes> opened_vault::next_master() const {
  const auto next = next_file(origin_);
  auto waiting = read_key_file(next);
  if (!waiting)
    return waiting.error();
  if (*waiting && **waiting != master_)
    return **waiting;
  if (*waiting) // it is ours already, and only did not come to its place
    if (auto moved = move_key_file(next, origin_); !moved)
      return moved.error();
  const auto made = key_bytes::random();
  if (auto written = write_key_file(next, made); !written)
    return written.error();
  return made;
}

result<void> opened_vault::rotate() {
  const std::lock_guard changing(changing_);
  auto master = in_file_ ? next_master() : master_;
  if (!master)
    return master.error();
  auto keys = keys_;
  keys[keys.rbegin()->first + 1] = key_bytes::random();
  if (auto written = keep(db_, keys, *master); !written)
    return written;
  {
    const std::unique_lock writing(access_);
    keys_ = std::move(keys);
    master_ = *master;
  }
  return in_file_ ? move_key_file(next_file(origin_), origin_) : result<void>{};
}

result<void> opened_vault::retire() {
  const std::lock_guard changing(changing_);
  write_batch batch;
  for (auto at = keys_.begin(); std::next(at) != keys_.end(); ++at)
    batch.erase(column::settings, data_key_row(at->first));
  if (batch.empty())
    return {};
  if (auto written = db_.write(batch, durability::power); !written)
    return written;
  const std::unique_lock writing(access_);
  keys_.erase(keys_.begin(), std::prev(keys_.end()));
  return {};
}

result<std::unique_ptr<vault>> make_vault(store& db, const master_key_source& from) {
  if (auto nothing = refuse_sealed_without_vault(db); !nothing)
    return nothing.error();
  auto found = first_master(from);
  if (!found)
    return found.error();
  data_keys keys{{1, key_bytes::random()}};
  if (auto written = keep(db, keys, found->key.bytes); !written)
    return written.error();
  return std::unique_ptr<vault>{
      std::make_unique<opened_vault>(db, *std::move(found), std::move(keys))};
}

} // namespace

result<std::unique_ptr<vault>> vault::open(store& db, const master_key_source& from) {
  auto k = read_kept(db);
  if (!k)
    return k.error();
  if (!k->master)
    return make_vault(db, from);
  auto found = find_master(from, k->master->fingerprint);
  if (!found)
    return found.error();
  auto keys = unwrap(*k, found->wraps_now ? *found->wraps_now : found->key.bytes);
  if (!keys)
    return keys.error();
  // Before a file goes: what was read may not have reached the disk when the last process ended.
  if (found->wraps_now || found->move_next)
    if (auto written = keep(db, *keys, found->key.bytes); !written)
      return written.error();
  if (found->move_next)
    if (auto moved = move_key_file(next_file(from.file), from.file); !moved)
      return moved.error();
  return std::unique_ptr<vault>{
      std::make_unique<opened_vault>(db, *std::move(found), *std::move(keys))};
}

} // namespace troupe::storage
