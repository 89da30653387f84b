#include "storage/status.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace troupe::storage {

namespace {

template <std::size_t Count>
bool says(const std::string& words, const std::array<std::string_view, Count>& any) {
  return std::ranges::any_of(any,
                             [&](std::string_view one) { return words.find(one) != words.npos; });
}

constexpr std::array<std::string_view, 3> full{"No space left on device", "File too large",
                                               "Disk quota exceeded"};
constexpr std::array<std::string_view, 3> refused{"Read-only file system", "Permission denied",
                                                  "Operation not permitted"};

} // namespace

errc code_of(const rocksdb::Status& status) {
  const auto words = status.ToString();
  // The reason before the kind: RocksDB calls it corruption, too, when a file cannot be read
  // for want of a right or of room.
  if (status.IsNoSpace() || says(words, full))
    return errc::storage_full;
  if (says(words, refused))
    return errc::permission;
  return status.IsCorruption() ? errc::corrupt : errc::storage_failed;
}

failure failed(std::string_view doing, const rocksdb::Status& status) {
  const auto code = code_of(status);
  auto text = std::string{doing} + ": " + status.ToString();
  if (code == errc::storage_full)
    text += "; make room: it goes on by itself";
  if (code == errc::permission)
    text += "; make the data directory writable for the user that runs troupe";
  return {code, std::move(text)};
}

bool is_damage(const rocksdb::Status& status) {
  const auto code = code_of(status);
  if (code == errc::corrupt)
    return true;
  return code == errc::storage_failed
         && (status.IsPathNotFound() || status.IsNotFound()
             || says(status.ToString(),
                     std::array<std::string_view, 1>{"No such file or directory"}));
}

} // namespace troupe::storage
