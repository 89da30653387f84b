#include "storage/store.hpp"

#include "tests/support/full_disk.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::storage {
namespace {

std::unique_ptr<store> opened(const temporary_directory& where) {
  auto s = store::open({.directory = where.path()});
  if (!s)
    ADD_FAILURE() << s.error().text;
  return s ? *std::move(s) : nullptr;
}

std::map<std::string, std::string> rows(const store& s, column c, std::string_view prefix) {
  std::map<std::string, std::string> all;
  const auto end = s.for_each(c, prefix, [&](std::string_view key, std::string_view value) {
    all.emplace(key, value);
    return true;
  });
  EXPECT_TRUE(end);
  return all;
}

TEST(store, keeps_what_was_put_over_a_restart) {
  const temporary_directory where;
  {
    const auto s = opened(where);
    ASSERT_TRUE(s->put(column::settings, "a", "1", durability::process));
    ASSERT_TRUE(s->put(column::keys, "a", std::string("\0\xFF", 2), durability::power));
    ASSERT_TRUE(s->put(column::keys, "b", "gone", durability::process));
    ASSERT_TRUE(s->erase(column::keys, "b", durability::process));
    ASSERT_TRUE(s->close());
  }
  const auto s = opened(where);
  EXPECT_EQ(**s->get(column::settings, "a"), "1");
  EXPECT_EQ(**s->get(column::keys, "a"), std::string("\0\xFF", 2));
  EXPECT_EQ(*s->get(column::keys, "b"), std::nullopt);
}

TEST(store, columns_share_no_rows) {
  const temporary_directory where;
  const auto s = opened(where);
  ASSERT_TRUE(s->put(column::keys, "a", "1", durability::process));
  for (const auto c : {column::settings, column::credentials, column::key_state, column::statistics,
                       column::request_log, column::resources, column::replication})
    EXPECT_TRUE(rows(*s, c, "").empty()) << to_string(c);
}

TEST(store, visits_the_rows_of_a_prefix_in_order_until_told_to_stop) {
  const temporary_directory where;
  const auto s = opened(where);
  for (const auto* key : {"a", "b1", "b2", "b3", "c"})
    ASSERT_TRUE(s->put(column::keys, key, key, durability::process));
  EXPECT_EQ(rows(*s, column::keys, "b"),
            (std::map<std::string, std::string>{{"b1", "b1"}, {"b2", "b2"}, {"b3", "b3"}}));
  std::string seen;
  ASSERT_TRUE(s->for_each(column::keys, "", [&](std::string_view key, std::string_view) {
    seen += key;
    return key != "b2";
  }));
  EXPECT_EQ(seen, "ab1b2");
}

TEST(store, visits_backwards_from_the_end_or_from_below_a_row) {
  const temporary_directory where;
  const auto s = opened(where);
  for (const auto* key : {"a", "b1", "b2", "b3", "c", "\xFF\xFF"})
    ASSERT_TRUE(s->put(column::audit, key, key, durability::process));
  const auto seen = [&](std::string_view prefix, std::string_view before, std::size_t most = 9) {
    std::string all;
    EXPECT_TRUE(s->for_each_backwards(column::audit, prefix, before,
                                      [&](std::string_view key, std::string_view value) {
                                        EXPECT_EQ(key, value);
                                        all += std::string{key} + ' ';
                                        return --most > 0;
                                      }));
    return all;
  };
  EXPECT_EQ(seen("", ""), "\xFF\xFF c b3 b2 b1 a ");
  EXPECT_EQ(seen("b", ""), "b3 b2 b1 ");
  EXPECT_EQ(seen("b", "", 2), "b3 b2 ");
  EXPECT_EQ(seen("b", "b3"), "b2 b1 ");   // the row itself is not below itself
  EXPECT_EQ(seen("b", "b25"), "b2 b1 ");  // there need be no such row
  EXPECT_EQ(seen("b", "z"), "b3 b2 b1 "); // a place behind all of the prefix
  EXPECT_EQ(seen("b", "b1"), "");
  EXPECT_EQ(seen("b", "a"), "");
  EXPECT_EQ(seen("\xFF", ""), "\xFF\xFF ");
  EXPECT_EQ(seen("x", ""), "");
}

TEST(store, a_batch_spans_columns) {
  const temporary_directory where;
  const auto s = opened(where);
  ASSERT_TRUE(s->put(column::keys, "old", "1", durability::process));
  write_batch batch;
  batch.put(column::keys, "new", "2");
  batch.put(column::settings, "new", "3");
  batch.erase(column::keys, "old");
  ASSERT_TRUE(s->write(batch, durability::power));
  EXPECT_EQ(rows(*s, column::keys, ""), (std::map<std::string, std::string>{{"new", "2"}}));
  EXPECT_EQ(**s->get(column::settings, "new"), "3");
}

TEST(store, a_second_store_on_the_directory_is_refused_by_name) {
  const temporary_directory where;
  const auto first = opened(where);
  const auto second = store::open({.directory = where.path()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), failure(errc::already_exists, "the data directory " + where.path()
                                                              + " is in use by process "
                                                              + std::to_string(::getpid())));
  ASSERT_TRUE(first->close());
  EXPECT_TRUE(store::open({.directory = where.path()}));
}

TEST(store, a_second_process_on_the_directory_is_refused_by_name) {
  const temporary_directory where;
  const auto first = opened(where);
  const auto expected =
      "the data directory " + where.path() + " is in use by process " + std::to_string(::getpid());
  const auto child = ::fork();
  if (child == 0) {
    const auto second = store::open({.directory = where.path()});
    ::_exit(!second && second.error().text == expected ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(store, makes_its_directory_for_its_owner_alone) {
  const temporary_directory where;
  const auto deep = where.path() + "/not/there";
  ASSERT_TRUE(store::open({.directory = deep}));
  EXPECT_EQ(std::filesystem::status(deep).permissions(), std::filesystem::perms::owner_all);
}

TEST(store, a_directory_that_cannot_be_made_is_named) {
  const temporary_directory where;
  const auto s = store::open({.directory = "/proc/troupe"});
  ASSERT_FALSE(s);
  EXPECT_NE(s.error().text.find("/proc/troupe"), std::string::npos);
}

TEST(store, refuses_a_database_of_a_later_version) {
  const temporary_directory where;
  (void)opened(where)->close();
  {
    rocksdb::DBOptions options;
    const auto path = where.path() + "/db";
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies(options, path, &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> all;
    for (const auto& name : names)
      all.emplace_back(name, rocksdb::ColumnFamilyOptions{});
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, path, all, &handles, &db).ok());
    rocksdb::ColumnFamilyHandle* future = nullptr;
    ASSERT_TRUE(db->CreateColumnFamily({}, "future", &future).ok());
    handles.push_back(future);
    for (auto* handle : handles)
      (void)db->DestroyColumnFamilyHandle(handle);
    delete db;
  }
  const auto s = store::open({.directory = where.path()});
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().code, errc::corrupt);
  EXPECT_NE(s.error().text.find("column \"future\", made by a later version"), std::string::npos);
}

TEST(store, a_full_disk_is_a_failure_and_ends_when_there_is_room) {
  const temporary_directory where;
  {
    const auto s = opened(where);
    ASSERT_TRUE(s->put(column::keys, "before", "1", durability::power));
    {
      const full_disk full;
      for (int i = 0; i < 3; ++i) {
        const auto written = s->put(column::keys, "during", "2", durability::power);
        ASSERT_FALSE(written);
        EXPECT_EQ(written.error().code, errc::storage_full);
      }
      EXPECT_EQ(**s->get(column::keys, "before"), "1");
    }
    ASSERT_TRUE(s->put(column::keys, "after", "3", durability::power));
  }
  const auto s = opened(where);
  EXPECT_EQ(**s->get(column::keys, "before"), "1");
  EXPECT_EQ(**s->get(column::keys, "after"), "3");
}

TEST(store, a_disk_that_is_full_at_the_start_is_told_and_loses_nothing) {
  const temporary_directory where;
  ASSERT_TRUE(opened(where)->put(column::keys, "a", "1", durability::power));
  {
    const full_disk full;
    const auto s = store::open({.directory = where.path()});
    ASSERT_FALSE(s);
    EXPECT_EQ(s.error().code, errc::storage_full) << s.error().text;
    EXPECT_NE(s.error().text.find(where.path()), std::string::npos);
  }
  const auto s = opened(where);
  ASSERT_TRUE(s);
  EXPECT_TRUE(s->damage().empty());
  EXPECT_EQ(**s->get(column::keys, "a"), "1");
}

/// What opening a store in `directory` says in a process that sees it mounted read-only; "none"
/// if this system lets no test mount. The process does nothing else, so it may be a fork.
std::string said_when_read_only(const std::string& directory) {
  int ends[2] = {-1, -1};
  if (::pipe(ends) != 0)
    return "none";
  const auto child = ::fork();
  if (child == 0) {
    std::string said = "none";
    const auto* path = directory.c_str();
    if (::unshare(CLONE_NEWNS) == 0
        && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0
        && ::mount(path, path, nullptr, MS_BIND, nullptr) == 0
        && ::mount("none", path, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0) {
      const auto s = store::open({.directory = directory});
      said = s ? "opened" : std::string{to_string(s.error().code)} + ": " + s.error().text;
    }
    (void)!::write(ends[1], said.data(), said.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string said(1'024, '\0');
  const auto got = ::read(ends[0], said.data(), said.size());
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  said.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return said;
}

TEST(store, a_read_only_data_directory_is_told_with_its_path_and_what_to_do) {
  const temporary_directory where;
  ASSERT_TRUE(opened(where)->put(column::keys, "a", "1", durability::power));
  const auto said = said_when_read_only(where.path());
  if (said == "none")
    GTEST_SKIP() << "no mount namespace may be made here";
  EXPECT_TRUE(said.starts_with(std::string{to_string(errc::permission)} + ": ")) << said;
  EXPECT_NE(said.find(where.path()), std::string::npos) << said;
  EXPECT_NE(said.find("make it writable for the user that runs troupe"), std::string::npos) << said;
  EXPECT_EQ(**opened(where)->get(column::keys, "a"), "1");
}

/// Not a promise but a figure: run by hand, with --gtest_also_run_disabled_tests.
TEST(store, DISABLED_how_long_100_000_rows_take) {
  using clock = std::chrono::steady_clock;
  const auto ms = [](clock::time_point since) {
    return static_cast<long>(
        std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - since).count());
  };
  const temporary_directory where;
  auto s = opened(where);
  write_batch batch;
  for (int i = 0; i < 100'000; ++i) {
    batch.put(column::keys, std::to_string(1'000'000 + i), std::string(400, 'x'));
    if (batch.size() == 1'000) {
      ASSERT_TRUE(s->write(batch, durability::process));
      batch.clear();
    }
  }
  s.reset();
  for (int i = 0; i < 3; ++i) {
    auto begin = clock::now();
    s = opened(where);
    const auto opening = ms(begin);
    begin = clock::now();
    EXPECT_EQ(rows(*s, column::keys, "").size(), 100'000U);
    std::printf("opened in %ld ms, all rows read in %ld ms\n", opening, ms(begin));
    s.reset();
  }
}

TEST(store, a_closed_store_fails_instead_of_crashing) {
  const temporary_directory where;
  const auto s = opened(where);
  ASSERT_TRUE(s->close());
  ASSERT_TRUE(s->close());
  EXPECT_EQ(s->put(column::keys, "a", "1", durability::process).error().code, errc::storage_failed);
  EXPECT_EQ(s->get(column::keys, "a").error().code, errc::storage_failed);
  EXPECT_EQ(s->sync().error().code, errc::storage_failed);
  EXPECT_FALSE(s->for_each(column::keys, "", [](auto, auto) { return true; }));
}

} // namespace
} // namespace troupe::storage
