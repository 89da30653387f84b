#include "storage/backup.hpp"
#include "tests/storage/damage_support.hpp"
#include "tests/support/full_disk.hpp"

#include <atomic>
#include <thread>

#include <unistd.h>

namespace troupe::storage {
namespace {

namespace fs = std::filesystem;

class store_backup : public ::testing::Test {
protected:
  std::string data() const { return scratch_.path() + "/data"; }
  std::string backups() const { return scratch_.path() + "/backups"; }

  static std::unique_ptr<store> opened(const std::string& directory) {
    auto s = store::open(small_store(directory));
    if (!s)
      ADD_FAILURE() << s.error().text;
    return s ? *std::move(s) : nullptr;
  }

  static void fill(store& s, const row_map& rows) {
    for (const auto& [key, value] : rows)
      ASSERT_TRUE(s.put(column::keys, key, value, durability::process));
  }

  scratch_directory scratch_;
};

TEST_F(store_backup, comes_back_as_it_was_in_an_empty_directory) {
  const auto rows = items("key", 300);
  {
    const auto s = opened(data());
    fill(*s, rows);
    const auto report = s->backup(backups());
    ASSERT_TRUE(report) << report.error().text;
    EXPECT_EQ(report->number, 1U);
    EXPECT_EQ(report->backups, 1U);
    EXPECT_GT(report->bytes, 300U * 90);
    ASSERT_TRUE(s->put(column::keys, "later", "1", durability::process));
  }
  const auto other = scratch_.path() + "/deep/other";
  const auto restored = restore_backup(backups(), other);
  ASSERT_TRUE(restored) << restored.error().text;
  const auto s = opened(other);
  ASSERT_TRUE(s);
  EXPECT_EQ(rows_of(*s, column::keys), rows);
  EXPECT_TRUE(s->damage().empty());
  EXPECT_EQ(fs::status(other).permissions(), fs::perms::owner_all);
}

TEST_F(store_backup, what_was_there_is_kept_beside_it) {
  {
    const auto s = opened(data());
    ASSERT_TRUE(s->put(column::keys, "a", "backed up", durability::process));
    ASSERT_TRUE(s->backup(backups()));
    ASSERT_TRUE(s->put(column::keys, "a", "changed", durability::process));
  }
  ASSERT_TRUE(restore_backup(backups(), data()));
  {
    const auto s = opened(data());
    EXPECT_EQ(rows_of(*s, column::keys), (row_map{{"a", "backed up"}}));
  }
  ASSERT_TRUE(restore_backup(backups(), data()));
  EXPECT_TRUE(fs::exists(data() + "/db.before-restore-2"));
  // What was put aside is a database as it was.
  fs::create_directory(scratch_.path() + "/old");
  fs::rename(data() + "/db.before-restore-1", scratch_.path() + "/old/db");
  const auto old = opened(scratch_.path() + "/old");
  EXPECT_EQ(rows_of(*old, column::keys), (row_map{{"a", "changed"}}));
}

TEST_F(store_backup, is_of_one_moment_while_writes_go_on) {
  const auto s = opened(data());
  for (const auto c : {column::keys, column::settings, column::statistics})
    ASSERT_TRUE(s->put(c, "n", "0", durability::process));
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> written = 0;
  std::thread writer([&] {
    for (std::uint64_t n = 1; !done; ++n) {
      write_batch batch;
      for (const auto c : {column::keys, column::settings, column::statistics})
        batch.put(c, "n", std::to_string(n));
      batch.put(column::keys, std::to_string(n % 1'000), std::string(300, 'x'));
      EXPECT_TRUE(s->write(batch, durability::process));
      written = n;
    }
  });
  std::uint64_t during = 0;
  for (int i = 0; i < 5; ++i) {
    const auto before = written.load();
    const auto report = s->backup(backups());
    during += written - before;
    EXPECT_TRUE(report) << report.error().text;
    fs::remove_all(scratch_.path() + "/copy");
    ASSERT_TRUE(restore_backup(backups(), scratch_.path() + "/copy"));
    const auto copy = opened(scratch_.path() + "/copy");
    const auto n = **copy->get(column::keys, "n");
    EXPECT_GE(std::stoull(n), before);
    EXPECT_EQ(**copy->get(column::settings, "n"), n);
    EXPECT_EQ(**copy->get(column::statistics, "n"), n);
  }
  done = true;
  writer.join();
  EXPECT_GT(during, 0U);
}

TEST_F(store_backup, keeps_the_newest_and_numbers_go_on) {
  const auto s = opened(data());
  for (std::uint32_t i = 1; i <= 5; ++i) {
    ASSERT_TRUE(s->put(column::keys, "n", std::to_string(i), durability::process));
    const auto report = s->backup(backups(), 2);
    ASSERT_TRUE(report) << report.error().text;
    EXPECT_EQ(report->number, i);
    EXPECT_EQ(report->backups, std::min(i, 2U));
  }
  ASSERT_TRUE(restore_backup(backups(), scratch_.path() + "/other"));
  EXPECT_EQ(**opened(scratch_.path() + "/other")->get(column::keys, "n"), "5");
}

TEST_F(store_backup, is_for_its_owner_alone) {
  const auto s = opened(data());
  fill(*s, items("key", 20));
  ASSERT_TRUE(s->backup(backups()));
  EXPECT_EQ(fs::status(backups()).permissions(), fs::perms::owner_all);
  std::size_t files = 0;
  for (const auto& f : fs::recursive_directory_iterator(backups())) {
    const auto mode = f.status().permissions();
    if (f.is_directory()) {
      EXPECT_EQ(mode, fs::perms::owner_all) << f.path();
    } else {
      EXPECT_EQ(mode, fs::perms::owner_read | fs::perms::owner_write) << f.path();
      ++files;
    }
  }
  EXPECT_GT(files, 3U);
}

TEST_F(store_backup, refuses_a_directory_that_holds_anything_else) {
  const auto s = opened(data());
  fs::create_directories(backups() + "/meta");
  write_bytes(backups() + "/thesis.txt", "mine");
  const auto report = s->backup(backups());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, errc::already_exists);
  EXPECT_NE(report.error().text.find(backups() + " holds something else"), std::string::npos);
  EXPECT_EQ(bytes_of(backups() + "/thesis.txt"), "mine");
  EXPECT_EQ(s->backup(backups() + "/thesis.txt").error().code, errc::already_exists);
  EXPECT_EQ(s->backup(data()).error().code, errc::already_exists);
  EXPECT_EQ(s->backup(data() + "/db").error().code, errc::already_exists);
  EXPECT_TRUE(s->put(column::keys, "a", "1", durability::power));
}

TEST_F(store_backup, two_at_a_time_into_one_directory_are_refused_by_name) {
  const auto s = opened(data());
  const auto other = backup_run::open(backups());
  ASSERT_TRUE(other);
  const auto report = s->backup(backups());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error(), failure(errc::already_exists, "the directory of backups " + backups()
                                                              + " is in use by process "
                                                              + std::to_string(::getpid())));
}

TEST_F(store_backup, is_given_up_when_it_is_told_to_stop) {
  const auto s = opened(data());
  fill(*s, items("key", 20));
  auto run = backup_run::open(backups());
  ASSERT_TRUE(run);
  ASSERT_TRUE(s->close());
  auto opening = database::open(small_store(data()), database_path(data()));
  ASSERT_TRUE(opening.data);
  run->stop();
  const auto report = run->copy(opening.data->db(), 1);
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().text.find("the backup was given up"), std::string::npos);
}

TEST_F(store_backup, a_full_disk_leaves_earlier_backups_usable_and_the_store_writable) {
  const auto s = opened(data());
  ASSERT_TRUE(s->put(column::keys, "n", "1", durability::process));
  ASSERT_TRUE(s->backup(backups()));
  ASSERT_TRUE(s->put(column::keys, "n", "2", durability::process));
  {
    const full_disk full;
    for (int i = 0; i < 3; ++i) {
      const auto report = s->backup(backups());
      ASSERT_FALSE(report);
      EXPECT_EQ(report.error().code, errc::storage_full) << report.error().text;
    }
    EXPECT_EQ(**s->get(column::keys, "n"), "2");
  }
  ASSERT_TRUE(restore_backup(backups(), scratch_.path() + "/other"));
  EXPECT_EQ(**opened(scratch_.path() + "/other")->get(column::keys, "n"), "1");
  ASSERT_TRUE(s->put(column::keys, "n", "3", durability::power));
  const auto report = s->backup(backups());
  ASSERT_TRUE(report) << report.error().text;
  EXPECT_EQ(report->backups, 2U);
  ASSERT_TRUE(restore_backup(backups(), scratch_.path() + "/other"));
  EXPECT_EQ(**opened(scratch_.path() + "/other")->get(column::keys, "n"), "3");
}

TEST_F(store_backup, a_full_disk_during_a_restore_changes_nothing) {
  const auto s = opened(data());
  fill(*s, items("key", 20));
  ASSERT_TRUE(s->backup(backups()));
  ASSERT_TRUE(s->put(column::keys, "n", "2", durability::process));
  ASSERT_TRUE(s->close());
  {
    const full_disk full;
    const auto restored = restore_backup(backups(), data());
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().code, errc::storage_full) << restored.error().text;
  }
  EXPECT_FALSE(fs::exists(data() + "/db.before-restore-1"));
  EXPECT_EQ(**opened(data())->get(column::keys, "n"), "2");
}

TEST_F(store_backup, is_not_restored_under_a_running_node) {
  const auto s = opened(data());
  ASSERT_TRUE(s->put(column::keys, "a", "1", durability::process));
  ASSERT_TRUE(s->backup(backups()));
  const auto restored = restore_backup(backups(), data());
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error(),
            failure(errc::already_exists, "the data directory " + data() + " is in use by process "
                                              + std::to_string(::getpid())));
  EXPECT_TRUE(s->put(column::keys, "a", "2", durability::process));
}

TEST_F(store_backup, where_there_is_none_it_is_not_found) {
  fs::create_directories(backups());
  for (const auto& from : {backups(), scratch_.path() + "/nowhere"}) {
    const auto restored = restore_backup(from, data());
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().code, errc::not_found);
    EXPECT_NE(restored.error().text.find(from), std::string::npos);
  }
  ASSERT_TRUE(backup_run::open(backups())); // made ready, but nothing was copied
  EXPECT_EQ(restore_backup(backups(), data()).error().code, errc::not_found);
  EXPECT_FALSE(fs::exists(data()));
}

TEST_F(store_backup, a_damaged_one_is_corrupt_and_changes_nothing) {
  {
    const auto s = opened(data());
    fill(*s, items("key", 50));
    ASSERT_TRUE(s->close());
    to_tables(data());
  }
  const auto s = opened(data());
  ASSERT_TRUE(s->backup(backups()));
  ASSERT_TRUE(s->put(column::keys, "a", "1", durability::process));
  ASSERT_TRUE(s->close());
  const auto before = scratch_.path() + "/backups before";
  copy_directory(backups(), before);
  std::size_t damaged = 0;
  for (const auto& f : fs::recursive_directory_iterator(before)) {
    if (!f.is_regular_file() || f.file_size() == 0
        || f.path().filename() == std::string{directory_lock::name})
      continue;
    copy_directory(before, backups());
    flip_byte(backups() + f.path().string().substr(before.size()), f.file_size() / 2);
    const auto restored = restore_backup(backups(), data());
    ASSERT_FALSE(restored) << f.path();
    EXPECT_EQ(restored.error().code, errc::corrupt) << f.path() << restored.error().text;
    EXPECT_NE(restored.error().text.find(backups()), std::string::npos);
    EXPECT_FALSE(fs::exists(data() + "/db.before-restore-1"));
    ++damaged;
  }
  EXPECT_GT(damaged, 3U);
  EXPECT_EQ(**opened(data())->get(column::keys, "a"), "1");
}

} // namespace
} // namespace troupe::storage
