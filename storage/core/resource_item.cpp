#include "storage/core/resource_item.hpp"

#include "storage/core/bytes.hpp"

namespace troupe::storage {

namespace {
constexpr std::uint8_t schema = 1;
} // namespace

std::string encode(const resource_item& r) {
  byte_writer out;
  out.number(schema);
  out.number(r.key);
  out.number(r.credential);
  out.number(r.expires_at_ms);
  return out.take();
}

result<resource_item> decode_resource_item(std::string_view bytes) {
  byte_reader in(bytes);
  std::uint8_t found = 0;
  in.number(found);
  if (!in.complete())
    return failure(errc::corrupt, "a resource's record is empty");
  if (found != schema)
    return failure(errc::corrupt, "a resource's record has schema " + std::to_string(found)
                                      + ", this version knows " + std::to_string(schema));
  resource_item r;
  in.number(r.key);
  in.number(r.credential);
  in.number(r.expires_at_ms);
  if (!in.complete())
    return failure(errc::corrupt, "a resource's record ends too soon");
  if (in.left() != 0)
    return failure(errc::corrupt, "a resource's record has bytes too many");
  return r;
}

} // namespace troupe::storage
