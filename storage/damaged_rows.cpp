#include "storage/damaged_rows.hpp"

#include "storage/core/table_file.hpp"
#include "storage/files.hpp"

#include <cstdint>
#include <memory>
#include <vector>

#include <rocksdb/iterator.h>
#include <rocksdb/metadata.h>

namespace troupe::storage {

namespace {

/// What the tables say of one row last.
struct lying {
  std::uint64_t sequence = 0;
  bool erased = false;
  std::string value;
};

using candidates = std::map<std::string, lying>;

void add_from_tables(database& data, column where, std::string_view prefix, candidates& all) {
  const files_kept kept(data.db());
  std::vector<rocksdb::LiveFileMetaData> files;
  data.db().GetLiveFilesMetaData(&files);
  for (const auto& file : files) {
    if (file.column_family_name != to_string(where))
      continue;
    const auto bytes = read_file(file.db_path + file.name);
    if (!bytes)
      continue; // what is in it cannot be had in any way
    for (const auto& row : read_table(*bytes).rows) {
      if (!row.key.starts_with(prefix))
        continue;
      auto& last = all[std::string{row.key}];
      if (row.sequence >= last.sequence)
        last = {row.sequence, row.erased, std::string{row.value}};
    }
  }
}

/// Rows that were not yet written out to tables: never damaged.
result<void> add_from_memory(database& data, column where, std::string_view prefix,
                             candidates& all) {
  rocksdb::ReadOptions how;
  how.read_tier = rocksdb::kMemtableTier;
  const std::unique_ptr<rocksdb::Iterator> row(data.db().NewIterator(how, data.in(where)));
  for (row->Seek(slice(prefix)); row->Valid() && row->key().starts_with(slice(prefix)); row->Next())
    all[row->key().ToString()];
  if (!row->status().ok())
    return failed("cannot read " + std::string{to_string(where)}, row->status());
  return {};
}

} // namespace

result<std::map<std::string, std::string>> rows_as_they_lie(database& data, column where,
                                                            std::string_view prefix) {
  candidates all;
  add_from_tables(data, where, prefix, all);
  if (auto added = add_from_memory(data, where, prefix, all); !added)
    return added.error();
  rocksdb::ReadOptions how;
  how.fill_cache = false;
  std::map<std::string, std::string> rows;
  for (auto& [key, last] : all) {
    std::string value;
    const auto status = data.db().Get(how, data.in(where), key, &value);
    if (status.ok())
      rows[key] = std::move(value);
    else if (!status.IsNotFound() && !last.erased)
      rows[key] = std::move(last.value);
  }
  return rows;
}

} // namespace troupe::storage
