#include "protocol/base/result.hpp"
#include "storage/core/audit_entry.hpp"
#include "storage/core/credential_item.hpp"
#include "storage/core/credential_record.hpp"
#include "storage/core/item.hpp"
#include "storage/core/key_item.hpp"
#include "storage/core/record_layout.hpp"
#include "storage/core/resource_item.hpp"
#include "storage/core/settings_item.hpp"
#include "storage/core/vault_record.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Any bytes as a stored record of any format: refused as `corrupt` in words, or read for exactly
// what they say, so that they come out the same when written again. The first byte chooses the
// format; in an envelope the next one is the length of the name of its row.

namespace {

using namespace troupe;
using namespace troupe::storage;

template <class Record>
void check(const result<Record>& read, std::string_view bytes) {
  if (read) {
    TROUPE_ASSERT(encode(*read) == bytes);
    return;
  }
  TROUPE_ASSERT(read.error().code == errc::corrupt);
  TROUPE_ASSERT(!read.error().text.empty());
  TROUPE_ASSERT(read.error().text.size() < 300);
}

void check_refused(const failure& why) {
  TROUPE_ASSERT(why.code == errc::corrupt);
  for (const char c : why.text)
    TROUPE_ASSERT(c >= ' ' && c < 0x7F);
}

/// Bytes as they are are hardly ever an envelope: one is also made around them, and damaged.
void check_item(std::string_view bytes) {
  const auto name = bytes.substr(0, bytes.empty() ? 0 : bytes[0] & 15);
  const auto rest = bytes.substr(std::min(bytes.size(), name.size() + 1));
  if (const auto read = decode_item(name, rest))
    TROUPE_ASSERT(encode_item(name, read->header, read->payload) == rest);
  else
    check_refused(read.error());

  item_header header;
  header.revision = bytes.size();
  header.deleted = rest.empty();
  auto whole = encode_item(name, header, rest);
  const auto read = decode_item(name, whole);
  TROUPE_ASSERT(read.has_value());
  TROUPE_ASSERT(read->payload == rest);
  TROUPE_ASSERT(read->header == header);
  const auto at = rest.size() * 31 % whole.size();
  whole[at] = static_cast<char>(whole[at] ^ 0x10);
  const auto damaged = decode_item(name, whole);
  TROUPE_ASSERT(!damaged.has_value());
  check_refused(damaged.error());
}

void check_names(std::string_view text) {
  if (const auto id = parse_credential_name(text))
    TROUPE_ASSERT(credential_name(id) == text);
  if (const auto id = credential_of_row(text))
    TROUPE_ASSERT(credential_row(id) == text);
  if (const auto revision = revision_of_row(text))
    TROUPE_ASSERT(version_row(revision) == text);
  if (const auto clock = clock_of_audit_row(text))
    TROUPE_ASSERT(audit_row(clock) == text);
  if (const auto parts = split_sealed(text))
    TROUPE_ASSERT(join_sealed(parts->data_key, parts->box) == text);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 10) {
  case 0:
    check(decode_key_item(bytes), bytes);
    break;
  case 1:
    check(decode_credential_item(bytes), bytes);
    break;
  case 2:
    check(decode_audit_entry(bytes), bytes);
    break;
  case 3:
    check(decode_settings_item(bytes), bytes);
    break;
  case 4:
    check(decode_key_state(bytes), bytes);
    break;
  case 5:
    check(decode_credential(bytes), bytes);
    break;
  case 6:
    check(decode_master_record(bytes), bytes);
    check(decode_data_key_record(bytes), bytes);
    break;
  case 7:
    check_item(bytes);
    break;
  case 8:
    check_names(bytes);
    break;
  case 9:
    check(decode_resource_item(bytes), bytes);
    break;
  }
  return 0;
}
