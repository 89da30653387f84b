#include "tests/actors/core/quota_support.hpp"

#include <chrono>
#include <cstdio>

namespace troupe {
namespace {

constexpr auto full_span = 60s + 250ms;

TEST(quota_rooms, tell_how_many_usual_calls_fit_in_each_scope) {
  ledger_on_disk l(
      {{"", limit_kind::rpm, 10}, {"m", limit_kind::rpd, 4}, {"n", limit_kind::rpm, 5}});
  l.end(l.admit(0s, "m"), 0s);
  const auto rooms = l.ledger.rooms(after(0s));
  ASSERT_EQ(rooms.size(), 3U);
  EXPECT_EQ(rooms[0], (quota_room{.model = "", .room = 9, .capacity = 10}));
  EXPECT_EQ(rooms[1], (quota_room{.model = "m", .room = 3, .capacity = 4}));
  EXPECT_EQ(rooms[2], (quota_room{.model = "n", .room = 5, .capacity = 5}));
}

TEST(quota_rooms, the_tightest_limit_of_a_scope_counts) {
  ledger_on_disk l(
      {{"", limit_kind::rpm, 10}, {"", limit_kind::rpd, 4}, {"", limit_kind::concurrency, 3}});
  l.admit(0s);
  const auto room = l.ledger.rooms(after(0s)).at(0);
  EXPECT_EQ(room.room, 2U);
  EXPECT_EQ(room.capacity, 3U);
}

TEST(quota_rooms, without_room_tell_when_and_how_much_there_will_be) {
  ledger_on_disk l({{"", limit_kind::rpm, 3}});
  l.admit(0s);
  l.admit(0s);
  l.admit(1s);
  const auto room = l.ledger.rooms(after(2s)).at(0);
  EXPECT_EQ(room.room, 0U);
  EXPECT_EQ(room.free_at, quota_t0 + full_span);
  EXPECT_EQ(room.room_then, 2U);
  EXPECT_FALSE(room.per_day);
}

TEST(quota_rooms, of_a_used_up_day_come_back_whole) {
  ledger_on_disk l({{"", limit_kind::rpm, 30}, {"", limit_kind::rpd, 3}});
  for (int i = 0; i < 3; ++i)
    l.end(l.admit(0s), 0s);
  const auto room = l.ledger.rooms(after(2s)).at(0);
  EXPECT_EQ(room.free_at, quota_t0 + 12h + 250ms);
  EXPECT_EQ(room.room_then, 3U);
  EXPECT_TRUE(room.per_day);
}

TEST(quota_rooms, that_only_an_end_can_make_have_no_instant) {
  ledger_on_disk l({{"", limit_kind::concurrency, 1}});
  l.admit(0s);
  const auto room = l.ledger.rooms(after(0s)).at(0);
  EXPECT_EQ(room.room, 0U);
  EXPECT_EQ(room.free_at, quota_ledger::never);
  EXPECT_EQ(room.room_then, 1U);
}

TEST(quota_rooms, measure_tokens_in_usual_calls) {
  ledger_on_disk l({{"", limit_kind::tpm, 1'000}});
  EXPECT_EQ(l.ledger.rooms(after(0s)).at(0).room, 500U); // nothing is known: a token each way
  l.end(l.admit(0s, "m", 40, 60), 0s);
  const auto room = l.ledger.rooms(after(0s)).at(0);
  EXPECT_EQ(room.room, 9U);
  EXPECT_EQ(room.capacity, 10U);
}

TEST(quota_rooms, have_room_for_one_call_that_is_larger_than_the_limit) {
  ledger_on_disk l({{"", limit_kind::tpm, 100}});
  l.end(l.admit(0s, "m", 500, 500), 0s);
  auto room = l.ledger.rooms(after(0s)).at(0);
  EXPECT_EQ(room.room, 0U);
  EXPECT_EQ(room.capacity, 1U);
  EXPECT_EQ(room.free_at, quota_t0 + full_span);
  EXPECT_EQ(room.room_then, 1U);
  room = l.ledger.rooms(after(full_span)).at(0);
  EXPECT_EQ(room.room, 1U);
}

TEST(quota_rooms, uses_tell_people_what_is_used_and_until_when) {
  ledger_on_disk l({{"", limit_kind::rpm, 3},
                    {"", limit_kind::rpd, 9},
                    {"", limit_kind::concurrency, 2},
                    {"x", limit_kind::tpm, 5}});
  l.admit(1s);
  const auto uses = l.ledger.uses(after(2s));
  ASSERT_EQ(uses.size(), 4U);
  EXPECT_EQ(uses[0].limit, (quota_limit{{"", limit_kind::rpm, 3}, limit_source::declared}));
  EXPECT_EQ(uses[0].used, 1U);
  EXPECT_EQ(uses[0].frees_in_ms, 59'250);
  EXPECT_EQ(uses[0].resets_at, wall_time{});
  EXPECT_EQ(uses[1].used, 1U);
  EXPECT_EQ(uses[1].frees_in_ms, 12LL * 3'600'000 - 2'000 + 250);
  EXPECT_EQ(uses[1].resets_at, quota_midnight);
  EXPECT_EQ(uses[2].used, 1U);
  EXPECT_EQ(uses[2].frees_in_ms, 0); // any moment
  EXPECT_EQ(uses[3].used, 0U);
  EXPECT_EQ(uses[3].frees_in_ms, -1);
}

// For people: what a limited call costs. Run with --gtest_also_run_disabled_tests.
TEST(quota_rooms, DISABLED_nanoseconds_of_one_call) {
  constexpr int calls = 2'000'000;
  ledger_on_disk l({{"", limit_kind::rpm, 30'000}, {"", limit_kind::rpd, 1'000'000'000}});
  int granted = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) {
    const auto t = after(i * 2'100us);
    auto v = l.ledger.admit({"gemini-2.5-flash", 100, 100}, t);
    if (v.must_write) {
      l.ledger.allow(l.ledger.record(t));
      v = l.ledger.admit({"gemini-2.5-flash", 100, 100}, t);
    }
    granted += v.granted ? 1 : 0;
    l.ledger.end(v.ticket, {}, t);
  }
  const auto spent = std::chrono::steady_clock::now() - begin;
  std::printf("%d granted, %.0f ns a call, records included\n", granted,
              std::chrono::duration<double, std::nano>(spent).count() / calls);
}

} // namespace
} // namespace troupe
