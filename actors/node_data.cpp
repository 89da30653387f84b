#include "actors/node_data.hpp"

#include "storage/vault.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

namespace {

storage::master_key_source master_key_of(const config_sources& sources, const settings& s) {
  const auto variable = [&](const char* name) {
    const auto at = sources.environment.find(name);
    return at == sources.environment.end() ? secret{} : secret{at->second};
  };
  storage::master_key_source from;
  from.from_environment = variable("TROUPE_MASTER_KEY");
  from.previous = variable("TROUPE_MASTER_KEY_PREVIOUS");
  from.file = s.master_key_file.empty() ? s.data_dir + "/master.key" : s.master_key_file;
  return from;
}

/// Files of keys are read once: a change of settings must not fail because one is gone by then.
config_sources reading_once(config_sources sources) {
  auto known = std::make_shared<std::map<std::string, result<std::string>>>();
  sources.read_file = [known, read = std::move(sources.read_file)](const std::string& path) {
    if (const auto at = known->find(path); at != known->end())
      return at->second;
    auto text = read ? read(path) : failure{errc::not_found, path};
    if (text)
      known->emplace(path, text);
    return text;
  };
  return sources;
}

} // namespace

result<node_data> open_node_data(const config_sources& sources, const settings& first,
                                 job_board& jobs, log_sink& log) {
  node_data data;
  auto db = storage::store::open({.directory = first.data_dir});
  if (!db)
    return db.error();
  data.db = *std::move(db);
  std::error_code ignored; // of a restore that was cut off
  std::filesystem::remove_all(first.data_dir + "/restore.tmp", ignored);
  for (const auto& words : data.db->damage())
    log.write(log_area::storage, log_level::error, {}, words);
  const auto master = master_key_of(sources, first);
  auto vault = storage::vault::open(*data.db, master);
  if (!vault)
    return vault.error();
  for (const auto& words : (*vault)->notes())
    log.write(log_area::security, log_level::warning, {}, words);
  std::vector<std::string> warnings;
  auto tables = inventory::open({*data.db, *std::move(vault), master, reading_once(sources),
                                 wall_now, jobs, log, first.data_dir},
                                warnings);
  if (!tables)
    return tables.error();
  data.tables = *std::move(tables);
  for (const auto& words : warnings)
    log.write(log_area::storage, log_level::warning, {}, words);
  return data;
}

wall_time wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

} // namespace troupe
