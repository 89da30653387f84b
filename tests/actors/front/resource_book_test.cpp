#include "actors/front/resource_book.hpp"

#include "actors/messages.hpp"
#include "actors/storage_actor.hpp"
#include "storage/resources.hpp"
#include "tests/support/still_system.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <thread>
#include <vector>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t now = 1'000'000;

made_resource made(std::string name, std::int64_t expires_at_ms = now + 1'000,
                   std::uint64_t key = 7, std::uint64_t credential = 3) {
  return {.name = std::move(name),
          .key = key,
          .credential = credential,
          .expires_at_ms = expires_at_ms};
}

TEST(resource_book, names_the_key_that_made_it) {
  resource_book book{nullptr};
  book.note(made("files/a"), now);
  EXPECT_EQ(book.key_of("files/a", 3, now), 7U);
  EXPECT_EQ(book.key_of("files/b", 3, now), 0U);
  EXPECT_EQ(book.size(), 1U);
}

TEST(resource_book, to_any_other_credential_a_resource_is_unknown) {
  resource_book book{nullptr};
  book.note(made("files/a"), now);
  book.note(made("files/free", now + 1, 8, 0), now);
  EXPECT_EQ(book.key_of("files/a", 4, now), 0U);
  EXPECT_EQ(book.key_of("files/a", 0, now), 0U);
  EXPECT_EQ(book.key_of("files/free", 0, now), 8U);
  EXPECT_EQ(book.key_of("files/free", 3, now), 0U);
}

TEST(resource_book, a_resource_ends_at_its_time_and_not_before) {
  resource_book book{nullptr};
  book.note(made("files/a", now + 10), now);
  EXPECT_EQ(book.key_of("files/a", 3, now + 9), 7U);
  EXPECT_EQ(book.key_of("files/a", 3, now + 10), 0U);
  EXPECT_EQ(book.key_of("files/a", 3, now), 7U) << "a clock that steps back finds it again";
}

TEST(resource_book, an_end_can_be_moved) {
  resource_book book{nullptr};
  book.note(made("cachedContents/a", now + 10), now);
  book.note(made("cachedContents/a", now + 20), now);
  EXPECT_EQ(book.key_of("cachedContents/a", 3, now + 15), 7U);
  EXPECT_EQ(book.size(), 1U);
}

TEST(resource_book, what_names_nothing_is_not_noted) {
  resource_book book{nullptr};
  book.note(made(""), now);
  book.note(made("files/a", now + 1, 0), now);
  book.note(made("files/b", now), now);
  book.note(made(std::string(257, 'x')), now);
  EXPECT_EQ(book.size(), 0U);
  book.note(made(std::string(256, 'x')), now);
  EXPECT_EQ(book.size(), 1U);
}

TEST(resource_book, expired_ones_go_with_what_comes_later) {
  resource_book book{nullptr};
  for (int i = 0; i < 10; ++i)
    book.note(made("files/" + std::to_string(i), now + i + 1), now);
  book.note(made("files/new", now + 1'000), now + 500);
  book.note(made("files/newer", now + 1'000), now + 500);
  book.note(made("files/newest", now + 1'000), now + 500);
  EXPECT_EQ(book.size(), 3U);
}

TEST(resource_book, beyond_the_bound_the_one_that_expires_first_goes) {
  resource_book book{nullptr, 2};
  book.note(made("files/b", now + 20), now);
  book.note(made("files/a", now + 10), now);
  book.note(made("files/c", now + 30), now);
  EXPECT_EQ(book.size(), 2U);
  EXPECT_EQ(book.key_of("files/a", 3, now), 0U);
  EXPECT_EQ(book.key_of("files/b", 3, now), 7U);
  EXPECT_EQ(book.key_of("files/c", 3, now), 7U);
}

TEST(resource_book, many_threads_share_it) {
  resource_book book{nullptr, 1'000};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 1; t <= 4; ++t)
    threads.emplace_back([&book, t] {
      for (int i = 0; i < 2'000; ++i) {
        const auto name = "files/" + std::to_string(t) + "_" + std::to_string(i);
        book.note(made(name, now + 1'000 + i, t), now);
        EXPECT_EQ(book.key_of(name, 4, now), 0U);
        if (i % 3 == 0)
          book.forget(name);
      }
    });
  for (auto& t : threads)
    t.join();
  EXPECT_LE(book.size(), 1'000U);
}

class kept_resources : public testing::Test {
protected:
  using rows = std::map<std::string, std::uint64_t>;

  void SetUp() override {
    auto opened = storage::store::open({.directory = where_.path()});
    ASSERT_TRUE(opened) << opened.error().text;
    store_ = *std::move(opened);
    storage_actor_options options;
    options.store = store_.get();
    options.log = &log_;
    storage_ = still_.system().spawn(storage_actor, options);
    still_.settle_down();
  }
  void TearDown() override {
    caf::anon_send_exit(storage_, caf::exit_reason::user_shutdown);
    storage_ = nullptr;
    still_.settle_down();
  }

  /// What lies on disk after the next batch: key by name.
  rows stored() {
    still_.pass(1s);
    rows found;
    const auto bad = storage::load_resources(
        *store_, [&](std::string_view name, const storage::resource_item& r) {
          found.emplace(name, r.key);
        });
    EXPECT_TRUE(bad);
    return found;
  }
  void restore(resource_book& book, std::int64_t at_ms) {
    const auto done = restore_resources(book, *store_, log_, at_ms);
    EXPECT_TRUE(done);
  }

  temporary_directory where_;
  std::unique_ptr<storage::store> store_;
  kept_log log_;
  still_system still_;
  caf::actor storage_;
};

TEST_F(kept_resources, outlive_a_restart) {
  {
    resource_book book{storage_};
    book.note(made("files/a", now + 1'000, 7, 3), now);
    book.note(made("resp_b", now + 2'000, 8, 4), now);
    EXPECT_EQ(stored(), (rows{{"files/a", 7}, {"resp_b", 8}}));
  }
  resource_book book{storage_};
  restore(book, now);
  EXPECT_EQ(book.size(), 2U);
  EXPECT_EQ(book.key_of("files/a", 3, now), 7U);
  EXPECT_EQ(book.key_of("resp_b", 4, now), 8U);
  EXPECT_EQ(book.key_of("resp_b", 3, now), 0U);
  EXPECT_EQ(book.key_of("files/a", 3, now + 1'000), 0U);
}

TEST_F(kept_resources, that_were_deleted_leave_no_row) {
  resource_book book{storage_};
  book.note(made("files/a"), now);
  EXPECT_EQ(stored().size(), 1U);
  book.forget("files/a");
  book.forget("files/never");
  EXPECT_EQ(book.key_of("files/a", 3, now), 0U);
  EXPECT_EQ(stored(), rows{});
}

TEST_F(kept_resources, that_expired_or_found_no_room_leave_no_row) {
  resource_book book{storage_, 2};
  book.note(made("files/a", now + 10), now);
  book.note(made("files/b", now + 20), now);
  book.note(made("files/c", now + 30), now);
  EXPECT_EQ(stored(), (rows{{"files/b", 7}, {"files/c", 7}}));
  book.note(made("files/first of all", now + 1), now);
  EXPECT_EQ(stored(), (rows{{"files/b", 7}, {"files/c", 7}}));
  book.note(made("files/d", now + 100), now + 50);
  EXPECT_EQ(stored(), (rows{{"files/d", 7}}));
}

TEST_F(kept_resources, that_expired_while_the_node_was_down_are_erased_at_the_start) {
  {
    resource_book book{storage_};
    book.note(made("files/a", now + 10), now);
    book.note(made("files/b", now + 20), now);
    EXPECT_EQ(stored().size(), 2U);
  }
  resource_book book{storage_};
  restore(book, now + 10);
  EXPECT_EQ(book.size(), 1U);
  EXPECT_EQ(stored(), (rows{{"files/b", 7}}));
}

TEST_F(kept_resources, more_than_the_bound_are_reduced_at_the_start) {
  {
    resource_book book{storage_};
    for (int i = 0; i < 5; ++i)
      book.note(made("files/" + std::to_string(i), now + 10 + i), now);
    EXPECT_EQ(stored().size(), 5U);
  }
  resource_book book{storage_, 2};
  restore(book, now);
  EXPECT_EQ(stored(), (rows{{"files/3", 7}, {"files/4", 7}}));
}

TEST_F(kept_resources, that_are_damaged_are_logged_and_skipped) {
  for (int i = 0; i < 22; ++i)
    ASSERT_TRUE(store_->put(storage::column::resources, "files/x" + std::to_string(i), "\x05",
                            storage::durability::process));
  const auto whole = storage::encode(storage::resource_item{7, 3, now + 10});
  ASSERT_TRUE(
      store_->put(storage::column::resources, "files/a", whole, storage::durability::process));
  resource_book book{storage_};
  restore(book, now);
  EXPECT_EQ(book.size(), 1U);
  EXPECT_EQ(log_.lines.size(), 21U);
  EXPECT_TRUE(log_.has("error a resource's record has schema 5, this version knows 1"));
  EXPECT_TRUE(log_.has("error 2 more resources cannot be read"));
}

TEST_F(kept_resources, of_a_column_that_cannot_be_read_fail_a_start) {
  ASSERT_TRUE(store_->close());
  resource_book book{nullptr};
  EXPECT_FALSE(restore_resources(book, *store_, log_, now));
}

} // namespace
} // namespace troupe
