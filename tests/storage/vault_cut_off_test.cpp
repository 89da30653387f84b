#include "tests/storage/vault_support.hpp"
#include "tests/support/full_disk.hpp"

// A first start and a rotation, cut off at each of their points: what a crash leaves is built
// here by hand, and the next start must find the one key that fits.

namespace troupe::storage {
namespace {

class vault_cut_off : public sealed_stage {
protected:
  /// As a rotation leaves them that was cut off between the database and the file.
  void cut_off_before_the_file_moves() {
    const auto before = file_text(file());
    ASSERT_TRUE(start(from_file())->rotate());
    std::filesystem::rename(file(), next());
    put_file(file(), before);
  }
};

TEST_F(vault_cut_off, first_start_cut_off_within_the_file_leaves_a_draft_that_nobody_takes) {
  put_file(file() + ".0badcafe", digits_of(one_).substr(0, 20));
  begin(from_file());
  EXPECT_FALSE(in_file() == one_);
  still_opens(*start(from_file()));
}

TEST_F(vault_cut_off, first_start_cut_off_after_the_file_goes_on_with_that_file) {
  put_key(file(), one_);
  begin(from_file());
  EXPECT_TRUE(in_file() == one_);
  still_opens(*start(from_environment(one_)));
}

TEST_F(vault_cut_off, rotation_cut_off_within_the_next_file_changes_nothing) {
  begin(from_file());
  const auto before = rows();
  put_file(next() + ".0badcafe", digits_of(one_).substr(0, 20));
  still_opens(*start(from_file()));
  EXPECT_EQ(rows(), before);
}

TEST_F(vault_cut_off, rotation_cut_off_before_the_database_keeps_the_old_one) {
  begin(from_file());
  const auto old = in_file();
  put_key(next(), other_);
  const auto v = start(from_file());
  still_opens(*v);
  EXPECT_TRUE(in_file() == old);
  EXPECT_EQ(v->master_fingerprint(), fingerprint_of(old));
}

TEST_F(vault_cut_off, rotation_after_one_that_was_cut_off_takes_the_key_that_is_there) {
  begin(from_file());
  put_key(next(), other_);
  ASSERT_TRUE(start(from_file())->rotate());
  EXPECT_TRUE(in_file() == other_);
  EXPECT_FALSE(exists(next()));
  still_opens(*start(from_file()));
}

TEST_F(vault_cut_off, rotation_whose_write_failed_keeps_both_keys_until_one_is_sure) {
  begin(from_file());
  const auto old = in_file();
  put_key(next(), other_);
  auto v = start(from_file());
  {
    const full_disk now; // the next file is there: only the database can fail
    EXPECT_EQ(v->rotate().error().code, errc::storage_full);
  }
  EXPECT_TRUE(in_file() == old);
  EXPECT_TRUE(exists(next()));
  still_opens(*v);
  ASSERT_TRUE(v->rotate());
  EXPECT_TRUE(in_file() == other_);
  still_opens(*start(from_file()));
}

TEST_F(vault_cut_off, rotation_cut_off_before_the_file_moves_is_finished_at_the_start) {
  begin(from_file());
  cut_off_before_the_file_moves();
  const auto old = in_file();
  const auto v = start(from_file());
  ASSERT_TRUE(v);
  still_opens(*v);
  EXPECT_EQ(v->data_key(), 2U);
  EXPECT_FALSE(in_file() == old);
  EXPECT_EQ(v->master_fingerprint(), fingerprint_of(in_file()));
  EXPECT_FALSE(exists(next()));
  ASSERT_EQ(v->notes().size(), 1U);
  EXPECT_TRUE(says(v->notes()[0], "was cut off and has been finished")) << v->notes()[0];
  still_opens(*start(from_file()));
}

TEST_F(vault_cut_off, rotation_cut_off_before_the_file_moves_is_finished_without_the_file) {
  begin(from_file());
  cut_off_before_the_file_moves();
  ASSERT_TRUE(std::filesystem::remove(file()));
  still_opens(*start(from_file()));
  EXPECT_TRUE(exists(file()));
}

TEST_F(vault_cut_off, rotation_whose_file_did_not_move_moves_it_before_the_next_one) {
  begin(from_file());
  auto v = start(from_file());
  const auto old = file_text(file());
  ASSERT_TRUE(v->rotate());
  const auto second = in_file();
  std::filesystem::rename(file(), next());
  put_file(file(), old);
  ASSERT_TRUE(v->rotate());
  EXPECT_FALSE(in_file() == second);
  EXPECT_FALSE(exists(next()));
  EXPECT_EQ(v->data_key(), 3U);
  still_opens(*v);
  still_opens(*start(from_file()));
}

TEST_F(vault_cut_off, rotation_is_refused_by_a_next_file_that_cannot_be_read) {
  begin(from_file());
  put_file(next(), "nonsense");
  const auto v = start(from_file());
  still_opens(*v);
  EXPECT_EQ(v->rotate().error().code, errc::invalid_argument);
  EXPECT_EQ(v->data_key(), 1U);
  EXPECT_EQ(file_text(next()), "nonsense");
}

} // namespace
} // namespace troupe::storage
