#include "actors/key/quota_words.hpp"

#include "actors/key/key_record.hpp"
#include "storage/core/record_layout.hpp"

namespace troupe {

std::int64_t wait_word(time_point until, time_point now) {
  return until == quota_room::never ? -1 : milliseconds_until(until, now);
}

time_point instant_of(std::int64_t wait_ms, time_point now) {
  return wait_ms < 0 ? quota_room::never : now + std::chrono::milliseconds{wait_ms};
}

std::vector<room_word> to_words(const std::vector<quota_room>& rooms, time_point now) {
  std::vector<room_word> words;
  words.reserve(rooms.size());
  for (const auto& r : rooms)
    words.push_back(
        {r.model, r.room, r.capacity, wait_word(r.free_at, now), r.room_then, r.per_day});
  return words;
}

std::vector<quota_room> from_words(const std::vector<room_word>& words, time_point now) {
  std::vector<quota_room> rooms;
  rooms.reserve(words.size());
  for (const auto& w : words)
    rooms.push_back({.model = w.model,
                     .room = w.room,
                     .capacity = w.capacity,
                     .free_at = instant_of(w.wait_ms, now),
                     .room_then = w.room_then,
                     .per_day = w.per_day});
  return rooms;
}

std::vector<limit_status> to_status(const std::vector<quota_use>& uses) {
  std::vector<limit_status> all;
  all.reserve(uses.size());
  for (const auto& u : uses)
    all.push_back({.model = u.limit.what.model,
                   .kind = u.limit.what.kind,
                   .source = u.limit.source,
                   .amount = u.limit.what.amount,
                   .used = u.used,
                   .excess = u.excess,
                   .frees_in_ms = u.frees_in_ms,
                   .resets_at_ms = u.resets_at.time_since_epoch().count()});
  return all;
}

std::string quota_row_of_key(std::uint64_t key) {
  return "quota/key/" + storage::row_of(key);
}

std::string quota_row_of_domain(const std::string& name) {
  return "quota/domain/" + name;
}

std::string quota_row_of_credential(std::uint64_t id) {
  return "quota/credential/" + storage::row_of(id);
}

} // namespace troupe
