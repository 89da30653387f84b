#include "actors/storage_actor.hpp"

#include "actors/error.hpp"
#include "storage/core/record_layout.hpp"
#include "storage/key_states.hpp"
#include "tests/support/full_disk.hpp"
#include "tests/support/still_system.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <random>

#include <sys/wait.h>
#include <unistd.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;

class storage_actor_test : public testing::Test {
protected:
  void SetUp() override {
    auto opened = storage::store::open({.directory = where_.path()});
    ASSERT_TRUE(opened) << opened.error().text;
    store_ = *std::move(opened);
    storage_actor_options options;
    options.store = store_.get();
    options.batch_rows_max = 10;
    options.resources_waiting_max = 20;
    options.log = &log_;
    actor_ = still_.system().spawn(storage_actor, options); // not detached: time stands still
    still_.settle_down();
  }
  void TearDown() override {
    caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
    actor_ = nullptr;
    still_.settle_down();
  }

  void save(std::uint64_t key, std::string record, bool urgent = false) {
    caf::anon_send(actor_, save_key_state{key, std::move(record), urgent});
    still_.settle_down();
  }

  /// What lies in the store, whatever the actor still holds.
  std::string stored(std::uint64_t key) {
    auto row = store_->get(storage::column::key_state, storage::row_of(key));
    EXPECT_TRUE(row);
    return row->value_or("nothing");
  }

  void save_resource_of(std::string name, std::string record) {
    caf::anon_send(actor_, save_resource{std::move(name), std::move(record)});
    still_.settle_down();
  }
  std::string stored_resource(const std::string& name) {
    auto row = store_->get(storage::column::resources, name);
    EXPECT_TRUE(row);
    return row->value_or("nothing");
  }

  storage_status status() { return *still_.ask<storage_status>(actor_, status_atom::value); }

  temporary_directory where_;
  std::unique_ptr<storage::store> store_;
  kept_log log_;
  still_system still_;
  caf::actor actor_;
};

TEST_F(storage_actor_test, writes_what_came_in_a_quarter_of_a_second_together) {
  save(1, "a");
  save(2, "b");
  save(1, "c");
  EXPECT_EQ(stored(1), "nothing");
  still_.pass(249ms);
  EXPECT_EQ(stored(1), "nothing");
  still_.pass(1ms);
  EXPECT_EQ(stored(1), "c");
  EXPECT_EQ(stored(2), "b");
  EXPECT_EQ(status().batches, 1U);
  EXPECT_EQ(status().rows_written, 2U);
}

TEST_F(storage_actor_test, an_urgent_state_takes_all_that_wait_along) {
  save(1, "a");
  save(2, "b", true);
  EXPECT_EQ(stored(1), "a");
  EXPECT_EQ(stored(2), "b");
}

TEST_F(storage_actor_test, a_full_batch_does_not_wait) {
  for (std::uint64_t key = 1; key <= 10; ++key)
    save(key, "x");
  EXPECT_EQ(stored(1), "x");
  EXPECT_EQ(status().pending, 0U);
}

TEST_F(storage_actor_test, gives_the_newest_state_also_before_it_is_written) {
  save(1, "old", true);
  save(1, "new");
  EXPECT_EQ(stored(1), "old");
  EXPECT_EQ(*still_.ask<std::string>(actor_, load_key_state{1}), "new");
  EXPECT_EQ(*still_.ask<std::string>(actor_, load_key_state{2}), "");
}

TEST_F(storage_actor_test, an_erased_state_is_gone) {
  save(1, "a", true);
  caf::anon_send(actor_, erase_key_state{1});
  still_.settle_down();
  EXPECT_EQ(stored(1), "nothing");
  EXPECT_EQ(*still_.ask<std::string>(actor_, load_key_state{1}), "");
}

TEST_F(storage_actor_test, a_disk_that_refuses_is_logged_and_counted_and_loses_nothing) {
  {
    const full_disk full;
    save(1, "a", true);
    EXPECT_EQ(status().failures, 1U);
    EXPECT_EQ(status().pending, 1U);
    EXPECT_NE(status().last_failure.find("cannot write"), std::string::npos);
    EXPECT_TRUE(log_.has("error 1 rows wait: cannot write"));
    for (std::uint64_t key = 1; key <= 100; ++key)
      save(key, "b", true);
    EXPECT_EQ(status().failures, 1U) << "no try before its time";
    still_.pass(10s);
    EXPECT_EQ(status().failures, 11U);
    EXPECT_EQ(status().pending, 100U);
    EXPECT_EQ(log_.lines.size(), 4U) << "the 1st, 2nd, 4th and 8th";
    EXPECT_EQ(*still_.ask<std::string>(actor_, load_key_state{1}), "b");
  }
  still_.pass(1s);
  EXPECT_EQ(status().pending, 0U);
  EXPECT_EQ(stored(100), "b");
}

TEST_F(storage_actor_test, quotas_that_come_together_are_written_together_and_then_answered) {
  const auto begun = status().batches;
  auto one = still_.self()->request(actor_, caf::infinite, save_quota{"quota/a", "1"});
  auto two = still_.self()->request(actor_, caf::infinite, save_quota{"quota/b", "2"});
  still_.settle_down();
  const auto fail = [](const caf::error&) { ADD_FAILURE(); };
  one.receive([] {}, fail);
  two.receive([] {}, fail);
  EXPECT_EQ(status().batches, begun + 1);
  EXPECT_EQ(store_->get(storage::column::key_state, "quota/a")->value_or(""), "1");
  EXPECT_EQ(*still_.ask<std::string>(actor_, load_quota{"quota/b"}), "2");
  EXPECT_EQ(*still_.ask<std::string>(actor_, load_quota{"quota/c"}), "");
}

TEST_F(storage_actor_test, a_quota_that_the_disk_refuses_is_told_and_not_kept_for_later) {
  {
    const full_disk full;
    EXPECT_EQ(to_errc(still_.error_of(actor_, save_quota{"quota/a", "1"})), errc::storage_failed);
    EXPECT_TRUE(log_.has("limited keys wait for their allowance"));
  }
  still_.pass(10s);
  EXPECT_EQ(*still_.ask<std::string>(actor_, load_quota{"quota/a"}), "");
  EXPECT_EQ(still_.error_of(actor_, save_quota{"quota/a", "2"}), caf::none);
}

TEST_F(storage_actor_test, an_erased_quota_is_gone) {
  EXPECT_EQ(still_.error_of(actor_, save_quota{"quota/a", "1"}), caf::none);
  caf::anon_send(actor_, erase_quota{"quota/a"});
  still_.settle_down();
  EXPECT_EQ(*still_.ask<std::string>(actor_, load_quota{"quota/a"}), "");
}

TEST_F(storage_actor_test, flush_writes_at_once) {
  save(1, "a");
  EXPECT_EQ(still_.error_of(actor_, flush_atom::value), caf::none);
  EXPECT_EQ(stored(1), "a");
}

TEST_F(storage_actor_test, writes_what_waits_before_it_ends) {
  save(1, "a");
  caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
  still_.settle_down();
  EXPECT_EQ(stored(1), "a");
}

TEST_F(storage_actor_test, resources_are_written_in_one_batch_with_key_states) {
  save(1, "a");
  save_resource_of("files/a", "old");
  save_resource_of("files/a", "new");
  save_resource_of("files/b", "b");
  EXPECT_EQ(status().pending, 3U);
  EXPECT_EQ(stored_resource("files/a"), "nothing");
  still_.pass(250ms);
  EXPECT_EQ(stored_resource("files/a"), "new");
  EXPECT_EQ(stored_resource("files/b"), "b");
  EXPECT_EQ(stored(1), "a");
  EXPECT_EQ(status().batches, 1U);
  EXPECT_EQ(status().pending, 0U);
}

TEST_F(storage_actor_test, erased_resources_are_gone_with_the_next_batch) {
  save_resource_of("files/a", "a");
  save_resource_of("files/b", "b");
  still_.pass(250ms);
  caf::anon_send(actor_, erase_resource{{"files/a", "files/never"}});
  still_.settle_down();
  EXPECT_EQ(stored_resource("files/a"), "a");
  still_.pass(250ms);
  EXPECT_EQ(stored_resource("files/a"), "nothing");
  EXPECT_EQ(stored_resource("files/b"), "b");
}

TEST_F(storage_actor_test, resources_that_wait_are_written_before_it_ends) {
  save_resource_of("files/a", "a");
  caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
  still_.settle_down();
  EXPECT_EQ(stored_resource("files/a"), "a");
}

TEST_F(storage_actor_test, only_so_many_resources_wait_for_a_disk_that_refuses) {
  {
    const full_disk full;
    for (int i = 0; i < 30; ++i)
      save_resource_of("files/" + std::to_string(i), "old");
    save_resource_of("files/0", "new");
    save(1, "a");
    EXPECT_EQ(status().pending, 21U);
    EXPECT_EQ(status().failures, 11U) << "one write, and ten that found no room";
    EXPECT_EQ(status().last_failure, "too many wait for the disk");
  }
  still_.pass(1s);
  EXPECT_EQ(status().pending, 0U);
  EXPECT_EQ(stored(1), "a");
  EXPECT_EQ(stored_resource("files/0"), "new");
  EXPECT_EQ(stored_resource("files/19"), "old");
  EXPECT_EQ(stored_resource("files/20"), "nothing");
}

TEST_F(storage_actor_test, has_nothing_to_do_when_nothing_comes) {
  save(1, "a", true);
  still_.pass(2s);
  EXPECT_FALSE(still_.anything_due());
}

TEST(key_states, are_loaded_for_a_start_and_damaged_ones_are_named) {
  const temporary_directory where;
  auto store = storage::store::open({.directory = where.path()});
  ASSERT_TRUE(store);
  storage::key_state_record record;
  record.strikes = 2;
  const auto put = [&](const std::string& row, const std::string& value) {
    ASSERT_TRUE(
        (*store)->put(storage::column::key_state, row, value, storage::durability::process));
  };
  put(storage::row_of(7), encode(record));
  put(storage::row_of(8), "\x09");
  put("odd", "");
  const auto all = storage::load_key_states(**store);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->of.size(), 1U);
  EXPECT_EQ(all->of.at(7), record);
  EXPECT_EQ(all->unreadable,
            (std::vector<std::string>{
                "key_0000000000000008: a key's state has schema 9, this version knows 1",
                "a key's state lies under a row of 3 bytes"}));
}

/// Saves urgent and ordinary states for ever; after each flush that was answered, tells its
/// parent through `acknowledged` up to which number every state is safe.
[[noreturn]] void save_until_killed(const std::string& directory, int acknowledged) {
  auto store = storage::store::open({.directory = directory});
  if (!store)
    ::_exit(3);
  kept_log log;
  still_system still;
  storage_actor_options options;
  options.store = store->get();
  options.log = &log;
  const auto actor = still.system().spawn(storage_actor, options);
  for (std::uint64_t number = 1;; ++number) {
    storage::key_state_record record;
    record.granted = number;
    caf::anon_send(actor, save_key_state{number % 50 + 1, encode(record), number % 7 == 0});
    still.settle_down();
    if (number % 5 == 0) {
      if (still.error_of(actor, flush_atom::value))
        ::_exit(4);
      if (::write(acknowledged, &number, sizeof number) != sizeof number)
        ::_exit(5);
    }
  }
}

/// Kills a writer after it acknowledged a number of flushes; the last number acknowledged.
std::uint64_t killed_after(const std::string& directory, int flushes) {
  int ends[2];
  if (::pipe(ends) != 0)
    return 0;
  const auto child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    save_until_killed(directory, ends[1]);
  }
  ::close(ends[1]);
  std::uint64_t last = 0;
  std::uint64_t number = 0;
  for (int i = 0; i < flushes && ::read(ends[0], &number, sizeof number) == sizeof number; ++i)
    last = number;
  ::kill(child, SIGKILL);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself: " << WEXITSTATUS(status);
  while (::read(ends[0], &number, sizeof number) == sizeof number)
    last = number; // acknowledged between our decision and its death
  ::close(ends[0]);
  return last;
}

TEST(kill_9, at_any_moment_loses_nothing_that_was_acknowledged) {
  std::mt19937 random(5);
  for (int round = 0; round < 12; ++round) {
    const temporary_directory where;
    const auto last = killed_after(where.path(), 1 + static_cast<int>(random() % 60));
    ASSERT_GE(last, 5U);
    auto store = storage::store::open({.directory = where.path()});
    ASSERT_TRUE(store) << store.error().text;
    const auto all = storage::load_key_states(**store);
    ASSERT_TRUE(all);
    EXPECT_TRUE(all->unreadable.empty());
    for (auto number = last; number > 0 && number + 50 > last; --number) {
      const auto found = all->of.find(number % 50 + 1);
      ASSERT_NE(found, all->of.end()) << number;
      EXPECT_GE(found->second.granted, number);
    }
  }
}

} // namespace
} // namespace troupe
