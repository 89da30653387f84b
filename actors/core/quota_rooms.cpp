#include "actors/core/quota.hpp"

#include <algorithm>
#include <limits>

// What is left, for the pool and for people.

namespace troupe {

namespace {

std::uint32_t narrow(std::uint64_t n) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(n, std::numeric_limits<std::uint32_t>::max()));
}

quota_room room_of(quota_scope& s, const quota_moment& m) {
  std::uint64_t room = std::numeric_limits<std::uint64_t>::max();
  auto capacity = room;
  auto room_then = room;
  for (const auto& l : s.limits())
    if (l.enforced()) {
      room = std::min(room, s.room(l, m));
      capacity = std::min(capacity, s.capacity(l));
    }
  quota_room r{.model = s.model(), .room = narrow(room), .capacity = narrow(capacity)};
  if (room != 0)
    return r;
  const auto wait = s.fits_at(s.usual(), m);
  r.free_at = wait.at;
  r.per_day = wait.per_day;
  if (wait.at == quota_ledger::never)
    return r;
  for (const auto& l : s.limits())
    if (l.enforced())
      room_then = std::min(room_then, s.room_at(l, wait.at, m));
  r.room_then = std::max(narrow(room_then), std::uint32_t{1});
  return r;
}

quota_use use_of(quota_scope& s, const scope_limit& l, const quota_moment& m) {
  quota_use use;
  use.limit = {{s.model(), l.kind, l.amount}, l.source};
  use.used = s.used(l.kind, m);
  use.excess = s.excess(l.kind);
  if (use.used != 0)
    use.frees_in_ms =
        std::chrono::ceil<std::chrono::milliseconds>(s.next_free(l.kind, m) - m.t.now).count();
  if (is_daily(l.kind))
    use.resets_at = m.days.first;
  return use;
}

} // namespace

std::vector<quota_room> quota_ledger::rooms(const instants& t) {
  const auto m = ready(t);
  std::vector<quota_room> rooms;
  for (auto& s : scopes_)
    if (s.enforced())
      rooms.push_back(room_of(s, m));
  return rooms;
}

std::vector<quota_use> quota_ledger::uses(const instants& t) {
  const auto m = ready(t);
  std::vector<quota_use> uses;
  for (auto& s : scopes_)
    for (const auto& l : s.limits())
      uses.push_back(use_of(s, l, m));
  return uses;
}

} // namespace troupe
