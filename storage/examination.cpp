#include "storage/examination.hpp"

#include "storage/core/database_files.hpp"
#include "storage/core/log_file.hpp"
#include "storage/files.hpp"

#include <algorithm>
#include <vector>

namespace troupe::storage {

namespace {

/// What is wrong with the file that names the MANIFEST, or with the MANIFEST.
std::string damage_of_manifest(const std::string& path, const std::vector<std::string>& names) {
  const auto current = read_file(path + "/CURRENT");
  if (!current)
    return current.error().code == errc::permission ? std::string{} : current.error().text;
  auto name = *current;
  if (!name.empty() && name.back() == '\n')
    name.pop_back();
  if (!is_manifest(name) || std::ranges::find(names, name) == names.end())
    return path + "/CURRENT does not name a MANIFEST that is there";
  const auto manifest = read_file(path + '/' + name);
  if (!manifest)
    return manifest.error().code == errc::permission ? std::string{} : manifest.error().text;
  const auto log = read_log(*manifest);
  return log.damaged == 0 ? std::string{}
                          : path + '/' + name + " is damaged " + in_places(log.damaged);
}

} // namespace

std::string damage_of_logs(const std::string& path) {
  const auto names = names_in(path);
  std::string why;
  bool holds_rows = false;
  for (const auto& name : names) {
    holds_rows = holds_rows || table_number(name).has_value();
    if (!is_log(name))
      continue;
    const auto bytes = read_file(path + '/' + name);
    if (!bytes)
      continue; // RocksDB finds the words
    holds_rows = holds_rows || !bytes->empty();
    if (const auto log = read_log(*bytes); log.damaged != 0)
      why +=
          (why.empty() ? "" : "; ") + path + '/' + name + " is damaged " + in_places(log.damaged);
  }
  // A database that a crash left half made has no CURRENT and no rows: it is made anew.
  if (!holds_rows && !exists(path + "/CURRENT"))
    return {};
  if (auto manifest = damage_of_manifest(path, names); !manifest.empty())
    why += (why.empty() ? "" : "; ") + manifest;
  return why;
}

} // namespace troupe::storage
