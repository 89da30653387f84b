#include "storage/core/key_item.hpp"

#include "storage/core/bytes.hpp"
#include "storage/core/limit_list.hpp"

#include <algorithm>

namespace troupe::storage {

namespace {

constexpr std::uint8_t schema = 1;
constexpr std::uint8_t enabled_flag = 1;

} // namespace

void write_limits(byte_writer& out, const std::vector<limit>& list) {
  const auto count = std::min(list.size(), byte_writer::short_max);
  out.number(static_cast<std::uint16_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    out.text(list[i].model);
    out.number(static_cast<std::uint8_t>(list[i].kind));
    out.number(list[i].amount);
  }
}

bool read_limits(byte_reader& in, std::vector<limit>& list) {
  std::uint16_t count = 0;
  in.number(count);
  for (std::uint16_t i = 0; i < count && in.complete(); ++i) {
    auto& l = list.emplace_back();
    std::uint8_t kind = 0;
    in.text(l.model);
    in.number(kind);
    in.number(l.amount);
    if (kind < static_cast<std::uint8_t>(limit_kind::rpm)
        || kind > static_cast<std::uint8_t>(limit_kind::concurrency))
      return !in.complete();
    l.kind = static_cast<limit_kind>(kind);
  }
  return true;
}

std::string encode(const key_item& k) {
  byte_writer out;
  out.number(schema);
  out.number(k.enabled ? enabled_flag : std::uint8_t{0});
  out.long_text(k.sealed_secret);
  out.text(k.upstream);
  out.text(k.kind);
  out.text(k.name);
  out.text(k.domain);
  out.text(k.note);
  out.long_text(k.proxy_sealed);
  out.texts(k.groups);
  out.texts(k.tags);
  out.number(k.weight);
  out.number(k.tier);
  write_limits(out, k.limits);
  return out.take();
}

result<key_item> decode_key_item(std::string_view payload) {
  byte_reader in(payload);
  std::uint8_t found = 0;
  std::uint8_t flags = 0;
  in.number(found);
  if (!in.complete())
    return failure(errc::corrupt, "a key's record is empty");
  if (found != schema)
    return failure(errc::corrupt, "a key's record has schema " + std::to_string(found)
                                      + ", this version knows " + std::to_string(schema));
  key_item k;
  in.number(flags);
  in.long_text(k.sealed_secret);
  in.text(k.upstream);
  in.text(k.kind);
  in.text(k.name);
  in.text(k.domain);
  in.text(k.note);
  in.long_text(k.proxy_sealed);
  in.texts(k.groups);
  in.texts(k.tags);
  in.number(k.weight);
  in.number(k.tier);
  const bool known = read_limits(in, k.limits) && flags <= enabled_flag;
  if (!in.complete())
    return failure(errc::corrupt, "a key's record ends too soon");
  if (!known)
    return failure(errc::corrupt, "a key's record says what this version does not know");
  if (in.left() != 0)
    return failure(errc::corrupt, "a key's record has bytes too many");
  k.enabled = flags == enabled_flag;
  return k;
}

} // namespace troupe::storage
