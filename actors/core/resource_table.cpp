#include "actors/core/resource_table.hpp"

#include <bit>
#include <functional>
#include <utility>

namespace troupe {

/// Buckets beyond the last power of two have been split off from those below it; the others of
/// its round still hold both halves.
std::size_t resource_table::bucket_of(std::string_view name) const {
  const auto hash = std::hash<std::string_view>{}(name);
  const auto round = std::bit_ceil(buckets_.size());
  const auto bucket = hash & (round - 1);
  return bucket < buckets_.size() ? bucket : hash & (round / 2 - 1);
}

std::uint32_t resource_table::at(std::string_view name) const {
  if (buckets_.empty())
    return nowhere;
  auto at = buckets_[bucket_of(name)];
  while (at != nowhere && entries_[at].name != name)
    at = entries_[at].next;
  return at;
}

const resource_owner* resource_table::find(std::string_view name) const {
  const auto found = at(name);
  return found == nowhere ? nullptr : &entries_[found];
}

/// One bucket more, and its share of the bucket that it splits.
void resource_table::grow() {
  const auto added = buckets_.size();
  buckets_.push_back(nowhere);
  if (added == 0)
    return;
  auto left = std::exchange(buckets_[added - std::bit_floor(added)], nowhere);
  while (left != nowhere) {
    auto& e = entries_[left];
    auto& bucket = buckets_[bucket_of(e.name)];
    const auto after = std::exchange(e.next, bucket);
    bucket = std::exchange(left, after);
  }
}

std::optional<std::string> resource_table::put(std::string_view name, const resource_owner& owner) {
  auto found = at(name);
  if (found == nowhere) {
    if (buckets_.size() <= size())
      grow();
    found = entries_.take();
    auto& bucket = buckets_[bucket_of(name)];
    entries_[found].name = name;
    entries_[found].next = std::exchange(bucket, found);
  } else {
    by_end_.erase(entries_, found, steps_);
  }
  static_cast<resource_owner&>(entries_[found]) = owner;
  by_end_.put(entries_, found, steps_);
  if (size() <= entries_max_)
    return std::nullopt;
  return take_out(by_end_.first());
}

bool resource_table::erase(std::string_view name) {
  const auto found = at(name);
  if (found == nowhere)
    return false;
  take_out(found);
  return true;
}

std::optional<std::string> resource_table::take_expired(std::int64_t now_ms) {
  const auto first = by_end_.first();
  if (first == nowhere || entries_[first].expires_at_ms > now_ms)
    return std::nullopt;
  return take_out(first);
}

std::string resource_table::take_out(std::uint32_t at) {
  auto* link = &buckets_[bucket_of(entries_[at].name)];
  while (*link != at)
    link = &entries_[*link].next;
  *link = entries_[at].next;
  by_end_.erase(entries_, at, steps_);
  auto name = std::move(entries_[at].name);
  entries_.give_back(at);
  return name;
}

} // namespace troupe
