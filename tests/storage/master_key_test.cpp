#include "storage/master_key.hpp"

#include "tests/storage/vault_support.hpp"
#include "tests/support/full_disk.hpp"

#include <unistd.h>

namespace troupe::storage {
namespace {

/// While it lives, this process is nobody in particular, if it was root.
class as_nobody {
public:
  as_nobody() : was_(::geteuid()) {
    constexpr uid_t nobody = 65'534;
    EXPECT_EQ(::seteuid(was_ == 0 ? nobody : was_), 0);
  }
  ~as_nobody() { EXPECT_EQ(::seteuid(was_), 0); }

private:
  uid_t was_;
};

class master_key_file : public testing::Test {
protected:
  std::string path() const { return where_.path() + "/master.key"; }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(
        std::filesystem::directory_iterator(where_.path()), std::filesystem::directory_iterator{}));
  }

  temporary_directory where_;
  key_bytes key_ = key_bytes::random();
};

TEST_F(master_key_file, is_64_digits_and_a_newline_for_its_owner_alone) {
  ASSERT_TRUE(write_key_file(path(), key_));
  EXPECT_EQ(file_text(path()), digits_of(key_) + '\n');
  struct stat about {};
  ASSERT_EQ(::stat(path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0600U);
  EXPECT_EQ(about.st_nlink, 1U);
  EXPECT_EQ(files(), 1U);
}

TEST_F(master_key_file, comes_back_as_it_was) {
  ASSERT_TRUE(write_key_file(path(), key_));
  const auto read = read_key_file(path());
  ASSERT_TRUE(read);
  ASSERT_TRUE(read->has_value());
  EXPECT_TRUE(**read == key_);
}

TEST_F(master_key_file, that_is_not_there_is_no_failure) {
  const auto read = read_key_file(path());
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->has_value());
}

TEST_F(master_key_file, is_never_written_over) {
  put_file(path(), "what was there");
  const auto written = write_key_file(path(), key_);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error(),
            failure(errc::already_exists, "the master key " + path() + " is there already"));
  EXPECT_EQ(file_text(path()), "what was there");
  EXPECT_EQ(files(), 1U);
}

TEST_F(master_key_file, others_may_read_is_refused_with_the_way_out) {
  ASSERT_TRUE(write_key_file(path(), key_));
  for (const mode_t mode : {0640, 0620, 0604, 0602, 0610, 0601, 0644}) {
    ASSERT_EQ(::chmod(path().c_str(), mode), 0);
    const auto read = read_key_file(path());
    ASSERT_FALSE(read) << mode;
    EXPECT_EQ(read.error().code, errc::permission);
    EXPECT_NE(read.error().text.find("chmod 600"), std::string::npos);
    tells_nothing_of(key_, read.error().text);
  }
  for (const mode_t mode : {0600, 0400, 0700}) {
    ASSERT_EQ(::chmod(path().c_str(), mode), 0);
    EXPECT_TRUE(read_key_file(path())) << mode;
  }
}

TEST_F(master_key_file, that_we_may_not_read_is_refused_by_name) {
  ASSERT_TRUE(write_key_file(path(), key_));
  ASSERT_EQ(::chmod(path().c_str(), 0), 0);
  const as_nobody now;
  const auto read = read_key_file(path());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error(), failure(errc::permission,
                                  "cannot read the master key " + path() + ": Permission denied"));
}

TEST_F(master_key_file, without_a_key_in_it_is_refused_and_not_repeated) {
  const auto half = digits_of(key_).substr(0, 63);
  for (const auto& text : {std::string{}, std::string{"\n"}, half, half + "x",
                           digits_of(key_) + '\n' + digits_of(key_), std::string(10'000, 'a')}) {
    put_file(path(), text);
    const auto read = read_key_file(path());
    ASSERT_FALSE(read) << text.size();
    EXPECT_EQ(read.error().code, errc::invalid_argument);
    EXPECT_NE(read.error().text.find("openssl rand -hex 32"), std::string::npos);
    tells_nothing_of(key_, read.error().text);
  }
}

TEST_F(master_key_file, is_a_file_not_a_directory_or_a_pipe_that_nobody_writes) {
  ASSERT_TRUE(std::filesystem::create_directory(path()));
  EXPECT_EQ(read_key_file(path()).error().code, errc::invalid_argument);
  const auto pipe = where_.path() + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_key_file(pipe).error(),
            failure(errc::invalid_argument, "the master key " + pipe + " is not a file"));
}

TEST_F(master_key_file, on_a_full_disk_is_whole_or_not_there) {
  {
    const full_disk now;
    const auto written = write_key_file(path(), key_);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, errc::storage_full);
    tells_nothing_of(key_, written.error().text);
  }
  EXPECT_EQ(files(), 0U);
}

TEST_F(master_key_file, in_a_directory_that_is_not_there_is_a_failure) {
  const auto written = write_key_file(where_.path() + "/none/master.key", key_);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, errc::storage_failed);
}

TEST_F(master_key_file, is_replaced_as_a_whole) {
  const auto other = key_bytes::random();
  ASSERT_TRUE(write_key_file(path(), key_));
  ASSERT_TRUE(write_key_file(next_file(path()), other));
  ASSERT_TRUE(move_key_file(next_file(path()), path()));
  EXPECT_EQ(file_text(path()), digits_of(other) + '\n');
  EXPECT_EQ(files(), 1U);
  EXPECT_FALSE(move_key_file(next_file(path()), path()));
  EXPECT_EQ(file_text(path()), digits_of(other) + '\n');
}

} // namespace
} // namespace troupe::storage
