#include "actors/scheduler/timed_hand_off.hpp"
#include "tests/crossing/stress.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace troupe {
namespace {

using namespace std::chrono_literals;

TEST(hand_off, loses_nothing_keeps_the_order_of_each_sender_and_never_forgets_to_wake) {
  const stress_size size;
  const auto book = stress_hand_off<std::mutex>(size);
  EXPECT_EQ(book.received(), size.senders * size.items);
  EXPECT_TRUE(book.in_order());
}

TEST(hand_off, asks_for_one_wake_up_until_the_owner_rests) {
  hand_off<int> crossing;
  EXPECT_EQ(crossing.put(1), put_result::wake);
  EXPECT_EQ(crossing.put(2), put_result::taken);
  std::deque<int> taken;
  crossing.take(taken);
  EXPECT_EQ(taken, (std::deque<int>{1, 2}));
  EXPECT_EQ(crossing.put(3), put_result::taken);
  EXPECT_FALSE(crossing.rest());
  crossing.take(taken);
  EXPECT_TRUE(crossing.rest());
  EXPECT_EQ(crossing.put(4), put_result::wake);
  EXPECT_EQ(crossing.wakes(), 2u);
}

TEST(hand_off, refuses_what_comes_after_close_and_leaves_it_with_the_caller) {
  hand_off<std::unique_ptr<int>> crossing;
  EXPECT_EQ(crossing.put(std::make_unique<int>(1)), put_result::wake);
  crossing.close();
  auto late = std::make_unique<int>(2);
  EXPECT_EQ(crossing.put(std::move(late)), put_result::closed);
  ASSERT_NE(late, nullptr);
  std::deque<std::unique_ptr<int>> taken;
  crossing.take(taken);
  EXPECT_EQ(taken.size(), 1u);
}

TEST(job_queue, runs_every_job_while_two_owners_share) {
  const stress_size size;
  EXPECT_EQ(stress_job_queue<std::mutex>(size), size.senders * size.items);
}

TEST(job_queue, a_turn_ends_after_its_number_of_jobs) {
  job_queue<int> jobs;
  EXPECT_TRUE(jobs.push(0));
  for (int i = 1; i < 100; ++i)
    EXPECT_FALSE(jobs.push(std::move(i)));
  int ran = 0;
  const auto count = [&](int) {
    ++ran;
    return false;
  };
  EXPECT_TRUE(jobs.turn({}, count));
  EXPECT_EQ(ran, 64);
  EXPECT_FALSE(jobs.turn({}, count));
  EXPECT_EQ(ran, 100);
  EXPECT_TRUE(jobs.push(1));
}

TEST(job_queue, a_turn_ends_when_its_time_is_over) {
  job_queue<int> jobs;
  for (int i = 0; i < 64; ++i)
    static_cast<void>(jobs.push(std::move(i)));
  int ran = 0;
  EXPECT_TRUE(jobs.turn(turn_limit{64, 0us}, [&](int) {
    ++ran;
    return false;
  }));
  EXPECT_EQ(ran, 16); // the clock is read after each eight, and starts with the first reading
}

TEST(job_queue, what_is_left_can_be_taken_when_the_owner_has_ended) {
  job_queue<int> jobs;
  static_cast<void>(jobs.push(1));
  static_cast<void>(jobs.put(2));
  std::deque<int> left;
  jobs.take_all(left);
  EXPECT_EQ(left, (std::deque<int>{1, 2}));
}

TEST(loop_inbox, loses_nothing_and_keeps_the_order_of_each_sender) {
  const stress_size size;
  const auto end = stress_loop_inbox<std::mutex>(size, size.senders * size.items * 2);
  EXPECT_EQ(end.refused, 0u);
  EXPECT_EQ(end.book.received(), end.sent);
  EXPECT_TRUE(end.book.in_order());
}

TEST(loop_inbox, calls_nobody_once_it_was_closed_and_idle) {
  for (int round = 0; round < 20; ++round) {
    const stress_size size{3, 2'000};
    const auto end = stress_loop_inbox<std::mutex>(size, 100 * static_cast<unsigned>(round));
    EXPECT_EQ(end.book.received(), end.sent);
    EXPECT_EQ(end.calls_after, 0u);
    EXPECT_TRUE(end.book.in_order());
  }
}

// The owner was awake, took the item and rested before the wake-up came: the inbox must know
// that it still comes.
TEST(loop_inbox, is_not_idle_while_a_wake_up_is_on_its_way) {
  loop_inbox<int> inbox;
  inbox.belongs_here();
  std::thread other{[&] { EXPECT_EQ(inbox.put(1), put_result::wake); }};
  other.join();
  ASSERT_TRUE(inbox.arm());
  int seen = 0;
  EXPECT_FALSE(inbox.turn({}, [&](int x) { seen += x; }));
  EXPECT_EQ(seen, 1);
  inbox.close();
  EXPECT_FALSE(inbox.idle());
  EXPECT_TRUE(inbox.woken());
  EXPECT_FALSE(inbox.turn({}, [&](int x) { seen += x; }));
  EXPECT_TRUE(inbox.idle());
}

// A sender that moves to the owner's thread must not overtake itself.
TEST(loop_inbox, the_owners_own_item_comes_after_what_another_thread_put_before) {
  loop_inbox<int> inbox;
  inbox.belongs_here();
  std::thread other{[&] { EXPECT_EQ(inbox.put(1), put_result::wake); }};
  other.join();
  EXPECT_EQ(inbox.put(2), put_result::taken);
  ASSERT_TRUE(inbox.woken());
  std::vector<int> seen;
  EXPECT_FALSE(inbox.turn({}, [&](int x) { seen.push_back(x); }));
  EXPECT_EQ(seen, (std::vector<int>{1, 2}));
}

using timed = timed_hand_off<parcel_ptr>;

TEST(timed_hand_off, loses_nothing_and_keeps_the_order_of_each_sender) {
  const stress_size size;
  timed crossing;
  ledger book{size.senders};
  const auto now = std::chrono::steady_clock::now();
  auto threads = send_from(size, [&](parcel_ptr x) {
    const auto due = x->place % 100 == 0 ? now : timed::never;
    EXPECT_TRUE(crossing.put(std::move(x), due));
  });
  std::vector<parcel_ptr> taken;
  while (book.received() < size.senders * size.items) {
    EXPECT_TRUE(crossing.take(taken, timed::never));
    for (const auto& x : taken)
      book.enter(*x);
    taken.clear();
  }
  for (auto& x : threads)
    x.join();
  EXPECT_TRUE(book.in_order());
}

TEST(timed_hand_off, wakes_the_sleeper_for_the_first_item_after_a_calm) {
  timed crossing;
  std::thread other{[&] { crossing.put(std::make_unique<parcel>(), timed::never); }};
  std::vector<parcel_ptr> taken;
  EXPECT_TRUE(crossing.take(taken, timed::never));
  EXPECT_EQ(taken.size(), 1u);
  other.join();
}

TEST(timed_hand_off, returns_at_the_deadline_with_nothing) {
  timed crossing;
  std::vector<parcel_ptr> taken;
  EXPECT_TRUE(crossing.take(taken, std::chrono::steady_clock::now()));
  EXPECT_TRUE(taken.empty());
}

TEST(timed_hand_off, closing_wakes_the_sleeper_and_refuses_what_comes_later) {
  timed crossing;
  std::thread other{[&] { crossing.close(); }};
  std::vector<parcel_ptr> taken;
  EXPECT_FALSE(crossing.take(taken, timed::never));
  other.join();
  auto late = std::make_unique<parcel>();
  EXPECT_FALSE(crossing.put(std::move(late), timed::never));
  EXPECT_NE(late, nullptr);
}

} // namespace
} // namespace troupe
