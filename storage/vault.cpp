#include "storage/vault.hpp"

#include "storage/core/bytes.hpp"
#include "storage/master_key.hpp"
#include "storage/random.hpp"

#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include <unistd.h>

namespace troupe::storage {

namespace {

constexpr std::uint8_t schema = 1;
constexpr std::size_t salt_bytes = 16;
constexpr std::string_view rows = "vault/";
constexpr std::string_view master_row = "vault/master";
constexpr std::string_view key_rows = "vault/key/";
constexpr std::string_view purpose = "troupe: wraps data keys";
constexpr std::string_view how_to_make = "make one with: openssl rand -hex 32";
constexpr const char* variable = "TROUPE_MASTER_KEY";

std::string key_row(std::uint32_t number) {
  return std::string{key_rows} + std::to_string(number);
}

/// What lies in the database.
struct kept {
  std::string salt;
  std::string fingerprint; ///< of the master key that wraps
  std::map<std::uint32_t, std::string> wrapped;

  bool empty() const { return fingerprint.empty() && wrapped.empty(); }
};

std::string encode_master(const kept& k) {
  byte_writer out;
  out.number(schema);
  out.raw(k.salt);
  out.text(k.fingerprint);
  return out.take();
}

result<void> decode_master(std::string_view bytes, kept& k) {
  byte_reader in(bytes);
  std::uint8_t found = 0;
  in.number(found);
  k.salt = in.raw(salt_bytes);
  in.text(k.fingerprint);
  if (!in.complete() || in.left() != 0 || found != schema)
    return failure{errc::corrupt, "the record of the master key is damaged, or of a later version"};
  return {};
}

result<void> decode_wrapped(std::string_view bytes, kept& k) {
  byte_reader in(bytes);
  std::uint8_t found = 0;
  std::uint32_t number = 0;
  std::string wrapped;
  in.number(found);
  in.number(number);
  in.long_text(wrapped);
  if (!in.complete() || in.left() != 0 || found != schema || number == 0)
    return failure{errc::corrupt, "the record of a data key is damaged, or of a later version"};
  k.wrapped[number] = std::move(wrapped);
  return {};
}

result<kept> read_kept(const store& db) {
  kept k;
  result<void> good;
  auto read =
      db.for_each(column::settings, rows, [&](std::string_view row, std::string_view value) {
        if (row == master_row)
          good = decode_master(value, k);
        else if (row.starts_with(key_rows))
          good = decode_wrapped(value, k);
        return good.has_value();
      });
  if (!read)
    return read.error();
  if (!good)
    return good.error();
  if (k.fingerprint.empty() != k.wrapped.empty())
    return failure{errc::corrupt,
                   "of the master key's record and the data keys' only one is there: "
                   "restore a backup"};
  return k;
}

result<key_bytes> parse_variable(const secret& text, const char* name) {
  auto k = parse_key_bytes(text.reveal());
  if (!k)
    return failure{errc::invalid_argument, std::string{name}
                                               + " must be 32 bytes in hex or base64; "
                                               + std::string{how_to_make}};
  return *k;
}

class opened_vault final : public vault {
public:
  opened_vault(store& db, master_key master) : db_(db), master_(std::move(master)) {}

  std::string seal(std::string_view context, std::string_view plain) const override;
  result<secret> open_sealed(std::string_view context, std::string_view sealed) const override;
  bool is_stale(std::string_view sealed) const override;
  result<void> rotate() override;
  result<void> retire() override;

  std::string master_fingerprint() const override {
    const std::shared_lock reading(access_);
    return fingerprint_of(master_.bytes);
  }
  std::string master_origin() const override { return master_.origin; }
  std::uint32_t data_key() const override {
    const std::shared_lock reading(access_);
    return keys_.rbegin()->first;
  }
  const std::vector<std::string>& notes() const override { return notes_; }

  result<void> unwrap(const kept& k);
  /// Writes every data key wrapped under `master` with a new salt. Synced.
  result<void> keep(const std::map<std::uint32_t, key_bytes>& keys, const key_bytes& master);
  void take(std::map<std::uint32_t, key_bytes> keys) { keys_ = std::move(keys); }
  void note(std::string words) { notes_.push_back(std::move(words)); }
  const std::map<std::uint32_t, key_bytes>& keys() const { return keys_; }

private:
  store& db_;
  mutable std::shared_mutex access_;
  master_key master_;
  std::map<std::uint32_t, key_bytes> keys_; ///< never empty once it is opened
  std::vector<std::string> notes_;
};

result<void> opened_vault::unwrap(const kept& k) {
  const auto wrapping = derive_key(master_.bytes, k.salt, purpose);
  for (const auto& [number, wrapped] : k.wrapped) {
    auto bytes = open_bytes(wrapping, key_row(number), wrapped);
    if (!bytes || bytes->reveal().size() != key_bytes::size)
      return failure{errc::corrupt,
                     "data key " + std::to_string(number)
                         + " does not open although the master key fits: restore a backup"};
    const auto text = bytes->reveal();
    std::copy(text.begin(), text.end(), keys_[number].data());
  }
  return {};
}

result<void> opened_vault::keep(const std::map<std::uint32_t, key_bytes>& keys,
                                const key_bytes& master) {
  kept k;
  k.salt.resize(salt_bytes);
  fill_random(reinterpret_cast<std::uint8_t*>(k.salt.data()), salt_bytes);
  k.fingerprint = fingerprint_of(master);
  const auto wrapping = derive_key(master, k.salt, purpose);
  write_batch batch;
  batch.put(column::settings, std::string{master_row}, encode_master(k));
  for (const auto& [number, bytes] : keys) {
    byte_writer out;
    out.number(schema);
    out.number(number);
    out.long_text(seal_bytes(wrapping, key_row(number), bytes.view()));
    batch.put(column::settings, key_row(number), out.take());
  }
  return db_.write(batch, durability::power);
}

std::string opened_vault::seal(std::string_view context, std::string_view plain) const {
  const std::shared_lock reading(access_);
  const auto& [number, key] = *keys_.rbegin();
  byte_writer out;
  out.number(schema);
  out.number(number);
  out.raw(seal_bytes(key, context, plain));
  return out.take();
}

result<secret> opened_vault::open_sealed(std::string_view context, std::string_view sealed) const {
  const std::shared_lock reading(access_);
  byte_reader in(sealed);
  std::uint8_t found = 0;
  std::uint32_t number = 0;
  in.number(found);
  in.number(number);
  const auto key = keys_.find(number);
  if (!in.complete() || found != schema)
    return failure{errc::corrupt, "a sealed value is damaged, or of a later version"};
  if (key == keys_.end())
    return failure{errc::corrupt, "a value is sealed under data key " + std::to_string(number)
                                      + ", which is not here"};
  return open_bytes(key->second, context, in.raw(in.left()));
}

bool opened_vault::is_stale(std::string_view sealed) const {
  const std::shared_lock reading(access_);
  byte_reader in(sealed);
  std::uint8_t found = 0;
  std::uint32_t number = 0;
  in.number(found);
  in.number(number);
  return in.complete() && number != keys_.rbegin()->first;
}

result<void> opened_vault::rotate() {
  const std::unique_lock changing(access_);
  auto keys = keys_;
  keys[keys.rbegin()->first + 1] = key_bytes::random();
  auto master = master_.bytes;
  const auto next = next_file(master_.origin);
  if (master_.in_file) {
    master = key_bytes::random();
    ::unlink(next.c_str()); // of an attempt that was cut off
    if (auto written = write_key_file(next, master); !written)
      return written;
  }
  if (auto written = keep(keys, master); !written) {
    if (master_.in_file)
      ::unlink(next.c_str());
    return written;
  }
  // From here on the database wants the new one: it is found as `.next` if we end right now.
  keys_ = std::move(keys);
  master_.bytes = master;
  return master_.in_file ? move_key_file(next, master_.origin) : result<void>{};
}

result<void> opened_vault::retire() {
  const std::unique_lock changing(access_);
  write_batch batch;
  for (auto at = keys_.begin(); std::next(at) != keys_.end(); ++at)
    batch.erase(column::settings, key_row(at->first));
  if (batch.empty())
    return {};
  if (auto written = db_.write(batch, durability::power); !written)
    return written;
  keys_.erase(keys_.begin(), std::prev(keys_.end()));
  return {};
}

/// The master key of a database that holds nothing sealed yet.
result<master_key> first_master(const master_key_source& from) {
  if (!from.from_environment.empty()) {
    auto k = parse_variable(from.from_environment, variable);
    if (!k)
      return k.error();
    return master_key{*k, variable, false};
  }
  auto there = read_key_file(from.file);
  if (!there)
    return there.error();
  if (*there)
    return master_key{**there, from.file, true};
  const auto made = key_bytes::random();
  if (auto written = write_key_file(from.file, made); !written)
    return written.error();
  return master_key{made, from.file, true};
}

failure wrong_key(const std::string& origin, const key_bytes& given, const std::string& wanted) {
  return {errc::permission, "the secrets in the data directory are sealed under the master key "
                                + wanted + ", and " + origin + " holds " + fingerprint_of(given)
                                + ": give the right one (nothing was changed)"};
}

/// A master key, and whether it replaces `previous`, under which everything is wrapped still.
struct found_master {
  master_key key;
  std::optional<key_bytes> wraps_now;
};

result<found_master> with_previous(const master_key_source& from, master_key key,
                                   const std::string& wanted) {
  if (from.previous.empty())
    return wrong_key(key.origin, key.bytes, wanted);
  auto previous = parse_variable(from.previous, "TROUPE_MASTER_KEY_PREVIOUS");
  if (!previous)
    return previous.error();
  if (fingerprint_of(*previous) != wanted)
    return wrong_key(key.origin, key.bytes, wanted);
  return found_master{std::move(key), *previous};
}

result<found_master> find_master(const master_key_source& from, const std::string& wanted) {
  const auto fits = [&](const key_bytes& k) { return fingerprint_of(k) == wanted; };
  if (!from.from_environment.empty()) {
    auto k = parse_variable(from.from_environment, variable);
    if (!k)
      return k.error();
    if (fits(*k))
      return found_master{{*k, variable, false}, std::nullopt};
    const auto in_file = read_key_file(from.file);
    if (in_file && *in_file && fits(**in_file))
      return failure{errc::permission,
                     std::string{variable}
                         + " does not fit what is sealed in the data directory, but " + from.file
                         + " does: unset the variable, or set "
                         + "TROUPE_MASTER_KEY_PREVIOUS to that file's content to change over"};
    return with_previous(from, {*k, variable, false}, wanted);
  }
  auto there = read_key_file(from.file);
  if (!there)
    return there.error();
  const auto next = next_file(from.file);
  if (*there && fits(**there)) {
    ::unlink(next.c_str()); // a change of keys that was cut off before it counted
    return found_master{{**there, from.file, true}, std::nullopt};
  }
  auto changing = read_key_file(next);
  if (changing && *changing && fits(**changing)) {
    if (auto moved = move_key_file(next, from.file); !moved)
      return moved.error();
    return found_master{{**changing, from.file, true}, std::nullopt};
  }
  if (!*there)
    return failure{errc::permission,
                   "the secrets in the data directory are sealed under the master key " + wanted
                       + ", which is missing: set " + variable + ", or put it into " + from.file
                       + " (nothing was changed)"};
  return with_previous(from, {**there, from.file, true}, wanted);
}

} // namespace

result<std::unique_ptr<vault>> vault::open(store& db, const master_key_source& from) {
  auto k = read_kept(db);
  if (!k)
    return k.error();
  if (k->empty()) {
    auto master = first_master(from);
    if (!master)
      return master.error();
    const auto bytes = master->bytes;
    auto made = std::make_unique<opened_vault>(db, *std::move(master));
    made->take({{1, key_bytes::random()}});
    if (auto written = made->keep(made->keys(), bytes); !written)
      return written.error();
    return std::unique_ptr<vault>{std::move(made)};
  }
  auto found = find_master(from, k->fingerprint);
  if (!found)
    return found.error();
  auto wrapping = found->key;
  if (found->wraps_now)
    wrapping.bytes = *found->wraps_now;
  auto made = std::make_unique<opened_vault>(db, std::move(wrapping));
  if (auto opened = made->unwrap(*k); !opened)
    return opened.error();
  if (!found->wraps_now)
    return std::unique_ptr<vault>{std::move(made)};
  auto changed = std::make_unique<opened_vault>(db, found->key);
  changed->take(made->keys());
  if (auto written = changed->keep(changed->keys(), found->key.bytes); !written)
    return written.error();
  changed->note("the master key was changed to " + changed->master_fingerprint() + " ("
                + found->key.origin + "); TROUPE_MASTER_KEY_PREVIOUS is not needed any more");
  return std::unique_ptr<vault>{std::move(changed)};
}

} // namespace troupe::storage
