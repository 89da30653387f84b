#include "actors/key/shared_ledger.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;

class shared_ledger_test : public testing::Test {
protected:
  static limit per_minute(std::uint64_t calls, std::string model = {}) {
    return {std::move(model), limit_kind::rpm, calls};
  }

  void declare(std::vector<limit> limits) { ledger_.declare(limits, at(0s)); }

  static instants at(duration since) {
    return {time_point{1h} + since,
            wall_time{1'768'438'800'000ms}
                + std::chrono::duration_cast<std::chrono::milliseconds>(since)};
  }

  void write(duration since = 0s) {
    const auto record = ledger_.begin_write(at(since));
    ASSERT_TRUE(record);
    ledger_.written(*record);
  }

  /// A request that is granted, after a write if need be.
  shared_ledger::taken take(std::string_view model = "flash", duration since = 0s) {
    auto got = ledger_.take({.model = model}, at(since));
    if (got.verdict.must_write) {
      write(since);
      got = ledger_.take({.model = model}, at(since));
    }
    return got;
  }

  shared_ledger ledger_{"quota/domain/x", {}};
};

TEST_F(shared_ledger_test, is_active_only_while_a_limit_is_enforced) {
  EXPECT_FALSE(ledger_.active());
  declare({per_minute(5)});
  EXPECT_TRUE(ledger_.active());
  declare({});
  EXPECT_FALSE(ledger_.active());
  ledger_.learn(per_minute(5), limit_source::estimated, at(0s));
  EXPECT_FALSE(ledger_.active());
  ledger_.learn(per_minute(5), limit_source::told, at(0s));
  EXPECT_TRUE(ledger_.active());
}

TEST_F(shared_ledger_test, every_request_is_seen_once_with_and_without_limits) {
  ledger_.seen_only(at(0s));
  declare({per_minute(5)});
  take(); // must be written first: it is seen when it is taken
  ledger_.seen_only(at(0s));
  EXPECT_EQ(ledger_.report_now(at(0s)).seen, 3U);
}

TEST_F(shared_ledger_test, a_request_that_waits_for_the_disk_is_still_on_its_way) {
  declare({per_minute(5)});
  EXPECT_TRUE(ledger_.take({.model = "flash"}, at(0s)).verdict.must_write);
  EXPECT_EQ(ledger_.report_now(at(0s)).seen, 0U);
}

TEST_F(shared_ledger_test, tells_when_as_many_were_seen_as_the_pool_was_told) {
  declare({per_minute(3)});
  ledger_.report_now(at(0s));
  EXPECT_FALSE(take().tell);
  EXPECT_FALSE(take().tell);
  EXPECT_TRUE(take().tell);
  EXPECT_TRUE(take().tell) << "and whenever one does not fit";
}

TEST_F(shared_ledger_test, requests_of_other_models_count_down_what_was_told) {
  declare({per_minute(2, "flash")});
  ledger_.report_now(at(0s));
  EXPECT_FALSE(take("pro").tell);
  EXPECT_TRUE(take("pro").tell) << "the pool subtracted both while they were on their way";
}

TEST_F(shared_ledger_test, requests_that_are_turned_away_count_down_what_was_told) {
  declare({per_minute(2)});
  ledger_.report_now(at(0s));
  EXPECT_FALSE(ledger_.seen_only(at(0s)));
  EXPECT_TRUE(ledger_.seen_only(at(0s)));
}

TEST_F(shared_ledger_test, after_a_dry_time_counts_down_what_the_pool_expected_then) {
  declare({per_minute(2)});
  take();
  take();
  ledger_.report_now(at(0s)); // none now, two in a minute
  EXPECT_FALSE(take("flash", 61s).tell);
  EXPECT_TRUE(take("flash", 61s).tell);
}

TEST_F(shared_ledger_test, the_end_of_a_call_is_told_while_the_pool_waits_for_room) {
  declare({{{}, limit_kind::concurrency, 2}});
  const auto one = take();
  const auto two = take();
  ledger_.report_now(at(0s)); // none
  EXPECT_TRUE(ledger_.end(one.verdict.ticket, {}, at(0s)));
  ledger_.report_now(at(0s)); // one
  EXPECT_FALSE(ledger_.end(two.verdict.ticket, {}, at(0s)));
}

TEST_F(shared_ledger_test, an_older_report_is_no_news_once_a_newer_is_known) {
  declare({per_minute(2)});
  const auto older = ledger_.report_now(at(0s));
  const auto newer = ledger_.report_now(at(0s));
  EXPECT_TRUE(ledger_.is_news(newer.number));
  EXPECT_FALSE(ledger_.is_news(older.number));
  EXPECT_FALSE(ledger_.is_news(newer.number));
}

TEST_F(shared_ledger_test, one_write_is_under_way_at_a_time) {
  declare({per_minute(8)});
  const auto record = ledger_.begin_write(at(0s));
  ASSERT_TRUE(record);
  EXPECT_FALSE(ledger_.begin_write(at(0s)));
  ledger_.written(*record);
  EXPECT_TRUE(ledger_.begin_write(at(0s)));
}

TEST_F(shared_ledger_test, a_write_of_which_nobody_tells_the_end_blocks_no_other) {
  declare({per_minute(8)});
  EXPECT_TRUE(ledger_.begin_write(at(0s)));
  ledger_.write_lost();
  EXPECT_TRUE(ledger_.begin_write(at(0s)));
}

TEST_F(shared_ledger_test, what_the_disk_refuses_is_no_room_until_it_is_asked_again) {
  declare({per_minute(8)});
  EXPECT_TRUE(ledger_.begin_write(at(0s)));
  ledger_.refused(at(1s).now);
  const auto got = ledger_.take({.model = "flash"}, at(0s));
  EXPECT_FALSE(got.verdict.granted || got.verdict.must_write || got.write);
  EXPECT_EQ(got.verdict.free_at, at(1s).now);
  const auto rooms = ledger_.report_now(at(0s)).rooms;
  EXPECT_EQ(rooms.back().room, 0U);
  EXPECT_EQ(rooms.back().free_at, at(1s).now);
  EXPECT_TRUE(take("flash", 1s).verdict.granted);
}

TEST_F(shared_ledger_test, what_is_allowed_already_is_granted_while_the_disk_refuses) {
  declare({per_minute(80)});
  EXPECT_TRUE(take().verdict.granted);
  EXPECT_TRUE(ledger_.begin_write(at(0s)));
  ledger_.refused(at(1s).now);
  EXPECT_TRUE(ledger_.take({.model = "flash"}, at(0s)).verdict.granted);
}

TEST_F(shared_ledger_test, ledgers_are_told_apart) {
  EXPECT_NE(ledger_.id(), shared_ledger("quota/domain/x", {}).id()) << "one after the other";
  EXPECT_NE(ledger_.id(), shared_ledger("quota/domain/y", {}).id());
  EXPECT_TRUE(ledger_.take_waiters().empty());
}

} // namespace
} // namespace troupe
