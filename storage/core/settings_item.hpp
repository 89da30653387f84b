#pragma once

// The settings that were changed while a node ran: one document, the database layer of the
// configuration, in the shape of the configuration file. The column `settings` has it as an
// item under `document`, and each of its versions under `version/` and its revision, 8 bytes,
// big-endian.
//
//   u8 schema = 1, u32 length, bytes   the document, sealed: headers of upstreams may be secrets
//   text who, from, what               of a version, for the history
//
// Sealed as a whole with the context `settings/REVISION`.

#include "protocol/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::storage {

struct settings_item {
  std::string sealed_document;
  std::string who;
  std::string from;
  std::string what; ///< one line: `changed pool.cooldown`, `restored version 7`

  friend bool operator==(const settings_item&, const settings_item&) = default;
};

std::string encode(const settings_item& s);
result<settings_item> decode_settings_item(std::string_view payload);

std::string version_row(std::uint64_t revision);
std::uint64_t revision_of_row(std::string_view row); ///< 0: no such row

} // namespace troupe::storage
