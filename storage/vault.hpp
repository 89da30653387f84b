#pragma once

// Secrets at rest. Each is sealed with AES-256-GCM under a data key; data keys lie in the
// database wrapped, also with AES-256-GCM, by a key that is derived (HKDF-SHA-256) from the
// master key. The master key is 32 random bytes, from `TROUPE_MASTER_KEY` or from a file of
// mode 0600; it is never in the database and never in a backup.
//
// A sealed text: u8 schema = 1, u32 number of the data key, 12 bytes nonce, the ciphertext,
// 16 bytes tag. Its context (the row and the field it belongs to) is authenticated with it, so
// that a sealed value copied to another record does not open.

#include "protocol/base/result.hpp"
#include "protocol/base/secret.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::storage {

/// Where the master key comes from.
struct master_key_source {
  secret from_environment; ///< `TROUPE_MASTER_KEY`: 64 hex digits or base64 of 32 bytes
  secret previous;  ///< `TROUPE_MASTER_KEY_PREVIOUS`: replaced by the first, if that does not fit
  std::string file; ///< used when the environment has none; made if nothing is sealed
};

/// Seals and opens. Thread-safe; `seal` and `open_sealed` do not wait for a `rotate` that writes.
class vault {
public:
  /// Opens the vault of `db`, or makes it at the first start, data key synced before it is
  /// used. Nothing is overwritten when the master key is missing or wrong: the failure
  /// (`permission`) says which fingerprint is wanted, which was given, and what to do. `db` must
  /// outlive the vault. `invalid_argument` for a master key that is none, `corrupt` for records
  /// that are damaged.
  static result<std::unique_ptr<vault>> open(store& db, const master_key_source& from);

  virtual ~vault() = default;

  /// `context` names the place: `keys/0123456789abcdef/secret`. A data key is good for 2^32
  /// seals (storage/cipher.hpp); who rotates once in a million seals is far below.
  virtual std::string seal(std::string_view context, std::string_view plain) const = 0;

  /// `corrupt` if it was sealed elsewhere, under a key that is gone, or is damaged.
  virtual result<secret> open_sealed(std::string_view context, std::string_view sealed) const = 0;

  /// Whether it is sealed under an older data key, and should be sealed anew.
  virtual bool is_stale(std::string_view sealed) const = 0;

  /// Makes a new data key for what is sealed from now on, and, where the master key is a file,
  /// a new master key too. Crash-safe at every point: at the next start the files and the
  /// database fit together, by one of the two keys. After a failure as well: it may be asked
  /// again, and everything opens meanwhile. Older data keys stay until `retire`.
  virtual result<void> rotate() = 0;

  /// Forgets all data keys but the newest. What is sealed under another does not open any more:
  /// only for after everything was sealed anew.
  virtual result<void> retire() = 0;

  /// The first 8 hex digits of the SHA-256 of a fixed text under the master key: for people.
  virtual std::string master_fingerprint() const = 0;
  virtual std::string master_origin() const = 0; ///< `TROUPE_MASTER_KEY` or the file's path
  virtual std::uint32_t data_key() const = 0;    ///< number of the newest
  /// What an operator should know of how it was opened: that the master key was changed, say.
  virtual const std::vector<std::string>& notes() const = 0;
};

} // namespace troupe::storage
