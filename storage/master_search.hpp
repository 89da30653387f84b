#pragma once

// Which master key is the one. The environment is stronger than the file; but a key counts only
// if it fits what is in the database, and nothing that does not fit replaces anything.

#include "storage/cipher.hpp"
#include "storage/vault.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::storage {

/// A master key and where it is from, for words to operators.
struct master_key {
  key_bytes bytes;
  std::string origin; ///< `TROUPE_MASTER_KEY`, or the path of the file
  bool in_file = false;
};

struct found_master {
  master_key key;
  /// The key under which the data keys are wrapped still: `key` is to replace it.
  std::optional<key_bytes> wraps_now;
  /// A change of keys was cut off after the database had the new one: `key` lies in
  /// `next_file` and has to be moved to its place once the database surely wants it.
  bool move_next = false;
  std::vector<std::string> notes; ///< for an operator
};

/// The master key of a database that holds nothing sealed yet: that of the environment, or of
/// the file, or a new one, in the file when this returns.
result<found_master> first_master(const master_key_source& from);

/// The master key whose fingerprint is `wanted`. Changes nothing. `permission` in words that say
/// what is wanted, what was given and what to do.
result<found_master> find_master(const master_key_source& from, const std::string& wanted);

} // namespace troupe::storage
