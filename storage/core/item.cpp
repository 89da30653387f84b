#include "storage/core/item.hpp"

#include "storage/core/bytes.hpp"
#include "storage/core/crc32c.hpp"

#include <algorithm>
#include <limits>

namespace troupe::storage {

namespace {

constexpr std::uint8_t schema = 1;
constexpr std::uint8_t deleted_flag = 1;
constexpr unsigned count_bits = 16;
constexpr std::size_t checksum_bytes = 4;

/// Rows are named by their digits: a name may be anything once a disk is damaged.
std::string shown(std::string_view row_key) {
  static constexpr char digits[] = "0123456789abcdef";
  constexpr std::size_t shown_max = 24;
  std::string out = "row ";
  for (const char c : row_key.substr(0, shown_max)) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out + (row_key.size() > shown_max ? "..." : "");
}

failure damaged(std::string_view row_key, const std::string& how) {
  return {errc::corrupt, shown(row_key) + ' ' + how};
}

} // namespace

std::uint64_t next_clock(std::uint64_t last, std::int64_t wall_ms) {
  constexpr auto end = std::numeric_limits<std::uint64_t>::max();
  const auto ms =
      std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(wall_ms, 0)), end >> count_bits);
  // The count runs over into the milliseconds by itself: later stays later.
  return std::max(last == end ? end : last + 1, ms << count_bits);
}

std::string encode_item(std::string_view row_key, const item_header& header,
                        std::string_view payload) {
  byte_writer out;
  out.number(schema);
  out.number(header.deleted ? deleted_flag : std::uint8_t{0});
  out.number(header.revision);
  out.number(header.written.epoch);
  out.number(header.written.clock);
  for (const auto b : header.written.node)
    out.number(b);
  out.number(header.created_at_ms);
  out.number(header.changed_at_ms);
  out.long_text(header.deleted ? std::string_view{} : payload);
  out.number(crc32c(out.bytes(), crc32c(row_key)));
  return out.take();
}

result<item_row> decode_item(std::string_view row_key, std::string_view bytes) {
  byte_reader in(bytes);
  item_row row;
  std::uint8_t found = 0;
  std::uint8_t flags = 0;
  std::uint32_t checksum = 0;
  auto& h = row.header;
  in.number(found);
  if (in.complete() && found != schema)
    return damaged(row_key, "has an envelope of schema " + std::to_string(found)
                                + ", this version knows " + std::to_string(schema));
  in.number(flags);
  in.number(h.revision);
  in.number(h.written.epoch);
  in.number(h.written.clock);
  for (auto& b : h.written.node)
    in.number(b);
  in.number(h.created_at_ms);
  in.number(h.changed_at_ms);
  in.long_text(row.payload);
  in.number(checksum);
  if (!in.complete())
    return damaged(row_key, "ends too soon");
  if (in.left() != 0)
    return damaged(row_key, "has bytes too many");
  if (checksum != crc32c(bytes.substr(0, bytes.size() - checksum_bytes), crc32c(row_key)))
    return damaged(row_key, "is not what was written: its checksum differs");
  if (flags > deleted_flag)
    return damaged(row_key, "has flags that this version does not know");
  h.deleted = flags == deleted_flag;
  if (h.deleted && !row.payload.empty())
    return damaged(row_key, "is deleted and has a payload");
  return row;
}

} // namespace troupe::storage
