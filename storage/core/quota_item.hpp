#pragma once

// What one quota domain has used, as it is kept (`troupe::quota_record`). Schema 1; numbers are
// little-endian where they have a width, else varints: 7 bits a byte, the lowest first, the high
// bit saying that more follow, in the fewest bytes that hold them. A step is a difference of two
// instants as a varint: 0, -1, 1, -2, ... are 0, 1, 2, 3, ...
//
//   u8 schema = 1
//   i64 written_at_ms
//   varint calls, calls_ceiling, tokens, tokens_ceiling
//   varint count, windows:  text model, u8 kind,
//                           varint count, entries: step from the entry before (the first: from
//                           written_at_ms), varint amount
//   varint count, learnt:   text model, u8 kind, u8 source (1 told, 2 estimated),
//                           varint amount, step from written_at_ms
//
// It is written several times a second where a key is busy, so it is small: an entry takes about
// 4 bytes.

#include "protocol/base/quota_record.hpp"
#include "protocol/base/result.hpp"

#include <string>
#include <string_view>

namespace troupe::storage {

/// Names of models longer than 65,535 bytes are cut there.
std::string encode(const quota_record& r);

/// `corrupt`, in words, for an unknown schema, kind or source, numbers that are not written as
/// `encode` writes them, bytes that end too soon or are left over.
result<quota_record> decode_quota_record(std::string_view payload);

} // namespace troupe::storage
