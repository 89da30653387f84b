#include "storage/core/audit_entry.hpp"

#include "storage/core/bytes.hpp"
#include "storage/core/record_layout.hpp"

namespace troupe::storage {

namespace {
constexpr std::uint8_t schema = 1;
} // namespace

std::string encode(const audit_entry& e) {
  byte_writer out;
  out.number(schema);
  out.number(e.at_ms);
  out.number(e.before);
  out.number(e.after);
  out.text(e.who);
  out.text(e.from);
  out.text(e.action);
  out.text(e.target);
  out.text(e.request_id);
  out.long_text(e.changes);
  return out.take();
}

result<audit_entry> decode_audit_entry(std::string_view bytes) {
  byte_reader in(bytes);
  std::uint8_t found = 0;
  in.number(found);
  if (!in.complete() || found != schema)
    return failure(errc::corrupt, "an audit entry has schema " + std::to_string(found)
                                      + ", this version knows " + std::to_string(schema));
  audit_entry e;
  in.number(e.at_ms);
  in.number(e.before);
  in.number(e.after);
  in.text(e.who);
  in.text(e.from);
  in.text(e.action);
  in.text(e.target);
  in.text(e.request_id);
  in.long_text(e.changes);
  if (!in.complete())
    return failure(errc::corrupt, "an audit entry ends too soon");
  if (in.left() != 0)
    return failure(errc::corrupt, "an audit entry has bytes too many");
  return e;
}

std::string audit_row(std::uint64_t clock) {
  return row_of(clock);
}

std::uint64_t clock_of_audit_row(std::string_view row) {
  return key_of_row(row);
}

} // namespace troupe::storage
