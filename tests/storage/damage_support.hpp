#pragma once

// For tests that damage what a store wrote.

#include "storage/core/item.hpp"
#include "storage/database.hpp"
#include "storage/store.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace troupe::storage {

/// As `temporary_directory`, in memory where the system has such a place: these tests open
/// thousands of databases, and none of them asks what a loss of power does.
class scratch_directory {
public:
  scratch_directory() {
    std::error_code ignored;
    const std::string base = std::filesystem::is_directory("/dev/shm", ignored)
                                 ? "/dev/shm"
                                 : std::filesystem::temp_directory_path().string();
    path_ = base + "/troupe-test-XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr)
      std::abort();
  }
  ~scratch_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;

  const std::string& path() const { return path_; }

private:
  std::string path_;
};

/// Small buffers: a test opens many.
inline store_options small_store(const std::string& directory) {
  store_options o;
  o.directory = directory;
  o.block_cache_bytes = 256 * 1024;
  o.write_buffer_bytes = 256 * 1024;
  return o;
}

using row_map = std::map<std::string, std::string>;

inline row_map rows_of(const store& s, column c, std::string_view prefix = {}) {
  row_map all;
  const auto end = s.for_each(c, prefix, [&](std::string_view key, std::string_view value) {
    all.emplace(key, value);
    return true;
  });
  EXPECT_TRUE(end) << end.error().text;
  return all;
}

inline std::string item_of(const std::string& row, const std::string& payload) {
  item_header header;
  header.revision = 1;
  header.created_at_ms = header.changed_at_ms = 1'700'000'000'000;
  return encode_item(row, header, payload);
}

/// Rows that carry a checksum of their own: `prefix` and three digits.
inline row_map items(const std::string& prefix, int count, std::size_t payload_bytes = 90) {
  row_map all;
  for (int i = 0; i < count; ++i) {
    const auto row = prefix + std::to_string(1'000 + i).substr(1);
    all[row] = item_of(row, std::string(payload_bytes, static_cast<char>('a' + i % 26)));
  }
  return all;
}

/// Names in the database's directory that end (or begin, with `MANIFEST`) as wanted.
inline std::vector<std::string> database_files(const std::string& directory,
                                               const std::string& kind) {
  std::vector<std::string> found;
  for (const auto& f : std::filesystem::directory_iterator(directory + "/db")) {
    const auto name = f.path().filename().string();
    if (name.ends_with(kind) || name.starts_with(kind))
      found.push_back(f.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline void flip_byte(const std::string& path, std::size_t at, char with = 0x41) {
  auto bytes = bytes_of(path);
  bytes.at(at) = static_cast<char>(bytes[at] ^ with);
  write_bytes(path, bytes);
}

/// `to` becomes a copy of the data directory `from`.
inline void copy_directory(const std::string& from, const std::string& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

/// Writes everything from the log out to tables.
inline void to_tables(const std::string& directory) {
  auto opening = database::open(small_store(directory), database_path(directory));
  ASSERT_TRUE(opening.data) << opening.problem.text;
  for (auto* handle : opening.data->handles())
    ASSERT_TRUE(opening.data->db().Flush({}, handle).ok());
}

} // namespace troupe::storage
