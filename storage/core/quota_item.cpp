#include "storage/core/quota_item.hpp"

#include "storage/core/bytes.hpp"

namespace troupe::storage {

namespace {

constexpr std::uint8_t schema = 1;

void write_varint(byte_writer& out, std::uint64_t n) {
  for (; n >= 0x80; n >>= 7)
    out.number(static_cast<std::uint8_t>(n | 0x80));
  out.number(static_cast<std::uint8_t>(n));
}

void write_step(byte_writer& out, std::int64_t from, std::int64_t to) {
  const auto step = static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
  write_varint(out, step >> 63 == 0 ? step << 1 : ~(step << 1));
}

/// Reads what `encode` writes. False: the bytes are complete, but not written so.
class record_reader {
public:
  explicit record_reader(std::string_view bytes) : in_(bytes) {}

  bool varint(std::uint64_t& n) {
    n = 0;
    for (unsigned shift = 0;; shift += 7) {
      std::uint8_t byte = 0;
      in_.number(byte);
      if (shift == 63 && byte > 1)
        return false;
      n |= std::uint64_t{byte & 0x7FU} << shift;
      if ((byte & 0x80U) == 0)
        return !in_.complete() || byte != 0 || shift == 0;
    }
  }

  /// No count is believed that the bytes left cannot hold.
  bool count(std::uint64_t& n) { return varint(n) && n <= in_.left(); }

  bool step(std::int64_t from, std::int64_t& to) {
    std::uint64_t n = 0;
    if (!varint(n))
      return false;
    const auto step = (n & 1) == 0 ? n >> 1 : ~(n >> 1);
    to = static_cast<std::int64_t>(static_cast<std::uint64_t>(from) + step);
    return true;
  }

  bool kind(limit_kind& k) {
    std::uint8_t found = 0;
    in_.number(found);
    k = static_cast<limit_kind>(found);
    return found >= static_cast<std::uint8_t>(limit_kind::rpm)
           && found <= static_cast<std::uint8_t>(limit_kind::concurrency);
  }

  bool source(limit_source& s) {
    std::uint8_t found = 0;
    in_.number(found);
    s = static_cast<limit_source>(found);
    return s == limit_source::told || s == limit_source::estimated;
  }

  bool window(std::int64_t written_at_ms, quota_record::window& w) {
    in_.text(w.model);
    std::uint64_t entries = 0;
    if (!kind(w.kind) || !count(entries))
      return false;
    auto last_ms = written_at_ms;
    for (; entries > 0 && in_.complete(); --entries) {
      auto& e = w.entries.emplace_back();
      if (!step(last_ms, e.at_ms) || !varint(e.amount))
        return false;
      last_ms = e.at_ms;
    }
    return true;
  }

  bool told(std::int64_t written_at_ms, quota_record::told& t) {
    in_.text(t.what.model);
    return kind(t.what.kind) && source(t.source) && varint(t.what.amount)
           && step(written_at_ms, t.at_ms);
  }

  bool record(quota_record& r) {
    in_.number(r.written_at_ms);
    if (!varint(r.calls) || !varint(r.calls_ceiling) || !varint(r.tokens)
        || !varint(r.tokens_ceiling))
      return false;
    std::uint64_t left = 0;
    if (!count(left))
      return false;
    for (; left > 0 && in_.complete(); --left)
      if (!window(r.written_at_ms, r.windows.emplace_back()))
        return false;
    if (!count(left))
      return false;
    for (; left > 0 && in_.complete(); --left)
      if (!told(r.written_at_ms, r.learnt.emplace_back()))
        return false;
    return true;
  }

  byte_reader& bytes() { return in_; }

private:
  byte_reader in_;
};

} // namespace

std::string encode(const quota_record& r) {
  byte_writer out;
  out.number(schema);
  out.number(r.written_at_ms);
  for (const auto n : {r.calls, r.calls_ceiling, r.tokens, r.tokens_ceiling})
    write_varint(out, n);
  write_varint(out, r.windows.size());
  for (const auto& w : r.windows) {
    out.text(w.model);
    out.number(static_cast<std::uint8_t>(w.kind));
    write_varint(out, w.entries.size());
    auto last_ms = r.written_at_ms;
    for (const auto& e : w.entries) {
      write_step(out, last_ms, e.at_ms);
      write_varint(out, e.amount);
      last_ms = e.at_ms;
    }
  }
  write_varint(out, r.learnt.size());
  for (const auto& t : r.learnt) {
    out.text(t.what.model);
    out.number(static_cast<std::uint8_t>(t.what.kind));
    out.number(static_cast<std::uint8_t>(t.source));
    write_varint(out, t.what.amount);
    write_step(out, r.written_at_ms, t.at_ms);
  }
  return out.take();
}

result<quota_record> decode_quota_record(std::string_view payload) {
  record_reader in(payload);
  std::uint8_t found = 0;
  in.bytes().number(found);
  if (!in.bytes().complete())
    return failure(errc::corrupt, "a quota's record is empty");
  if (found != schema)
    return failure(errc::corrupt, "a quota's record has schema " + std::to_string(found)
                                      + ", this version knows " + std::to_string(schema));
  quota_record r;
  const bool known = in.record(r);
  if (!in.bytes().complete())
    return failure(errc::corrupt, "a quota's record ends too soon");
  if (!known)
    return failure(errc::corrupt, "a quota's record says what this version does not know");
  if (in.bytes().left() != 0)
    return failure(errc::corrupt, "a quota's record has bytes too many");
  return r;
}

} // namespace troupe::storage
