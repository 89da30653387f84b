#include "actors/core/quota.hpp"
#include "protocol/base/result.hpp"
#include "storage/core/quota_item.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

// Any bytes as the kept record of a quota domain: refused as `corrupt` in words, or read for
// exactly what they say. What was read, a ledger starts from without harm: it never grants more
// than its limits, and what it writes can be read.

using namespace troupe;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto read = storage::decode_quota_record(bytes);
  if (!read) {
    TROUPE_ASSERT(read.error().code == errc::corrupt);
    TROUPE_ASSERT(!read.error().text.empty());
    return 0;
  }
  TROUPE_ASSERT(storage::encode(*read) == bytes);

  const instants t{time_point{std::chrono::hours{1}},
                   wall_time{std::chrono::sys_days{std::chrono::year{2026} / 11 / 25}}};
  quota_ledger ledger;
  ledger.declare({{"", limit_kind::rpm, 3}, {"m", limit_kind::tpd, 1'000}}, t);
  ledger.restore(*read, t);
  ledger.allow(ledger.record(t));
  int granted = 0;
  for (int i = 0; i < 5; ++i) {
    const auto verdict = ledger.admit({"m", 100, 100}, t);
    granted += verdict.granted ? 1 : 0;
    ledger.end(verdict.ticket, {}, t);
    ledger.allow(ledger.record(t));
  }
  TROUPE_ASSERT(granted <= 3);
  for (const auto& room : ledger.rooms(t))
    TROUPE_ASSERT(room.capacity >= 1);
  TROUPE_ASSERT(storage::decode_quota_record(storage::encode(ledger.record(t))).has_value());
  return 0;
}
