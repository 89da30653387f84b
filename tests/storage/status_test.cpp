#include "storage/status.hpp"

#include "storage/files.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

namespace troupe::storage {
namespace {

using rocksdb::Status;

/// As RocksDB words a failed system call.
Status io_error(int number) {
  return Status::IOError("While appending to file: /data/db/000004.log", std::strerror(number));
}

TEST(status, a_disk_without_room_is_full_whichever_way_it_says_so) {
  for (const auto& s : {Status::NoSpace("x"), io_error(ENOSPC), io_error(EFBIG), io_error(EDQUOT),
                        Status::Corruption("table", std::strerror(ENOSPC))}) {
    EXPECT_EQ(code_of(s), errc::storage_full) << s.ToString();
    EXPECT_FALSE(is_damage(s)) << s.ToString();
  }
}

TEST(status, a_disk_that_may_not_be_written_is_a_matter_of_permission) {
  for (const int number : {EROFS, EACCES, EPERM}) {
    EXPECT_EQ(code_of(io_error(number)), errc::permission);
    EXPECT_FALSE(is_damage(io_error(number)));
    EXPECT_EQ(code_of_errno(number), errc::permission);
  }
}

TEST(status, damage_is_corruption_or_a_file_that_is_gone_and_nothing_else) {
  EXPECT_EQ(code_of(Status::Corruption("block checksum mismatch")), errc::corrupt);
  EXPECT_TRUE(is_damage(Status::Corruption("block checksum mismatch")));
  EXPECT_TRUE(is_damage(io_error(ENOENT)));
  EXPECT_TRUE(is_damage(Status::PathNotFound("x")));
  EXPECT_EQ(code_of(io_error(EIO)), errc::storage_failed);
  EXPECT_FALSE(is_damage(io_error(EIO)));
  EXPECT_FALSE(is_damage(Status::Busy()));
}

TEST(status, words_say_what_was_done_what_happened_and_what_helps) {
  const auto full = failed("cannot write", io_error(ENOSPC)).text;
  EXPECT_TRUE(full.starts_with("cannot write: IO error: "));
  EXPECT_NE(full.find("/data/db/000004.log"), std::string::npos);
  EXPECT_NE(full.find("make room"), std::string::npos);
  const auto refused = failed("cannot write", io_error(EROFS)).text;
  EXPECT_NE(refused.find("Read-only file system"), std::string::npos);
  EXPECT_NE(refused.find("make the data directory writable"), std::string::npos);
}

} // namespace
} // namespace troupe::storage
