#include "storage/salvage.hpp"

#include "storage/core/database_files.hpp"
#include "storage/core/item.hpp"
#include "storage/core/log_file.hpp"
#include "storage/core/table_file.hpp"
#include "storage/database.hpp"
#include "storage/files.hpp"
#include "storage/migrations.hpp"
#include "storage/replacement.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include <rocksdb/write_batch.h>

namespace troupe::storage {

namespace {

/// Columns by RocksDB's numbers: 0 is the default column, the others are `columns` from 1.
using column_number = std::uint32_t;

std::string name_of(column_number c) {
  return c == 0 ? "default" : std::string{to_string(columns[c - 1])};
}

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

/// One version of one row, as a log or a table has it.
struct version {
  column_number where = 0;
  std::string_view key;
  std::string_view value;
  std::uint64_t sequence = 0;
  bool erased = false;
  bool proven = false; ///< it is what was written
};

/// Whether a row of a damaged block proves itself, or is such that its reader will notice.
bool proves_itself(column_number where, const table_row& row) {
  if (row.value.empty())
    return row.placed; // an erasure: better believed than a revoked credential back
  if (where == 0 || row.erased)
    return false;
  if (decode_item(row.key, row.value))
    return true;
  // Wrapped data keys authenticate themselves when they are opened, and without them every
  // secret is lost. The identity of the node is all that `replication` has.
  return row.placed
         && ((columns[where - 1] == column::settings && row.key.starts_with("vault/"))
             || columns[where - 1] == column::replication);
}

/// Gathers what can be read of a damaged database, then writes it into a new one.
class salvager {
public:
  salvager(const store_options& options, std::string why)
      : options_(options), path_(database_path(options.directory)), why_(std::move(why)) {}

  result<std::vector<std::string>> run() {
    if (auto read = read_files(); !read)
      return read.error();
    choose();
    if (auto fits = check_layout(); !fits)
      return fits.error();
    if (chosen_.empty())
      return failure(errc::corrupt,
                     "the database in " + path_ + " is damaged (" + why_
                         + ") and nothing in it can be read: restore a backup, or put it aside "
                           "to start with none");
    const auto fresh = clear_building(options_.directory);
    if (auto written = write(fresh); !written) {
      clear_building(options_.directory);
      return failure(written.error().code,
                     "the database in " + path_ + " is damaged (" + why_
                         + ") and cannot be rebuilt: " + written.error().text);
    }
    auto kept = put_built_in_place(options_.directory, "db.damaged");
    if (!kept)
      return kept.error();
    return words(*kept);
  }

private:
  result<void> read_files() {
    const auto names = names_in(path_);
    std::set<std::uint64_t> added;
    std::set<std::uint64_t> deleted;
    for (const auto& name : names)
      if (is_manifest(name))
        if (const auto bytes = read_file(path_ + '/' + name)) {
          const auto files = files_of(read_log(*bytes).records);
          added.insert(files.added.begin(), files.added.end());
          deleted.insert(files.deleted.begin(), files.deleted.end());
        }
    for (const auto& name : names) {
      const auto number = table_number(name);
      result<void> read;
      if (number && !deleted.contains(*number))
        read = read_table_file(name);
      else if (is_log(name))
        read = read_log_file(name);
      if (!read)
        return read;
      added.erase(number.value_or(0));
    }
    for (const auto number : added)
      if (!deleted.contains(number))
        told_.push_back("the table " + std::to_string(number)
                        + ".sst is not there: what was in it is lost");
    return {};
  }

  result<void> read_log_file(const std::string& name) {
    auto bytes = read_file(path_ + '/' + name);
    if (!bytes)
      return bytes.error();
    auto log = read_log(*bytes);
    if (log.damaged != 0)
      told_.push_back(name + " is damaged " + in_places(log.damaged)
                      + ": the writes that lay there are lost");
    bool later = false;
    std::size_t unknown = 0;
    for (auto& record : log.records) {
      const auto& kept = kept_.emplace_back(std::move(record));
      const bool known = for_each_change(kept, [&](const logged_change& c) {
        later = later || c.column > columns.size();
        if (c.column <= columns.size())
          versions_.push_back({c.column, c.key, c.value, c.sequence, c.erase, true});
      });
      unknown += known ? 0 : 1;
    }
    if (later || unknown != 0)
      return made_by_later();
    return {};
  }

  failure made_by_later() const {
    return {errc::corrupt, "the database in " + path_ + " is damaged (" + why_
                               + ") and was made by a later version of troupe: use that one"};
  }

  result<void> read_table_file(const std::string& name) {
    auto bytes = read_file(path_ + '/' + name);
    if (!bytes)
      return bytes.error();
    const auto& kept = kept_.emplace_back(*std::move(bytes));
    const auto table = read_table(kept);
    if (table.foreign)
      return failure(errc::corrupt, "the database in " + path_ + " is damaged (" + why_ + ") and "
                                        + name
                                        + " has the format of another version: restore a backup");
    const auto where = column_of(table);
    if (!where) {
      if (table.id > columns.size())
        return made_by_later();
      told_.push_back(name + " is damaged and does not say what it held: all of it is lost");
      return {};
    }
    if (table.damaged != 0)
      told_.push_back(name + ", of the column " + name_of(*where) + ", is damaged "
                      + in_places(table.damaged) + ": rows there may be lost");
    for (const auto& row : table.rows)
      versions_.push_back({*where, row.key, row.value, row.sequence, row.erased,
                           row.sound || proves_itself(*where, row)});
    return {};
  }

  static std::optional<column_number> column_of(const table_contents& table) {
    for (column_number c = 0; c <= columns.size(); ++c)
      if (table.column == name_of(c))
        return c;
    return table.id <= columns.size() ? table.id : std::nullopt;
  }

  /// Of each row the latest version counts. If that one is not proven, the row is lost: an
  /// earlier one might be a credential that was revoked since.
  void choose() {
    std::ranges::sort(versions_, [](const version& a, const version& b) {
      return std::tuple(a.where, a.key, b.sequence, b.proven)
             < std::tuple(b.where, b.key, a.sequence, a.proven);
    });
    const version* row = nullptr;
    for (const auto& v : versions_) {
      if (row && row->where == v.where && row->key == v.key)
        continue;
      row = &v;
      if (!v.proven)
        lost_[v.where].push_back(v.key);
      else if (!v.erased)
        chosen_.push_back(v);
    }
  }

  result<void> check_layout() const {
    for (const auto& v : chosen_)
      if (v.where == 0 && v.key == layout_row && parse_layout(v.value) > layout_now)
        return made_by_later();
    return {};
  }

  result<void> write(const std::string& fresh) const {
    constexpr std::size_t batch_bytes = 256 * 1024;
    auto opening = database::open(options_, fresh);
    if (!opening.data)
      return opening.problem;
    auto& data = *opening.data;
    rocksdb::WriteOptions how;
    how.disableWAL = true; // it is flushed before it counts
    rocksdb::WriteBatch batch;
    for (const auto& v : chosen_) {
      auto* where = v.where == 0 ? data.in_default() : data.in(columns[v.where - 1]);
      (void)batch.Put(where, slice(v.key), slice(v.value));
      if (batch.GetDataSize() < batch_bytes && &v != &chosen_.back())
        continue;
      if (const auto status = data.db().Write(how, &batch); !status.ok())
        return failed("cannot write", status);
      batch.Clear();
    }
    for (auto* handle : data.handles())
      if (const auto status = data.db().Flush({}, handle); !status.ok())
        return failed("cannot write", status);
    return {};
  }

  std::vector<std::string> words(const std::string& kept) const {
    constexpr std::size_t named_max = 20;
    std::vector<std::string> all{
        "the database was damaged: " + why_ + ". It was rebuilt from what could be read, "
        + std::to_string(chosen_.size()) + " rows; the damaged one is kept in " + kept
        + ". What was changed shortly before may be back as it was earlier: look through keys "
          "and credentials, or restore a backup"};
    all.insert(all.end(), told_.begin(), told_.end());
    for (const auto& [where, rows] : lost_) {
      auto text = "lost in the column " + name_of(where) + ':';
      for (std::size_t i = 0; i < std::min(rows.size(), named_max); ++i)
        text += " row " + hex(rows[i].substr(0, named_max));
      if (rows.size() > named_max)
        text += " and " + std::to_string(rows.size() - named_max) + " more";
      all.push_back(std::move(text));
    }
    return all;
  }

  const store_options& options_;
  std::string path_;
  std::string why_;
  std::deque<std::string> kept_; ///< what `versions_` points into
  std::vector<version> versions_;
  std::vector<version> chosen_;
  std::map<column_number, std::vector<std::string_view>> lost_;
  std::vector<std::string> told_;
};

} // namespace

result<std::vector<std::string>> salvage(const store_options& options, const std::string& why) {
  return salvager(options, why).run();
}

} // namespace troupe::storage
