#include "actors/core/waiting_room.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <malloc.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true; // sanitizers have an allocator of their own
#else
constexpr bool sanitized = false;
#endif

namespace troupe {
namespace {

using namespace std::chrono_literals;
using enum waiting_answer;
constexpr time_point t0{1h};
constexpr std::uint64_t flash = 100;
constexpr std::uint64_t pro = 200;
constexpr std::uint64_t ann = 1;
constexpr std::uint64_t bob = 2;
constexpr std::uint64_t eve = 3;

using tickets = std::vector<std::uint64_t>;

waiting_wish wish_of(std::uint64_t ticket, std::uint64_t who, std::uint64_t line = flash,
                     time_point deadline = t0 + 30s) {
  return {.ticket = ticket, .line = line, .who = who, .deadline = deadline};
}

/// Tickets `from`, `from` + 1, ... of `who`.
void enter_many(waiting_room& room, std::uint64_t from, std::uint64_t n, std::uint64_t who,
                std::uint64_t line = flash) {
  for (auto ticket = from; ticket < from + n; ++ticket)
    ASSERT_EQ(room.enter(wish_of(ticket, who, line), t0).what, accepted);
}

tickets called(waiting_room& room, std::size_t n, std::uint64_t line = flash) {
  tickets all;
  for (std::size_t i = 0; i < n; ++i)
    if (const auto r = room.next(line))
      all.push_back(r->wish.ticket);
  return all;
}

TEST(waiting_room, calls_nobody_when_nobody_waits) {
  waiting_room room{10};
  EXPECT_FALSE(room.next(flash).has_value());
  EXPECT_EQ(room.size(), 0U);
  EXPECT_EQ(room.longest_wait(t0), 0s);
  EXPECT_FALSE(room.next_deadline().has_value());
  EXPECT_EQ(room.lines(), tickets{});
}

TEST(waiting_room, serves_one_credential_in_the_order_of_coming) {
  waiting_room room{10};
  enter_many(room, 1, 4, ann);
  EXPECT_EQ(called(room, 5), (tickets{1, 2, 3, 4}));
}

TEST(waiting_room, gives_each_credential_a_turn_however_many_it_has_waiting) {
  waiting_room room{100};
  enter_many(room, 10, 5, ann);
  enter_many(room, 20, 2, bob);
  enter_many(room, 30, 1, eve);
  EXPECT_EQ(called(room, 8), (tickets{10, 20, 30, 11, 21, 12, 13, 14}));
}

TEST(waiting_room, a_credential_that_comes_back_at_once_never_overtakes_those_who_wait) {
  waiting_room room{100};
  enter_many(room, 10, 2, ann);
  enter_many(room, 20, 1, bob);
  enter_many(room, 30, 1, eve);
  ASSERT_EQ(called(room, 2), (tickets{10, 20}));
  enter_many(room, 21, 1, bob);
  EXPECT_EQ(called(room, 3), (tickets{30, 11, 21}));
}

TEST(waiting_room, lines_do_not_wait_for_each_other) {
  waiting_room room{10};
  enter_many(room, 1, 2, ann, flash);
  enter_many(room, 3, 1, ann, pro);
  EXPECT_EQ(called(room, 1, pro), tickets{3});
  EXPECT_EQ(called(room, 2, flash), (tickets{1, 2}));
}

TEST(waiting_room, lists_lines_by_how_long_their_next_has_waited_for_its_turn) {
  waiting_room room{10};
  enter_many(room, 1, 1, ann, pro);
  enter_many(room, 2, 2, ann, flash);
  EXPECT_EQ(room.lines(), (tickets{pro, flash}));
  called(room, 1, flash);
  enter_many(room, 4, 1, bob, pro);
  EXPECT_EQ(room.lines(), (tickets{pro, flash}));
  called(room, 1, pro); // bob's turn in it came after ann's in the other
  EXPECT_EQ(room.lines(), (tickets{flash, pro}));
  called(room, 1, flash);
  EXPECT_EQ(room.lines(), tickets{pro});
}

TEST(waiting_room, counts_by_credential_and_by_line) {
  waiting_room room{10};
  enter_many(room, 1, 2, ann, flash);
  enter_many(room, 3, 1, ann, pro);
  enter_many(room, 4, 1, bob, pro);
  EXPECT_EQ(room.size(), 4U);
  EXPECT_EQ(room.waiting_of(ann), 3U);
  EXPECT_EQ(room.waiting_of(eve), 0U);
  EXPECT_EQ(room.waiting_in(pro), 2U);
  EXPECT_EQ(room.waiting_in(300), 0U);
}

TEST(waiting_room, whoever_came_back_stands_first_of_its_credential) {
  waiting_room room{10};
  enter_many(room, 1, 2, ann);
  enter_many(room, 3, 2, bob);
  ASSERT_EQ(room.next(flash)->wish.ticket, 1U);
  room.enter_first(wish_of(1, ann), t0);
  EXPECT_EQ(called(room, 4), (tickets{3, 1, 4, 2}));
}

// Going back to the same place.

TEST(waiting_room, a_skipped_request_is_next_again) {
  waiting_room room{10};
  enter_many(room, 1, 2, ann);
  enter_many(room, 3, 2, bob);
  room.skip(*room.next(flash));
  EXPECT_EQ(called(room, 4), (tickets{1, 3, 2, 4}));
}

TEST(waiting_room, a_skipped_request_that_was_its_credentials_only_one_has_its_turn_back) {
  waiting_room room{10};
  enter_many(room, 1, 1, ann);
  enter_many(room, 3, 2, bob);
  const auto r = *room.next(flash);
  EXPECT_EQ(room.waiting_of(ann), 0U);
  room.skip(r);
  EXPECT_EQ(called(room, 3), (tickets{1, 3, 4}));
}

TEST(waiting_room, a_skipped_request_that_was_its_lines_only_one_is_there_again) {
  waiting_room room{10};
  enter_many(room, 1, 1, ann);
  room.skip(*room.next(flash));
  EXPECT_EQ(room.lines(), tickets{flash});
  EXPECT_EQ(called(room, 1), tickets{1});
}

TEST(waiting_room, several_skipped_requests_keep_their_order) {
  waiting_room room{10};
  enter_many(room, 1, 3, ann);
  enter_many(room, 4, 2, bob);
  std::vector<waiting_request> taken;
  taken.reserve(4);
  for (int i = 0; i < 4; ++i)
    taken.push_back(*room.next(flash));
  for (; !taken.empty(); taken.pop_back())
    room.skip(taken.back());
  EXPECT_EQ(called(room, 5), (tickets{1, 4, 2, 5, 3}));
}

TEST(waiting_room, a_skipped_request_keeps_its_age_and_its_deadline) {
  waiting_room room{10};
  room.enter(wish_of(1, ann, flash, t0 + 5s), t0);
  room.skip(*room.next(flash));
  EXPECT_EQ(room.longest_wait(t0 + 3s), 3s);
  EXPECT_EQ(room.expire(t0 + 5s), tickets{1});
}

TEST(waiting_room, a_skipped_request_is_not_refused_by_a_room_that_filled_meanwhile) {
  waiting_room room{2};
  enter_many(room, 1, 2, ann);
  const auto r = *room.next(flash);
  enter_many(room, 3, 1, ann);
  room.skip(r);
  EXPECT_EQ(called(room, 3), (tickets{1, 2, 3}));
}

// Leaving and deadlines.

TEST(waiting_room, a_client_that_left_is_not_called) {
  waiting_room room{10};
  enter_many(room, 1, 3, ann);
  EXPECT_TRUE(room.leave(2));
  EXPECT_FALSE(room.leave(2));
  EXPECT_EQ(called(room, 3), (tickets{1, 3}));
}

TEST(waiting_room, a_credential_whose_last_request_left_takes_no_turn) {
  waiting_room room{10};
  enter_many(room, 1, 1, ann);
  enter_many(room, 2, 1, bob);
  room.leave(1);
  EXPECT_EQ(room.waiting_of(ann), 0U);
  EXPECT_EQ(called(room, 2), tickets{2});
}

TEST(waiting_room, a_deadline_is_over_at_its_instant_and_not_before) {
  waiting_room room{10};
  room.enter(wish_of(1, ann, flash, t0 + 20s), t0);
  room.enter(wish_of(2, bob, pro, t0 + 10s), t0);
  room.enter(wish_of(3, ann, flash, t0 + 30s), t0);
  EXPECT_EQ(room.next_deadline(), t0 + 10s);
  EXPECT_EQ(room.expire(t0 + 10s - 1ns), tickets{});
  EXPECT_EQ(room.expire(t0 + 20s), (tickets{2, 1}));
  EXPECT_EQ(room.next_deadline(), t0 + 30s);
  EXPECT_EQ(called(room, 2), tickets{3});
}

TEST(waiting_room, tells_the_longest_wait_of_those_who_are_left) {
  waiting_room room{10};
  room.enter(wish_of(1, ann), t0);
  room.enter(wish_of(2, bob), t0 + 4s);
  EXPECT_EQ(room.longest_wait(t0 + 5s), 5s);
  room.leave(1);
  EXPECT_EQ(room.longest_wait(t0 + 5s), 1s);
}

// Bounds.

TEST(waiting_room, one_credential_may_fill_an_empty_room_and_no_more) {
  waiting_room room{10};
  enter_many(room, 1, 10, ann);
  EXPECT_EQ(room.enter(wish_of(11, ann), t0).what, too_many_of_one);
  EXPECT_EQ(room.size(), 10U);
}

TEST(waiting_room, a_flood_keeps_nobody_out_and_its_last_request_gives_way) {
  waiting_room room{4};
  enter_many(room, 1, 2, ann, flash);
  enter_many(room, 3, 1, ann, pro);
  enter_many(room, 4, 1, ann, flash);
  EXPECT_EQ(room.enter(wish_of(5, bob), t0), (waiting_entry{accepted, 4}));
  EXPECT_EQ(room.enter(wish_of(6, bob), t0), (waiting_entry{accepted, 3}));
  EXPECT_EQ(room.enter(wish_of(7, bob), t0).what, too_many_of_one); // two against two
  EXPECT_EQ(room.size(), 4U);
  EXPECT_FALSE(room.leave(4)); // whoever gave way is gone
}

TEST(waiting_room, a_room_full_of_single_requests_is_full) {
  waiting_room room{2};
  enter_many(room, 1, 1, ann);
  enter_many(room, 2, 1, bob);
  EXPECT_EQ(room.enter(wish_of(3, eve), t0).what, full);
  EXPECT_EQ(room.enter(wish_of(4, ann), t0).what, too_many_of_one);
}

TEST(waiting_room, in_a_full_room_the_last_one_of_its_credential_gives_way_to_one_that_came_back) {
  waiting_room room{3};
  enter_many(room, 1, 3, ann);
  EXPECT_EQ(room.enter_first(wish_of(9, ann), t0), (waiting_entry{accepted, 3}));
  EXPECT_EQ(room.enter_first(wish_of(8, bob), t0), (waiting_entry{accepted, 2}));
  EXPECT_EQ(called(room, 3), (tickets{9, 8, 1}));
}

TEST(waiting_room, a_room_without_places_accepts_nobody) {
  waiting_room room{0};
  EXPECT_EQ(room.enter(wish_of(1, ann), t0).what, full);
  EXPECT_EQ(room.enter_first(wish_of(1, ann), t0).what, full);
}

TEST(waiting_room, a_lowered_bound_sends_nobody_away_and_lets_nobody_in) {
  waiting_room room{5};
  enter_many(room, 1, 5, ann);
  room.change_max(2);
  EXPECT_EQ(room.size(), 5U);
  EXPECT_EQ(room.enter(wish_of(6, ann), t0).what, too_many_of_one);
  EXPECT_EQ(called(room, 5), (tickets{1, 2, 3, 4, 5}));
}

// Properties.

/// What a room must answer, kept in the plainest way, and who was served how often.
class books {
public:
  static constexpr std::uint64_t credentials = 6;

  void entered(std::uint64_t line, std::uint64_t who, std::uint64_t ticket) {
    waiting_[{line, who}].push_back(ticket);
  }
  void left(std::uint64_t ticket) {
    for (auto& [place, queue] : waiting_)
      if (const auto at = std::ranges::find(queue, ticket); at != queue.end()) {
        queue.erase(at);
        if (queue.empty())
          forget(place.first, place.second);
        return;
      }
  }
  void served(const waiting_wish& w) {
    auto& own = waiting_[{w.line, w.who}];
    ASSERT_EQ(own.front(), w.ticket); // first come, first served within one
    own.pop_front();
    for (std::uint64_t other = 1; other <= credentials; ++other) {
      if (other == w.who || waiting_[{w.line, other}].empty())
        continue;
      // While both wait they take turns: so of any interval their counts differ by one at most.
      auto& last = last_[{w.line, std::min(other, w.who), std::max(other, w.who)}];
      ASSERT_NE(last, w.who) << "served twice in a row while " << other << " waits";
      last = w.who;
    }
    if (own.empty())
      forget(w.line, w.who);
  }
  std::size_t size() const {
    std::size_t all = 0;
    for (const auto& [place, queue] : waiting_)
      all += queue.size();
    return all;
  }

private:
  void forget(std::uint64_t line, std::uint64_t who) {
    std::erase_if(last_, [&](const auto& item) {
      return item.first[0] == line && (item.first[1] == who || item.first[2] == who);
    });
  }

  std::map<std::pair<std::uint64_t, std::uint64_t>, std::deque<std::uint64_t>> waiting_;
  /// Of two credentials that both wait in a line, the one that was served last.
  std::map<std::array<std::uint64_t, 3>, std::uint64_t> last_;
};

TEST(waiting_room, two_credentials_that_both_wait_are_served_alike_but_for_one) {
  std::mt19937_64 random{7};
  waiting_room room{400};
  books kept;
  std::uint64_t ticket = 0;
  for (int step = 0; step < 100'000; ++step) {
    const auto line = random() % 2 == 0 ? flash : pro;
    const auto what = random() % 5;
    if (what <= 1) {
      const auto who = 1 + std::min(random() % books::credentials, random() % books::credentials);
      const auto answer = room.enter(wish_of(++ticket, who, line), t0);
      if (answer.displaced)
        kept.left(*answer.displaced);
      if (answer.what == accepted)
        kept.entered(line, who, ticket);
    } else if (what == 2) {
      const auto gone = random() % (ticket + 1);
      if (room.leave(gone))
        kept.left(gone);
    } else if (const auto r = room.next(line); r && random() % 4 == 0) {
      room.skip(*r);
    } else if (r) {
      kept.served(r->wish);
    }
    ASSERT_FALSE(HasFatalFailure());
    ASSERT_EQ(room.size(), kept.size());
    ASSERT_LE(room.size(), 400U);
  }
}

constexpr std::uint64_t crowd = 100'000;

TEST(waiting_room, a_hundred_thousand_waiting_cost_a_few_steps_each_to_enter_call_and_leave) {
  waiting_room room{crowd};
  std::mt19937_64 random{5};
  for (std::uint64_t i = 0; i < crowd; ++i)
    room.enter(wish_of(i, random() % 1'000, random() % 10,
                       t0 + std::chrono::milliseconds{random() % 60'000}),
               t0 + i * 1us);
  ASSERT_EQ(room.size(), crowd);
  std::uint64_t worst = 0;
  const auto measured = [&](auto what) {
    const auto before = room.steps();
    what();
    worst = std::max(worst, room.steps() - before);
  };
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    measured([&] { room.leave(random() % crowd); });
    measured([&] {
      if (const auto r = room.next(random() % 10); r && random() % 2 == 0)
        room.skip(*r);
    });
    measured([&] { room.enter(wish_of(crowd + i, random() % 2'000, random() % 10), t0 + 1s); });
  }
  EXPECT_LT(worst, 200U); // two heaps of 17 levels, out and in, and the lines of one credential
}

TEST(waiting_room, a_hundred_thousand_waiting_take_less_than_150_bytes_each) {
  if (sanitized)
    GTEST_SKIP();
  const auto before = ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
  waiting_room room{crowd};
  for (std::uint64_t i = 0; i < crowd; ++i)
    room.enter(wish_of(i, i % 1'000, i % 3), t0);
  ASSERT_EQ(room.size(), crowd);
  EXPECT_LT((::mallinfo2().uordblks + ::mallinfo2().hblkhd - before) / crowd, 150U);
}

TEST(waiting_room, a_hundred_thousand_credentials_waiting_take_less_than_400_bytes_each) {
  if (sanitized)
    GTEST_SKIP();
  const auto before = ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
  waiting_room room{crowd};
  for (std::uint64_t i = 0; i < crowd; ++i)
    room.enter(wish_of(i, i), t0);
  EXPECT_LT((::mallinfo2().uordblks + ::mallinfo2().hblkhd - before) / crowd, 400U);
}

} // namespace
} // namespace troupe
