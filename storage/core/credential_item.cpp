#include "storage/core/credential_item.hpp"

#include "storage/core/bytes.hpp"
#include "storage/core/limit_list.hpp"
#include "storage/core/record_layout.hpp"

namespace troupe::storage {

namespace {

constexpr std::uint8_t schema = 2;
constexpr std::string_view row_prefix = "id/";
constexpr std::string_view name_prefix = "cred_";
constexpr std::size_t id_digits = 16;

bool known(std::uint8_t r) {
  return r >= static_cast<std::uint8_t>(role::client)
         && r <= static_cast<std::uint8_t>(role::viewer);
}

} // namespace

std::string_view to_string(role r) {
  switch (r) {
  case role::client:
    return "client";
  case role::operator_:
    return "operator";
  case role::viewer:
    return "viewer";
  }
  return "unknown";
}

std::string encode(const credential_item& c) {
  byte_writer out;
  out.number(schema);
  out.number(static_cast<std::uint8_t>(c.what));
  for (const auto b : c.sha256)
    out.number(b);
  out.number(c.expires_at_ms);
  out.text(c.name);
  out.text(c.note);
  out.texts(c.models);
  out.texts(c.groups);
  write_limits(out, c.limits);
  return out.take();
}

result<credential_item> decode_credential_item(std::string_view payload) {
  byte_reader in(payload);
  std::uint8_t found = 0;
  std::uint8_t what = 0;
  in.number(found);
  if (!in.complete())
    return failure(errc::corrupt, "a credential's record is empty");
  if (found != schema)
    return failure(errc::corrupt, "a credential's record has schema " + std::to_string(found)
                                      + ", this version knows " + std::to_string(schema));
  credential_item c;
  in.number(what);
  for (auto& b : c.sha256)
    in.number(b);
  in.number(c.expires_at_ms);
  in.text(c.name);
  in.text(c.note);
  in.texts(c.models);
  in.texts(c.groups);
  const bool limits = read_limits(in, c.limits);
  if (!in.complete())
    return failure(errc::corrupt, "a credential's record ends too soon");
  if (!limits || !known(what))
    return failure(errc::corrupt, "a credential's record says what this version does not know");
  if (in.left() != 0)
    return failure(errc::corrupt, "a credential's record has bytes too many");
  c.what = static_cast<role>(what);
  return c;
}

std::uint64_t credential_id(const std::array<std::uint8_t, 32>& sha256) {
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < 8; ++i)
    id = id << 8 | sha256[i];
  return id;
}

std::string credential_name(std::uint64_t id) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out{name_prefix};
  for (int shift = 60; shift >= 0; shift -= 4)
    out += digits[id >> shift & 15];
  return out;
}

std::uint64_t parse_credential_name(std::string_view text) {
  if (!text.starts_with(name_prefix) || text.size() != name_prefix.size() + id_digits)
    return 0;
  std::uint64_t id = 0;
  for (const char c : text.substr(name_prefix.size())) {
    if (c >= '0' && c <= '9')
      id = id << 4 | static_cast<std::uint64_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      id = id << 4 | static_cast<std::uint64_t>(c - 'a' + 10);
    else
      return 0;
  }
  return id;
}

std::string credential_row(std::uint64_t id) {
  return std::string{row_prefix} + row_of(id);
}

std::uint64_t credential_of_row(std::string_view row) {
  return row.starts_with(row_prefix) ? key_of_row(row.substr(row_prefix.size())) : 0;
}

} // namespace troupe::storage
