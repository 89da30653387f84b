#pragma once

// Which key made which resource. Names are found by hashing into buckets that grow one at a time
// (linear hashing): a table that doubles would stop everybody for tens of milliseconds at a
// million names. What expires first stands first in a heap. An entry takes about 150 bytes with a
// name of 50.

#include "actors/core/slab.hpp"
#include "actors/core/slab_heap.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

struct resource_owner {
  std::uint64_t key = 0;
  std::uint64_t credential = 0;
  std::int64_t expires_at_ms = 0;

  friend bool operator==(const resource_owner&, const resource_owner&) = default;
};

/// A bounded number of names, each with who made it. A value.
class resource_table {
public:
  explicit resource_table(std::size_t entries_max) : entries_max_(entries_max) {}

  /// Also of a resource that has expired. Valid until the next change; null: unknown.
  const resource_owner* find(std::string_view name) const;

  /// Sets the owner of `name`. Where that makes one too many, the one that expires first goes,
  /// which may be this one: its name.
  std::optional<std::string> put(std::string_view name, const resource_owner& owner);

  /// Whether it was there.
  bool erase(std::string_view name);

  /// Takes one out that has expired by `now_ms`: its name.
  std::optional<std::string> take_expired(std::int64_t now_ms);

  std::size_t size() const { return by_end_.size(); }

private:
  struct entry : resource_owner {
    std::string name;
    std::uint32_t next = nowhere;  ///< in the bucket
    std::uint32_t place = nowhere; ///< in the heap
  };

  std::size_t bucket_of(std::string_view name) const;
  std::uint32_t at(std::string_view name) const;
  void grow();
  std::string take_out(std::uint32_t at);

  std::size_t entries_max_;
  slab<entry> entries_;
  slab_heap<entry, &resource_owner::expires_at_ms, &entry::place> by_end_;
  std::deque<std::uint32_t> buckets_; ///< the first of each chain
  std::uint64_t steps_ = 0;           ///< counted by the heap
};

} // namespace troupe
