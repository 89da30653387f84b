#include "storage/core/settings_item.hpp"

#include "storage/core/bytes.hpp"
#include "storage/core/record_layout.hpp"

namespace troupe::storage {

namespace {
constexpr std::uint8_t schema = 1;
constexpr std::string_view version_prefix = "version/";
} // namespace

std::string encode(const settings_item& s) {
  byte_writer out;
  out.number(schema);
  out.long_text(s.sealed_document);
  out.text(s.who);
  out.text(s.from);
  out.text(s.what);
  return out.take();
}

result<settings_item> decode_settings_item(std::string_view payload) {
  byte_reader in(payload);
  std::uint8_t found = 0;
  in.number(found);
  if (!in.complete() || found != schema)
    return failure(errc::corrupt, "a version of the settings has schema " + std::to_string(found)
                                      + ", this version of troupe knows " + std::to_string(schema));
  settings_item s;
  in.long_text(s.sealed_document);
  in.text(s.who);
  in.text(s.from);
  in.text(s.what);
  if (!in.complete())
    return failure(errc::corrupt, "a version of the settings ends too soon");
  if (in.left() != 0)
    return failure(errc::corrupt, "a version of the settings has bytes too many");
  return s;
}

std::string version_row(std::uint64_t revision) {
  return std::string{version_prefix} + row_of(revision);
}

std::uint64_t revision_of_row(std::string_view row) {
  return row.starts_with(version_prefix) ? key_of_row(row.substr(version_prefix.size())) : 0;
}

} // namespace troupe::storage
