#pragma once

// Who changed what, when, from where: the column `audit`, under the 8 bytes of the entry's
// clock, big-endian, so that entries lie in order also when the wall clock steps back.
//
//   u8 schema = 1, i64 at_ms, u64 revision before, u64 revision after
//   text who, from, action, target, request_id; u32 length, bytes changes (JSON, no secret)

#include "protocol/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::storage {

struct audit_entry {
  std::int64_t at_ms = 0;
  std::string who;          ///< name of the credential, `local` for the node's own socket, `start`
  std::string from;         ///< address
  std::string action;       ///< `settings.change`, `keys.add`, ...; stable words
  std::string target;       ///< id of the item; may be empty (bulk)
  std::uint64_t before = 0; ///< the item's revision; 0: it was not there
  std::uint64_t after = 0;
  std::string request_id;
  std::string changes; ///< JSON object: what was changed, secrets as "***"

  friend bool operator==(const audit_entry&, const audit_entry&) = default;
};

std::string encode(const audit_entry& e);
result<audit_entry> decode_audit_entry(std::string_view bytes);

/// Big-endian, so that rows lie in the order of their clocks.
std::string audit_row(std::uint64_t clock);
std::uint64_t clock_of_audit_row(std::string_view row);

} // namespace troupe::storage
