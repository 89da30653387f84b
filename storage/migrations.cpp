#include "storage/migrations.hpp"

#include "storage/core/credential_item.hpp"
#include "storage/core/credential_record.hpp"
#include "storage/core/item.hpp"

#include <array>
#include <charconv>
#include <map>

#include <rocksdb/iterator.h>
#include <rocksdb/write_batch.h>

namespace troupe::storage {

namespace {

using words = std::vector<std::string>;

struct migration {
  int from;
  int to;
  /// Adds what changes to `changes`.
  result<void> (*collect)(database& data, rocksdb::WriteBatch& changes, words& told);
};

/// The tables of layout 1 are compressed, keys shortened: all are written anew.
result<void> rewrite_tables(database& data) {
  std::vector<rocksdb::LiveFileMetaData> files;
  data.db().GetLiveFilesMetaData(&files);
  if (files.empty())
    return {};
  rocksdb::CompactRangeOptions how;
  how.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (auto* handle : data.handles())
    if (const auto status = data.db().CompactRange(how, handle, nullptr, nullptr); !status.ok())
      return failed("cannot rewrite the tables of an earlier version", status);
  return {};
}

/// The row it has now.
std::string add_credential(database& data, std::string_view name, const credential_record& old,
                           rocksdb::WriteBatch& changes) {
  credential_item item;
  item.what = old.role == credential_role::admin ? role::operator_ : role::client;
  item.sha256 = old.sha256;
  item.name = name;
  item_header header;
  header.revision = 1;
  header.written.clock = next_clock(0, old.created_at_ms);
  header.created_at_ms = header.changed_at_ms = old.created_at_ms;
  const auto row = credential_row(credential_id(old.sha256));
  (void)changes.Put(data.in(column::credentials), row, encode_item(row, header, encode(item)));
  return row;
}

result<void> credentials_to_items(database& data, rocksdb::WriteBatch& changes, words& told) {
  if (auto rewritten = rewrite_tables(data); !rewritten)
    return rewritten;
  auto* where = data.in(column::credentials);
  std::map<std::string, std::string> named; // by their new row
  for (const std::string_view prefix : {"client/", "admin/"}) {
    const std::unique_ptr<rocksdb::Iterator> row(data.db().NewIterator({}, where));
    for (row->Seek(slice(prefix)); row->Valid() && row->key().starts_with(slice(prefix));
         row->Next()) {
      const auto old = decode_credential(row->value().ToStringView());
      if (!old) {
        told.push_back("the credential " + row->key().ToString()
                       + " of an earlier version cannot be read and is of no effect, it was left "
                         "where it is: "
                       + old.error().text);
        continue;
      }
      const auto name = row->key().ToStringView().substr(prefix.size());
      auto& earlier = named[add_credential(data, name, *old, changes)];
      if (!earlier.empty())
        told.push_back("the credentials " + earlier + " and " + row->key().ToString()
                       + " of an earlier version had the same characters: only the latter is "
                         "still there");
      earlier = row->key().ToString();
      (void)changes.Delete(where, row->key());
    }
    if (!row->status().ok())
      return failed("cannot read the credentials of an earlier version", row->status());
  }
  return {};
}

constexpr std::array migrations{migration{1, 2, credentials_to_items}};

} // namespace

int parse_layout(std::string_view row) {
  int number = 0;
  const auto [end, code] = std::from_chars(row.data(), row.data() + row.size(), number);
  return code == std::errc{} && end == row.data() + row.size() && number > 0 ? number : 0;
}

result<std::vector<std::string>> migrate(database& data, const std::string& path) {
  std::string row;
  const auto status = data.db().Get({}, data.in_default(), slice(layout_row), &row);
  if (!status.ok() && !status.IsNotFound())
    return failed("cannot read the layout of " + path, status);
  // A database that was just made has no layout; one whose making was cut short neither. To
  // both, the steps from the first layout find nothing to do.
  int layout = status.IsNotFound() ? 1 : parse_layout(row);
  if (layout == 0 || layout > layout_now)
    return failure(errc::corrupt, "the database in " + path + " has layout " + row
                                      + ", this version knows " + std::to_string(layout_now)
                                      + ": use the version of troupe that made it, or a later one");
  words told;
  for (const auto& step : migrations) {
    if (step.from != layout)
      continue;
    rocksdb::WriteBatch changes;
    if (auto collected = step.collect(data, changes, told); !collected)
      return collected.error();
    (void)changes.Put(data.in_default(), slice(layout_row), std::to_string(step.to));
    rocksdb::WriteOptions synced;
    synced.sync = true;
    if (const auto written = data.db().Write(synced, &changes); !written.ok())
      return failed("cannot bring the database in " + path + " to layout "
                        + std::to_string(step.to),
                    written);
    layout = step.to;
  }
  return told;
}

} // namespace troupe::storage
