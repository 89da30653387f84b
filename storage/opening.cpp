#include "storage/opening.hpp"

#include "storage/examination.hpp"
#include "storage/files.hpp"
#include "storage/migrations.hpp"
#include "storage/replacement.hpp"
#include "storage/salvage.hpp"

#include <utility>

namespace troupe::storage {

namespace {

/// Opens, and reads all that RocksDB would otherwise find damaged only later, in the middle of
/// a compaction, from when on it would refuse every write.
database_opening open_verified(const store_options& options) {
  const auto path = database_path(options.directory);
  if (auto why = damage_of_logs(path); !why.empty())
    return {nullptr, {errc::corrupt, std::move(why)}, true};
  // After a `kill -9` the log's end may be with the kernel alone. RocksDB reads it and begins a new
  // log; were the old one lost with the power, what is synced after it would stand behind a gap.
  if (exists(path))
    if (auto synced = sync_files_in(path); !synced)
      return {nullptr, synced.error(), false};
  auto opening = database::open(options, path);
  if (!opening.data)
    return opening;
  if (const auto status = opening.data->verify(); !status.ok())
    return {nullptr, failed("cannot read the database in " + path, status), is_damage(status)};
  return opening;
}

} // namespace

result<opened_database> open_database(const store_options& options) {
  if (auto settled = settle_replacement(options.directory); !settled)
    return settled.error();
  opened_database opened;
  auto opening = open_verified(options);
  if (opening.damaged) {
    auto told = salvage(options, opening.problem.text);
    if (!told)
      return told.error();
    opened.damage = *std::move(told);
    opening = open_verified(options);
  }
  if (!opening.data)
    return opening.problem;
  auto told = migrate(*opening.data, database_path(options.directory));
  if (!told)
    return told.error();
  opened.damage.insert(opened.damage.end(), told->begin(), told->end());
  opened.data = std::move(opening.data);
  return opened;
}

result<std::unique_ptr<database>> reopen_database(const store_options& options) {
  const auto path = database_path(options.directory);
  if (auto why = damage_of_logs(path); !why.empty())
    return failure(errc::corrupt, why + "; start the node again: it rescues what can be rescued");
  auto opening = database::open(options, path);
  if (opening.data)
    return std::move(opening.data);
  if (opening.damaged)
    opening.problem.text += "; start the node again: it rescues what can be rescued";
  return opening.problem;
}

} // namespace troupe::storage
