#include "storage/replacement.hpp"

#include "storage/files.hpp"

namespace troupe::storage {

namespace {

std::string building(const std::string& directory) {
  return directory + "/db.building";
}
std::string ready(const std::string& directory) {
  return directory + "/db.ready";
}
std::string in_place(const std::string& directory) {
  return directory + "/db";
}

} // namespace

std::string clear_building(const std::string& directory) {
  remove_all(building(directory));
  return building(directory);
}

result<std::string> put_built_in_place(const std::string& directory, const std::string& keep_as) {
  close_to_others(building(directory));
  if (auto synced = sync_files_in(building(directory)); !synced)
    return synced.error();
  if (auto made = put_in_place(building(directory), ready(directory)); !made)
    return made.error();
  std::string kept;
  if (exists(in_place(directory))) {
    kept = free_name(directory + '/' + keep_as);
    if (auto aside = put_in_place(in_place(directory), kept); !aside)
      return aside.error();
  }
  if (auto placed = put_in_place(ready(directory), in_place(directory)); !placed)
    return placed.error();
  return kept;
}

result<void> settle_replacement(const std::string& directory) {
  if (exists(ready(directory)) && !exists(in_place(directory)))
    if (auto placed = put_in_place(ready(directory), in_place(directory)); !placed)
      return placed;
  remove_all(ready(directory));
  remove_all(building(directory));
  return {};
}

} // namespace troupe::storage
