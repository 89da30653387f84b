#include "storage/core/record_layout.hpp"

#include "storage/core/bytes.hpp"

#include <algorithm>

namespace troupe::storage {
namespace {

constexpr std::uint8_t schema = 1;
/// Names the numbers of the fixed part in their order, for writer and reader alike.
template <class Record, class Each>
void fixed_part(Record& r, Each each) {
  each(r.disabled);
  each(r.since_at_ms);
  each(r.strikes);
  each(r.rest_reason);
  each(r.rest_until_at_ms);
  each(r.granted);
  each(r.expired);
  each(r.abandoned);
  for (auto& count : r.answers)
    each(count);
  each(r.prompt_tokens);
  each(r.output_tokens);
  each(r.thought_tokens);
  each(r.cached_tokens);
  each(r.last_used_at_ms);
  each(r.last_error_at_ms);
}

} // namespace

std::string encode(const key_state_record& r) {
  byte_writer out;
  out.number(schema);
  fixed_part(r, [&out](auto n) { out.number(n); });
  out.text(r.last_error);
  const auto count = std::min(r.models.size(), byte_writer::short_max);
  out.number(static_cast<std::uint16_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    const auto& m = r.models[i];
    out.text(m.model);
    out.number(m.reason);
    out.number(m.until_at_ms);
    out.number(m.throttles);
    out.number(m.strikes);
  }
  return out.take();
}

result<key_state_record> decode_key_state(std::string_view bytes) {
  byte_reader in(bytes);
  std::uint8_t found = 0;
  in.number(found);
  if (!in.complete())
    return failure(errc::corrupt, "a key's state is empty");
  if (found != schema)
    return failure(errc::corrupt, "a key's state has schema " + std::to_string(found)
                                      + ", this version knows " + std::to_string(schema));
  key_state_record r;
  fixed_part(r, [&in](auto& n) { in.number(n); });
  in.text(r.last_error);
  std::uint16_t count = 0;
  in.number(count);
  for (std::uint16_t i = 0; i < count && in.complete(); ++i) {
    auto& m = r.models.emplace_back();
    in.text(m.model);
    in.number(m.reason);
    in.number(m.until_at_ms);
    in.number(m.throttles);
    in.number(m.strikes);
  }
  if (!in.complete())
    return failure(errc::corrupt,
                   "a key's state ends too soon, at " + std::to_string(bytes.size()) + " bytes");
  if (in.left() != 0)
    return failure(errc::corrupt,
                   "a key's state has " + std::to_string(in.left()) + " bytes too many");
  return r;
}

std::string row_of(std::uint64_t key) {
  std::string row(sizeof key, '\0');
  for (std::size_t i = row.size(); i > 0; --i, key >>= 8)
    row[i - 1] = static_cast<char>(key & 0xFF);
  return row;
}

std::uint64_t key_of_row(std::string_view row) {
  if (row.size() != sizeof(std::uint64_t))
    return 0;
  std::uint64_t key = 0;
  for (const char c : row)
    key = key << 8 | static_cast<unsigned char>(c);
  return key;
}

} // namespace troupe::storage
