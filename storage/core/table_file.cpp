#include "storage/core/table_file.hpp"

#include "storage/core/crc32c.hpp"
#include "storage/core/varint.hpp"

#include <algorithm>
#include <map>

namespace troupe::storage {

namespace {

constexpr std::size_t trailer_bytes = 5;
constexpr std::size_t footer_bytes = 53;
constexpr std::size_t mark_bytes = 8; ///< type and sequence behind each key
constexpr std::uint64_t magic = 0x88e241b785f4cff7U;
constexpr std::uint8_t crc32c_kind = 1;

/// Where a block lies, without its trailer.
struct extent {
  std::size_t at = 0;
  std::size_t size = 0;
};

bool sound(std::string_view bytes, extent e) {
  if (e.at > bytes.size() || e.size > bytes.size() - e.at
      || bytes.size() - e.at - e.size < trailer_bytes)
    return false;
  const auto summed = bytes.substr(e.at, e.size + 1);
  return masked(crc32c(summed)) == number_at<std::uint32_t>(bytes, e.at + e.size + 1);
}

std::optional<extent> take_extent(std::string_view& rest) {
  const auto at = take_varint(rest);
  const auto size = at ? take_varint(rest) : std::nullopt;
  if (!size)
    return std::nullopt;
  return extent{static_cast<std::size_t>(*at), static_cast<std::size_t>(*size)};
}

/// A row, and where the next one would begin.
struct entry {
  table_row row;
  std::size_t next = 0;
  bool known_type = false; ///< a value or an erasure
};

/// Nothing if there can be no row at `at`.
std::optional<entry> entry_at(std::string_view block, std::size_t at) {
  auto rest = block.substr(std::min(at, block.size()));
  const auto shared = take_varint(rest);
  const auto key_bytes = shared ? take_varint(rest) : std::nullopt;
  const auto value_bytes = key_bytes ? take_varint(rest) : std::nullopt;
  if (!value_bytes || *shared != 0 || *key_bytes < mark_bytes || *key_bytes > rest.size()
      || *value_bytes > rest.size() - *key_bytes)
    return std::nullopt;
  const auto whole_key = rest.substr(0, *key_bytes);
  const auto mark = number_at<std::uint64_t>(whole_key, whole_key.size() - mark_bytes);
  entry e;
  e.row.key = whole_key.substr(0, whole_key.size() - mark_bytes);
  e.row.value = rest.substr(*key_bytes, *value_bytes);
  e.row.sequence = mark >> 8;
  e.row.erased = (mark & 0xFF) == 0;
  e.next = block.size() - rest.size() + *key_bytes + *value_bytes;
  e.known_type = (mark & 0xFF) <= 1;
  return e;
}

/// The rows of a block that is sound. Nothing for one that holds something else than rows.
std::optional<std::vector<table_row>> rows_of(std::string_view block) {
  if (block.size() < 4)
    return std::nullopt;
  const std::size_t count = number_at<std::uint32_t>(block, block.size() - 4);
  if (count == 0 || count > block.size() / 4)
    return std::nullopt;
  const auto entries_end = block.size() - 4 * (count + 1);
  std::vector<table_row> rows;
  std::size_t at = 0;
  while (at < entries_end) {
    const auto e = entry_at(block.substr(0, entries_end), at);
    if (!e || !e->known_type || rows.size() == count
        || number_at<std::uint32_t>(block, entries_end + 4 * rows.size()) != at)
      return std::nullopt;
    rows.push_back(e->row);
    rows.back().sound = rows.back().placed = true;
    at = e->next;
  }
  if (rows.size() != count)
    return std::nullopt;
  return rows;
}

/// Whatever looks like a row in a damaged block: found from the row before it, and from the
/// block's own list of where rows begin. One wrong byte cannot spoil both for the same row.
std::vector<table_row> rows_perhaps_in(std::string_view block) {
  std::map<std::size_t, table_row> found;
  for (std::size_t at = 0; at < block.size();) {
    const auto e = entry_at(block, at);
    if (!e)
      break;
    found.emplace(at, e->row);
    at = e->next;
  }
  // The list is read from its end; its length, as the last number, may be what is damaged.
  for (auto end = block.size(); end >= 8; end -= 4) {
    const std::size_t begin = number_at<std::uint32_t>(block, end - 8);
    if (const auto e = begin < end - 8 ? entry_at(block.substr(0, end - 8), begin) : std::nullopt) {
      const auto [row, fresh] = found.emplace(begin, e->row);
      row->second.placed = !fresh;
    }
    if (begin == 0)
      break;
  }
  std::vector<table_row> rows;
  for (const auto& [at, row] : found)
    rows.push_back(row);
  return rows;
}

struct footer {
  std::uint8_t checksum = 0;
  extent index;
};

std::optional<footer> footer_of(std::string_view bytes) {
  if (bytes.size() < footer_bytes
      || number_at<std::uint64_t>(bytes, bytes.size() - sizeof magic) != magic)
    return std::nullopt;
  auto rest = bytes.substr(bytes.size() - footer_bytes);
  footer f;
  f.checksum = static_cast<std::uint8_t>(rest.front());
  rest.remove_prefix(1);
  const auto meta = take_extent(rest);
  const auto index = meta ? take_extent(rest) : std::nullopt;
  if (!index)
    return std::nullopt;
  f.index = *index;
  return f;
}

/// Where the index says that the blocks of rows lie; nothing if it is not sound.
std::optional<std::vector<extent>> indexed(std::string_view bytes, const footer& f) {
  if (!sound(bytes, f.index))
    return std::nullopt;
  const auto block = bytes.substr(f.index.at, f.index.size);
  if (block.size() < 4)
    return std::nullopt;
  const std::size_t count = number_at<std::uint32_t>(block, block.size() - 4);
  if (count > block.size() / 4)
    return std::nullopt;
  auto rest = block.substr(0, block.size() - 4 * (count + 1));
  std::vector<extent> all;
  while (!rest.empty()) {
    // Entries of the index have no length of their value: it is one extent.
    const auto shared = take_varint(rest);
    const auto key = shared ? take_counted(rest) : std::nullopt;
    const auto where = key ? take_extent(rest) : std::nullopt;
    if (!where || *shared != 0)
      return std::nullopt;
    all.push_back(*where);
  }
  return all;
}

// The properties say which column the table belongs to, in two neighbouring entries
//
//   "rocksdb.column.family.id"    the number, a varint
//   "rocksdb.column.family.name"  the name
//
// of which only what differs from the key before is there, behind the three numbers of an
// entry. They are searched as text, from the end, each by itself: whatever else is damaged,
// one of the two is not.

std::string_view value_behind(std::string_view bytes, std::size_t at, std::string_view key_rest) {
  return bytes.substr(at + key_rest.size(), static_cast<unsigned char>(bytes[at - 1]));
}

std::optional<std::uint32_t> column_id(std::string_view bytes) {
  constexpr std::string_view key_rest = "column.family.id";
  const auto at = bytes.rfind(key_rest);
  if (at == std::string_view::npos || at == 0)
    return std::nullopt;
  auto value = value_behind(bytes, at, key_rest);
  const auto id = take_varint(value);
  return id ? std::optional(static_cast<std::uint32_t>(*id)) : std::nullopt;
}

std::string_view column_name(std::string_view bytes) {
  constexpr std::string_view key_rest = "name";
  constexpr std::size_t shared = std::string_view("rocksdb.column.family.").size();
  for (auto at = bytes.rfind(key_rest); at != std::string_view::npos && at >= 3;
       at = bytes.rfind(key_rest, at - 1))
    if (bytes[at - 3] == static_cast<char>(shared)
        && bytes[at - 2] == static_cast<char>(key_rest.size()))
      return value_behind(bytes, at, key_rest);
  return {};
}

class table_reader {
public:
  explicit table_reader(std::string_view bytes) : bytes_(bytes) {}

  table_contents run() {
    found_.column = column_name(bytes_);
    found_.id = column_id(bytes_);
    const auto f = footer_of(bytes_);
    const auto blocks = f && f->checksum == crc32c_kind ? indexed(bytes_, *f) : std::nullopt;
    if (blocks) {
      for (const auto& e : *blocks)
        take(e);
      return std::move(found_);
    }
    walk();
    // Not one block with our checksum: rather another format than so much damage.
    found_.foreign = sound_blocks_ == 0 && f && f->checksum != crc32c_kind;
    return std::move(found_);
  }

private:
  void take(extent e) {
    if (e.at > bytes_.size() || e.size > bytes_.size() - e.at) {
      ++found_.damaged;
      return;
    }
    const auto block = bytes_.substr(e.at, e.size);
    const bool whole = sound(bytes_, e);
    if (whole && bytes_[e.at + e.size] != 0) {
      found_.foreign = true;
      return;
    }
    const auto rows = whole ? rows_of(block) : std::nullopt;
    if (!rows)
      ++found_.damaged;
    add(rows ? *rows : rows_perhaps_in(block));
  }

  void add(const std::vector<table_row>& rows) {
    found_.rows.insert(found_.rows.end(), rows.begin(), rows.end());
  }

  /// How long the sound block of rows at `at` is. Its last four bytes and the checksum behind
  /// them are looked for together, so that each place costs a step and not a whole sum.
  std::optional<std::size_t> sound_size(std::size_t at, std::size_t size_max) const {
    std::uint32_t sum = 0;
    const auto end = std::min(bytes_.size(), at + size_max + trailer_bytes);
    for (auto here = at; here + trailer_bytes <= end; ++here) {
      const auto summed = crc32c(bytes_.substr(here, 1), sum);
      if (masked(summed) == number_at<std::uint32_t>(bytes_, here + 1) && bytes_[here] == 0)
        return here - at;
      sum = summed;
    }
    return std::nullopt;
  }

  /// Without an index: block after block as their checksums tell.
  void walk() {
    constexpr std::size_t search_max = 64 * 1024;
    std::size_t at = 0;
    while (at + trailer_bytes < bytes_.size()) {
      const auto size = sound_size(at, bytes_.size());
      const auto rows = size ? rows_of(bytes_.substr(at, *size)) : std::nullopt;
      if (rows) {
        ++sound_blocks_;
        add(*rows);
        at += *size + trailer_bytes;
        continue;
      }
      ++found_.damaged;
      if (size)
        return; // a sound block that holds no rows: behind the last of them
      auto next = at + 1;
      while (next + trailer_bytes < std::min(bytes_.size(), at + search_max)
             && !rows_at(next, search_max))
        ++next;
      add(rows_perhaps_in(bytes_.substr(at, next - at)));
      if (next + trailer_bytes >= std::min(bytes_.size(), at + search_max))
        return;
      at = next;
    }
  }

  bool rows_at(std::size_t at, std::size_t size_max) const {
    // A block of rows begins with an entry: that spares nearly all sums.
    if (!entry_at(bytes_.substr(at), 0))
      return false;
    const auto size = sound_size(at, size_max);
    return size && rows_of(bytes_.substr(at, *size));
  }

  std::string_view bytes_;
  table_contents found_;
  std::size_t sound_blocks_ = 0;
};

} // namespace

table_contents read_table(std::string_view bytes) {
  return table_reader(bytes).run();
}

} // namespace troupe::storage
