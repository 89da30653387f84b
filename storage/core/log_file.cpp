#include "storage/core/log_file.hpp"

#include "storage/core/crc32c.hpp"
#include "storage/core/varint.hpp"

#include <algorithm>
#include <optional>

namespace troupe::storage {

namespace {

constexpr std::size_t block_bytes = 32'768;
constexpr std::size_t head_bytes = 7;

enum part : std::uint8_t { whole = 1, first = 2, middle = 3, last = 4 };

struct piece {
  std::uint8_t type = 0;
  std::string_view payload;
};

/// Walks over the pieces of a log.
class log_reader {
public:
  explicit log_reader(std::string_view bytes) : bytes_(bytes) {}

  log_contents run() {
    while (next())
      continue;
    drop_open(true);
    return std::move(found_);
  }

private:
  std::size_t block_end() const {
    return std::min(bytes_.size(), (at_ / block_bytes + 1) * block_bytes);
  }

  /// The piece at `at` of a block that ends at `end`, if it is what was written.
  std::optional<piece> sound_at(std::size_t at, std::size_t end) const {
    if (at + head_bytes > end)
      return std::nullopt;
    const auto length = number_at<std::uint16_t>(bytes_, at + 4);
    return at + head_bytes + length <= end ? sound_with(at, length) : std::nullopt;
  }

  std::optional<piece> sound_with(std::size_t at, std::size_t length) const {
    const auto type = static_cast<std::uint8_t>(bytes_[at + 6]);
    if (type < whole || type > last)
      return std::nullopt;
    const auto summed = bytes_.substr(at + 6, length + 1);
    if (masked(crc32c(summed)) != number_at<std::uint32_t>(bytes_, at))
      return std::nullopt;
    return piece{type, summed.substr(1)};
  }

  bool zeros_from(std::size_t at, std::size_t end) const {
    return bytes_.substr(at, end - at).find_first_not_of('\0') == std::string_view::npos;
  }

  /// One step; false at the end.
  bool next() {
    const auto end = block_end();
    if (at_ >= bytes_.size())
      return false;
    if (const auto p = sound_at(at_, end)) {
      take(*p);
      at_ += head_bytes + p->payload.size();
      return true;
    }
    if (end - at_ < head_bytes) {
      // The fill of a block. Nothing but zeros is written there, except by a head cut short.
      if (!zeros_from(at_, end)) {
        if (end == bytes_.size())
          found_.unfinished = true;
        else
          lose();
      }
      at_ = end;
      return true;
    }
    if (zeros_from(at_, bytes_.size())) {
      found_.unfinished = true; // room that was set aside for the log, and not used
      return false;
    }
    return after_unsound(end);
  }

  /// What is at `at_` is no piece: either the end of a log whose writer died, or damage.
  bool after_unsound(std::size_t end) {
    const auto length = number_at<std::uint16_t>(bytes_, at_ + 4);
    const auto wanted = at_ + head_bytes + length;
    const auto written_end = (at_ / block_bytes + 1) * block_bytes;
    if (const auto sound = next_sound(at_ + 1, end)) {
      lose();
      at_ = *sound;
      return true;
    }
    // Nothing sound follows. A piece that reaches beyond the file, but would not have crossed
    // its block, was being written; unless the bytes that are there are whole under another
    // length: then the length is what is damaged.
    const bool cut = end == bytes_.size() && wanted > end && wanted <= written_end;
    if (cut && !sound_with(at_, end - at_ - head_bytes)) {
      found_.unfinished = true;
      return false;
    }
    lose();
    if (cut)
      take(*sound_with(at_, end - at_ - head_bytes));
    at_ = end;
    return at_ < bytes_.size();
  }

  /// Where the next sound piece begins: in this block at any byte, else at a block's beginning.
  std::optional<std::size_t> next_sound(std::size_t from, std::size_t end) const {
    for (auto at = from; at + head_bytes <= end; ++at)
      if (sound_at(at, end))
        return at;
    for (auto at = end; at < bytes_.size() && at % block_bytes == 0; at += block_bytes)
      if (sound_at(at, std::min(bytes_.size(), at + block_bytes)))
        return at;
    return std::nullopt;
  }

  void lose() {
    ++found_.damaged;
    open_.clear();
    is_open_ = false;
    lost_ = true; // what follows may be the rest of what was lost
  }

  /// A record whose last part did not come: damage, unless the log ends there.
  void drop_open(bool at_end) {
    if (is_open_ && at_end)
      found_.unfinished = true;
    else if (is_open_)
      ++found_.damaged;
    open_.clear();
    is_open_ = false;
  }

  void take(const piece& p) {
    const bool begins = p.type == whole || p.type == first;
    if (begins) {
      drop_open(false);
      open_ = p.payload;
      is_open_ = true;
    } else if (is_open_) {
      open_ += p.payload;
    } else if (!lost_) {
      ++found_.damaged; // a rest without a beginning
    }
    lost_ = lost_ && !begins;
    if (is_open_ && (p.type == whole || p.type == last)) {
      found_.records.push_back(std::move(open_));
      open_.clear();
      is_open_ = false;
    }
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  std::string open_;
  bool is_open_ = false;
  bool lost_ = false;
  log_contents found_;
};

// The tags of a batch that this version writes.
constexpr std::uint8_t erase_default = 0x0;
constexpr std::uint8_t put_default = 0x1;
constexpr std::uint8_t erase_in = 0x4;
constexpr std::uint8_t put_in = 0x5;
constexpr std::size_t batch_head_bytes = 12;

bool take_change(std::string_view& rest, logged_change& c) {
  const auto tag = static_cast<std::uint8_t>(rest.front());
  rest.remove_prefix(1);
  c.column = 0;
  c.erase = tag == erase_default || tag == erase_in;
  if (!c.erase && tag != put_default && tag != put_in)
    return false;
  if (tag == erase_in || tag == put_in) {
    const auto column = take_varint(rest);
    if (!column)
      return false;
    c.column = static_cast<std::uint32_t>(*column);
  }
  const auto key = take_counted(rest);
  const auto value = key && !c.erase ? take_counted(rest) : std::string_view{};
  if (!key || !value)
    return false;
  c.key = *key;
  c.value = *value;
  return true;
}

// Tags of a MANIFEST's record. Those that are not here carry one text or are marks.
enum edit_tag : std::uint64_t {
  comparator = 1,
  log_number = 2,
  next_file = 3,
  last_sequence = 4,
  compact_pointer = 5,
  deleted_file = 6,
  previous_log = 9,
  log_to_keep = 10,
  new_file = 103,
  column = 200,
  column_add = 201,
  column_drop = 202,
  column_max = 203,
};

bool pass_varints(std::string_view& rest, int count) {
  for (int i = 0; i < count; ++i)
    if (!take_varint(rest))
      return false;
  return true;
}

/// level, number, size; smallest and largest key; two sequences; fields up to their end.
bool take_new_file(std::string_view& rest, manifest_files& out) {
  constexpr std::uint64_t end_of_fields = 1;
  const auto number = pass_varints(rest, 1) ? take_varint(rest) : std::nullopt;
  if (!number || !pass_varints(rest, 1) || !take_counted(rest) || !take_counted(rest)
      || !pass_varints(rest, 2))
    return false;
  out.added.push_back(*number);
  while (const auto field = take_varint(rest)) {
    if (*field == end_of_fields)
      return true;
    if (!take_counted(rest))
      return false;
  }
  return false;
}

bool take_deleted_file(std::string_view& rest, manifest_files& out) {
  const auto number = pass_varints(rest, 1) ? take_varint(rest) : std::nullopt;
  if (number)
    out.deleted.push_back(*number);
  return number.has_value();
}

void collect_files(std::string_view rest, manifest_files& out) {
  while (const auto tag = take_varint(rest)) {
    bool passed = true;
    switch (*tag) {
    case comparator:
    case column_add:
      passed = take_counted(rest).has_value();
      break;
    case log_number:
    case next_file:
    case last_sequence:
    case previous_log:
    case log_to_keep:
    case column:
    case column_max:
      passed = pass_varints(rest, 1);
      break;
    case compact_pointer:
      passed = pass_varints(rest, 1) && take_counted(rest);
      break;
    case column_drop:
      break;
    case new_file:
      passed = take_new_file(rest, out);
      break;
    case deleted_file:
      passed = take_deleted_file(rest, out);
      break;
    default:
      // Tags that a reader may pass over have this bit and carry a text.
      passed = (*tag & (1U << 13)) != 0 && take_counted(rest);
    }
    if (!passed)
      return;
  }
}

} // namespace

log_contents read_log(std::string_view bytes) {
  return log_reader(bytes).run();
}

bool for_each_change(std::string_view record,
                     const std::function<void(const logged_change&)>& visit) {
  if (record.size() < batch_head_bytes)
    return false;
  const auto sequence = number_at<std::uint64_t>(record, 0);
  const auto count = number_at<std::uint32_t>(record, 8);
  auto rest = record.substr(batch_head_bytes);
  std::vector<logged_change> all;
  while (!rest.empty()) {
    logged_change c;
    c.sequence = sequence + all.size();
    if (!take_change(rest, c))
      return false;
    all.push_back(c);
  }
  if (all.size() != count)
    return false;
  for (const auto& c : all)
    visit(c);
  return true;
}

manifest_files files_of(const std::vector<std::string>& manifest_records) {
  manifest_files all;
  for (const auto& record : manifest_records)
    collect_files(record, all);
  std::ranges::sort(all.added);
  std::ranges::sort(all.deleted);
  return all;
}

} // namespace troupe::storage
