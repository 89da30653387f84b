#include "tests/actors/core/selection_stage.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;
constexpr auto t0 = selection_start;
using counts = std::map<std::uint64_t, int>;

/// Keys 1 to `keys`, all of one quota domain.
selection domain_of(std::uint64_t keys) {
  selection pool;
  for (std::uint64_t key = 1; key <= keys; ++key)
    pool.add(key, {.domain = "project"});
  return pool;
}

TEST(selection_rooms, no_more_are_sent_than_have_room) {
  auto pool = pool_of(2);
  pool.update_rooms(1, {room_for(3, 10)}, 0, t0);
  pool.update_rooms(2, {room_for(2, 10)}, 0, t0);
  EXPECT_EQ(shares(pool, for_model("flash"), 100), (counts{{1, 3}, {2, 2}}));
  const auto c = pool.choose(for_model("flash"), t0);
  EXPECT_EQ(c.kind, choice_kind::resting);
  EXPECT_EQ(c.free_at, quota_room::never) << "until their owners tell";
}

TEST(selection_rooms, a_dry_key_is_back_at_its_instant_with_what_fits_then) {
  auto pool = pool_of(1);
  pool.update_rooms(1, {dry_until(t0 + 9s, 4)}, 0, t0);
  EXPECT_EQ(pool.choose(for_model("flash"), t0 + 9s - 1ns).free_at, t0 + 9s);
  EXPECT_EQ(shares(pool, for_model("flash"), 100, t0 + 9s), (counts{{1, 4}}));
}

TEST(selection_rooms, requests_on_their_way_are_subtracted) {
  auto pool = pool_of(1);
  pool.update_rooms(1, {room_for(10, 10)}, 0, t0);
  shares(pool, for_model("flash"), 5);
  // The owner had seen two of the five when it told this.
  pool.update_rooms(1, {room_for(8, 10)}, 2, t0);
  EXPECT_EQ(shares(pool, for_model("flash"), 100), (counts{{1, 5}}));
  pool.update_rooms(1, {room_for(1, 10)}, 9, t0);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).kind, choice_kind::resting)
      << "the last one is on its way";
  pool.update_rooms(1, {room_for(1, 10)}, 10, t0);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).kind, choice_kind::chosen);
}

TEST(selection_rooms, nothing_is_on_its_way_to_an_owner_that_begins_anew) {
  auto pool = pool_of(1);
  pool.update_rooms(1, {room_for(10, 10)}, 0, t0);
  shares(pool, for_model("flash"), 5);
  pool.forget_sent(1, 3);
  pool.update_rooms(1, {room_for(7, 10)}, 3, t0);
  EXPECT_EQ(shares(pool, for_model("flash"), 100), (counts{{1, 7}}));
  pool.forget_sent(77, 0); // unknown: nothing
}

TEST(selection_rooms, a_limit_of_one_model_leaves_others_alone) {
  auto pool = pool_of(1);
  pool.update_rooms(1, {room_for(2, 10, "flash")}, 0, t0);
  EXPECT_EQ(shares(pool, for_model("flash"), 100), (counts{{1, 2}}));
  EXPECT_EQ(shares(pool, for_model("pro"), 100), (counts{{1, 100}}));
}

TEST(selection_rooms, the_room_of_all_models_is_used_up_by_any_of_them) {
  auto pool = pool_of(1);
  pool.update_rooms(1, {room_for(3, 10), room_for(2, 10, "flash")}, 0, t0);
  EXPECT_EQ(shares(pool, for_model("flash"), 100), (counts{{1, 2}}));
  EXPECT_EQ(shares(pool, for_model("pro"), 100), (counts{{1, 1}}));
}

TEST(selection_rooms, a_limit_that_is_gone_holds_nobody_back) {
  auto pool = pool_of(1);
  pool.update_rooms(1, {dry_until(t0 + 1h), dry_until(t0 + 1h, 1, "flash")}, 0, t0);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).kind, choice_kind::resting);
  pool.update_rooms(1, {}, 0, t0);
  EXPECT_EQ(shares(pool, for_model("flash"), 100), (counts{{1, 100}}));
}

TEST(selection_rooms, the_day_is_spoken_of_when_it_is_what_is_waited_for) {
  auto pool = pool_of(2);
  auto day = dry_until(t0 + 9h);
  day.per_day = true;
  pool.update_rooms(1, {day}, 0, t0);
  pool.update_rooms(2, {dry_until(t0 + 10h)}, 0, t0);
  EXPECT_TRUE(pool.choose(for_model("flash"), t0).per_day);
  pool.update_rooms(2, {dry_until(t0 + 5s)}, 0, t0);
  EXPECT_FALSE(pool.choose(for_model("flash"), t0).per_day);
}

TEST(selection_rooms, a_key_is_back_when_its_rest_and_its_quota_are) {
  auto pool = pool_of(1);
  pool.update(1, resting("flash", t0 + 20s), t0);
  pool.update_rooms(1, {dry_until(t0 + 50s)}, 0, t0);
  pool.keep_away(1, t0 + 30s, t0);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).free_at, t0 + 50s);
  EXPECT_EQ(pool.choose(for_model("flash"), t0 + 49s).kind, choice_kind::resting);
  EXPECT_EQ(pool.choose(for_model("flash"), t0 + 50s).kind, choice_kind::chosen);
}

TEST(selection_rooms, a_domain_is_dry_for_all_of_its_keys_and_wet_again_for_all) {
  auto pool = domain_of(3);
  pool.add(9);
  pool.update_rooms(2, {room_for(4, 10)}, 0, t0);
  pool.update(9, disabled_key(), t0);
  const auto used = shares(pool, for_model("flash"), 100);
  int together = 0;
  for (const auto& [key, times] : used)
    together += times;
  EXPECT_EQ(together, 4);
  pool.update_rooms(1, {dry_until(t0 + 9s, 5)}, 4, t0);
  for (const std::uint64_t key : {1, 2, 3})
    EXPECT_EQ(pool.choose({.model = "flash", .pinned = key}, t0).free_at, t0 + 9s);
  together = 0;
  for (const auto& [key, times] : shares(pool, for_model("flash"), 100, t0 + 9s))
    together += times;
  EXPECT_EQ(together, 5);
  pool.update_rooms(3, {room_for(1, 10)}, 9, t0 + 10s);
  EXPECT_EQ(pool.choose(for_model("flash"), t0 + 10s).kind, choice_kind::chosen);
}

TEST(selection_rooms, who_joins_a_domain_is_as_dry_as_it_is_and_who_leaves_is_free) {
  auto pool = domain_of(1);
  pool.add(2);
  pool.update_rooms(1, {dry_until(t0 + 9s), dry_until(t0 + 20s, 1, "flash")}, 0, t0);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).key, 2U);
  pool.set_traits(2, {.domain = "project"});
  EXPECT_EQ(pool.choose(for_model("flash"), t0).free_at, t0 + 20s);
  EXPECT_EQ(pool.choose(for_model("pro"), t0).free_at, t0 + 9s);
  pool.set_traits(2, {.domain = "another"});
  EXPECT_EQ(pool.choose(for_model("flash"), t0).key, 2U);
  pool.remove(1);
  pool.add(3, {.domain = "project"});
  EXPECT_EQ(pool.choose({.model = "flash", .pinned = 3}, t0).kind, choice_kind::chosen)
      << "the domain ended with its last key";
}

TEST(selection_rooms, a_key_that_takes_the_place_of_another_has_its_own_room) {
  auto pool = pool_of(1);
  pool.update_rooms(1, {dry_until(t0 + 1h)}, 0, t0);
  pool.remove(1);
  pool.add(2);
  EXPECT_EQ(shares(pool, for_model("flash"), 10), (counts{{2, 10}}));
}

TEST(selection_rooms, a_key_can_be_kept_away_and_let_in_again) {
  auto pool = pool_of(2);
  pool.keep_away(1, t0 + 9s, t0);
  EXPECT_EQ(shares(pool, for_model("flash"), 10), (counts{{2, 10}}));
  pool.keep_away(2, t0 + 5s, t0);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).free_at, t0 + 5s);
  pool.keep_away(2, {}, t0);
  EXPECT_EQ(pool.choose(for_model("flash"), t0).key, 2U);
  EXPECT_EQ(shares(pool, for_model("flash"), 10, t0 + 9s), (counts{{1, 5}, {2, 5}}));
  pool.keep_away(77, t0 + 9s, t0); // unknown: nothing
}

TEST(selection_rooms, a_key_that_turned_the_request_away_is_waited_for_by_its_word) {
  auto pool = pool_of(2);
  const std::vector<turned_away> one{{1, t0 + 7s, true}};
  EXPECT_EQ(pool.choose({.model = "flash", .turned = one}, t0).key, 2U);
  const std::vector<turned_away> both{{1, t0 + 7s, true}, {2, t0 + 9s, false}};
  const auto c = pool.choose({.model = "flash", .turned = both}, t0);
  EXPECT_EQ(c.kind, choice_kind::resting);
  EXPECT_EQ(c.free_at, t0 + 7s);
  EXPECT_TRUE(c.per_day);
  const auto pinned = pool.choose({.model = "flash", .pinned = 2, .turned = both}, t0);
  EXPECT_EQ(pinned.free_at, t0 + 9s);
  const std::vector<std::uint64_t> tried{1, 2};
  EXPECT_EQ(pool.choose({.model = "flash", .tried = tried, .turned = both}, t0).kind,
            choice_kind::none)
      << "it must not use them again";
  const std::vector<turned_away> unknown{{1, quota_room::never, false}};
  pool.update(2, resting_whole(t0 + 3s), t0);
  EXPECT_EQ(pool.choose({.model = "flash", .turned = unknown}, t0).free_at, t0 + 3s);
}

TEST(selection_rooms, places_of_a_slow_start_are_counted_down) {
  auto pool = pool_of(2);
  standing slow;
  slow.places = 2;
  pool.update(1, slow, t0);
  pool.update(2, disabled_key(), t0);
  EXPECT_EQ(shares(pool, for_model("flash"), 10), (counts{{1, 2}}));
  EXPECT_EQ(pool.choose(for_model("flash"), t0).free_at, quota_room::never);
  pool.update(1, {}, t0);
  EXPECT_EQ(shares(pool, for_model("flash"), 10), (counts{{1, 10}}));
}

TEST(selection_rooms, ten_thousand_dry_keys_are_each_paid_for_once) {
  auto pool = pool_of(10'000);
  for (std::uint64_t key = 1; key <= 10'000; ++key)
    pool.update_rooms(key, {dry_until(t0 + 1s)}, 0, t0);
  EXPECT_LE(pool.choose(for_model("flash"), t0).steps, 4U);
  std::uint64_t steps = 0;
  for (int i = 0; i < 10'000; ++i)
    steps += pool.choose(for_model("flash"), t0 + 1s).steps;
  EXPECT_LE(steps, 10'000U + 10'000U * 34U);
}

} // namespace
} // namespace troupe
