#pragma once

// Hard affinity. What a key has made upstream (an uploaded file, a cached content, a stored
// response) only that key may use, for weeks and across restarts: this is the memory of it.
// A resource is also its client's alone: to everybody else it is as unknown as if it had never
// been made, because the upstream sees only keys and would hand it to any client of that key.

#include "actors/core/resource_table.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/result.hpp"
#include "storage/store.hpp"

#include <caf/actor.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// How long a resource is remembered whose end no answer tells. A file's is the upstream's own
/// word (docs/protocol/gemini.md section 7), a response's that of the Responses API; the end of a
/// cached content stands in its answer (`gemini::cache_facts`).
constexpr std::int64_t file_lifetime_ms = 48 * 3'600'000LL;
constexpr std::int64_t response_lifetime_ms = 30 * 24 * 3'600'000LL;

/// One resource, as it was made.
struct made_resource {
  std::string name; ///< `cachedContents/ID`, `files/ID`, or the id of a response
  std::uint64_t key = 0;
  std::uint64_t credential = 0;
  std::int64_t expires_at_ms = 0;
};

/// Thread-safe: one for all fronts of a node. Its lock is held for about a microsecond, but for the
/// few moments in its life in which a table moves; nothing is sent while it is held.
///
/// It holds the storage actor, so it goes before the actor system does. What is noted lies on disk
/// a quarter of a second later. Two threads that change one name at the same moment may leave on
/// disk what the slower of them said: a later start then pins calls of a resource that is gone, or
/// does not know one that is there.
class resource_book {
public:
  static constexpr std::size_t entries_max = 1'000'000;

  /// @param storage  takes `save_resource` and `erase_resource`; null: nothing is kept
  explicit resource_book(caf::actor storage, std::size_t bound = entries_max)
      : storage_(std::move(storage)), table_(bound) {}

  /// The key that made it; 0: unknown, expired, or made for another credential.
  std::uint64_t key_of(std::string_view name, std::uint64_t credential, std::int64_t now_ms) const;

  /// Made, or its end was changed. Without a name or a key, with a name over
  /// `storage::resource_name_bytes_max`, or already expired: ignored. Beyond the bound the one
  /// that expires first goes.
  void note(made_resource made, std::int64_t now_ms);

  /// Deleted upstream. Who may delete it was decided by `key_of`.
  void forget(std::string_view name);

  /// As it was kept, for a start: not kept again.
  void restore(std::string_view name, const resource_owner& owner, std::int64_t now_ms);

  /// Also those that have expired since the last change.
  std::size_t size() const;

private:
  void take_expired(std::vector<std::string>& gone, std::int64_t now_ms);
  void erase_rows(std::vector<std::string> gone) const;

  caf::actor storage_;
  mutable std::mutex access_;
  resource_table table_;
};

/// Fills the book with what `from` keeps and has not expired; the rest is erased there. Damaged
/// rows are logged and skipped. Fails only if the column cannot be read.
result<void> restore_resources(resource_book& book, const storage::store& from, log_sink& log,
                               std::int64_t now_ms);

} // namespace troupe
