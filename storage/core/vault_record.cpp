#include "storage/core/vault_record.hpp"

#include "storage/core/bytes.hpp"

namespace troupe::storage {

namespace {

constexpr std::uint8_t schema = 1;
constexpr std::string_view key_rows = "vault/key/";
constexpr std::size_t box_bytes_min = 12 + 16;

} // namespace

std::string encode(const master_record& m) {
  TROUPE_ASSERT(m.salt.size() == master_record::salt_bytes);
  byte_writer out;
  out.number(schema);
  out.raw(m.salt);
  out.text(m.fingerprint);
  return out.take();
}

result<master_record> decode_master_record(std::string_view bytes) {
  byte_reader in(bytes);
  master_record m;
  std::uint8_t found = 0;
  in.number(found);
  m.salt = in.raw(master_record::salt_bytes);
  in.text(m.fingerprint);
  if (!in.complete() || in.left() != 0 || found != schema || m.fingerprint.empty())
    return failure{errc::corrupt, "the record of the master key is damaged, or of a later version"};
  return m;
}

std::string encode(const data_key_record& k) {
  TROUPE_ASSERT(k.wrapped.size() == data_key_record::wrapped_bytes);
  byte_writer out;
  out.number(schema);
  out.number(k.number);
  out.raw(k.wrapped);
  return out.take();
}

result<data_key_record> decode_data_key_record(std::string_view bytes) {
  byte_reader in(bytes);
  data_key_record k;
  std::uint8_t found = 0;
  in.number(found);
  in.number(k.number);
  k.wrapped = in.raw(data_key_record::wrapped_bytes);
  if (!in.complete() || in.left() != 0 || found != schema || k.number == 0)
    return failure{errc::corrupt, "the record of a data key is damaged, or of a later version"};
  return k;
}

std::string data_key_row(std::uint32_t number) {
  return std::string{key_rows} + std::to_string(number);
}

bool is_data_key_row(std::string_view row) {
  return row.starts_with(key_rows);
}

std::string join_sealed(std::uint32_t data_key, std::string_view box) {
  byte_writer out;
  out.number(schema);
  out.number(data_key);
  out.raw(box);
  return out.take();
}

std::optional<sealed_text> split_sealed(std::string_view sealed) {
  byte_reader in(sealed);
  sealed_text parts;
  std::uint8_t found = 0;
  in.number(found);
  in.number(parts.data_key);
  if (!in.complete() || found != schema || in.left() < box_bytes_min)
    return std::nullopt;
  parts.box = in.raw(in.left());
  return parts;
}

} // namespace troupe::storage
