#include "http/core/timeout_wheel.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

namespace troupe::http {
namespace {

using namespace std::chrono_literals;

constexpr time_point t0{1'000h};

/// Records what the wheel asks for and counts what becomes due.
struct stage {
  std::vector<time_point> wakes;
  timeout_wheel wheel{t0, &stage::wake, this};

  static void wake(void* self, time_point when) {
    static_cast<stage*>(self)->wakes.push_back(when);
  }
};

void count(void* counter) {
  ++*static_cast<int*>(counter);
}

TEST(timeout_wheel, is_never_early_and_at_most_one_tick_late) {
  for (const duration span :
       std::initializer_list<duration>{1ns, 1ms, 63ms, 64ms, 65ms, 5s, 64s, 66s, 10min}) {
    stage s;
    int due = 0;
    timeout t{s.wheel, &count, &due};
    t.set(t0 + span);
    s.wheel.advance(t0 + span - 1ns);
    EXPECT_EQ(due, 0) << span.count();
    s.wheel.advance(t0 + span + timeout_wheel::tick);
    EXPECT_EQ(due, 1) << span.count();
  }
}

TEST(timeout_wheel, calls_once_and_forgets) {
  stage s;
  int due = 0;
  timeout t{s.wheel, &count, &due};
  t.set(t0 + 1s);
  s.wheel.advance(t0 + 2s);
  s.wheel.advance(t0 + 3s);
  EXPECT_EQ(due, 1);
  EXPECT_FALSE(t.is_set());
  EXPECT_EQ(s.wheel.next_wake(), std::nullopt);
}

TEST(timeout_wheel, moving_later_asks_for_nothing) {
  stage s;
  int due = 0;
  timeout t{s.wheel, &count, &due};
  t.set(t0 + 1s);
  ASSERT_EQ(s.wakes.size(), 1U);
  for (int i = 2; i < 1'000; ++i)
    t.set(t0 + std::chrono::seconds{i});
  EXPECT_EQ(s.wakes.size(), 1U);
  s.wheel.advance(t0 + 998s);
  EXPECT_EQ(due, 0);
  s.wheel.advance(t0 + 1'000s);
  EXPECT_EQ(due, 1);
}

TEST(timeout_wheel, alternating_long_and_short_deadlines_soon_ask_for_nothing) {
  stage s;
  int due = 0;
  timeout t{s.wheel, &count, &due};
  t.set(t0 + 120s);
  for (int i = 0; i < 1'000; ++i) {
    t.set(t0 + 15s + std::chrono::milliseconds{i});
    t.set(t0 + 120s + std::chrono::milliseconds{i});
  }
  EXPECT_EQ(s.wakes.size(), 2U);
  EXPECT_EQ(due, 0);
}

TEST(timeout_wheel, moving_earlier_asks_for_an_earlier_wake) {
  stage s;
  int due = 0;
  timeout t{s.wheel, &count, &due};
  t.set(t0 + 10s);
  t.set(t0 + 1s);
  ASSERT_EQ(s.wakes.size(), 2U);
  EXPECT_LT(s.wakes[1], s.wakes[0]);
  EXPECT_GE(s.wakes[1], t0 + 1s);
  s.wheel.advance(s.wakes[1]);
  EXPECT_EQ(due, 1);
}

TEST(timeout_wheel, only_the_earliest_slot_is_asked_for) {
  stage s;
  int due = 0;
  timeout a{s.wheel, &count, &due};
  timeout b{s.wheel, &count, &due};
  timeout c{s.wheel, &count, &due};
  a.set(t0 + 1s);
  b.set(t0 + 2s);
  c.set(t0 + 3s);
  EXPECT_EQ(s.wakes.size(), 1U);
  s.wheel.advance(t0 + 1'100ms);
  ASSERT_EQ(s.wakes.size(), 2U);
  EXPECT_GE(s.wakes[1], t0 + 2s);
  EXPECT_LE(s.wakes[1], t0 + 2s + timeout_wheel::tick);
}

TEST(timeout_wheel, nothing_enlisted_means_no_wake_up) {
  stage s;
  int due = 0;
  timeout t{s.wheel, &count, &due};
  t.set(t0 + 1s);
  t.clear();
  s.wheel.advance(t0 + 2s); // the one wake-up already asked for
  EXPECT_EQ(due, 0);
  EXPECT_EQ(s.wakes.size(), 1U);
  EXPECT_EQ(s.wheel.next_wake(), std::nullopt);
}

TEST(timeout_wheel, a_call_may_set_itself_again_and_destroy_others) {
  stage s;
  struct context {
    stage& s;
    int due = 0;
    std::unique_ptr<timeout> other;
    std::unique_ptr<timeout> self;
  } c{s, 0, nullptr, nullptr};
  c.other = std::make_unique<timeout>(
      s.wheel, [](void* p) { ++*static_cast<int*>(p); }, &c.due);
  c.self = std::make_unique<timeout>(
      s.wheel,
      [](void* p) {
        auto& me = *static_cast<context*>(p);
        me.other.reset();
        me.self->set(t0 + 5s);
        ++me.due;
      },
      &c);
  c.self->set(t0 + 1s);
  c.other->set(t0 + 1s); // the same slot, after it
  s.wheel.advance(t0 + 2s);
  EXPECT_EQ(c.due, 1);
  s.wheel.advance(t0 + 6s);
  EXPECT_EQ(c.due, 2);
}

TEST(timeout_wheel, survives_a_jump_over_many_revolutions) {
  stage s;
  int due = 0;
  timeout t{s.wheel, &count, &due};
  t.set(t0 + 1s);
  s.wheel.advance(t0 + 24h);
  EXPECT_EQ(due, 1);
  t.set(t0 + 25h);
  s.wheel.advance(t0 + 25h - 1ns);
  EXPECT_EQ(due, 1);
  s.wheel.advance(t0 + 25h + 64ms);
  EXPECT_EQ(due, 2);
}

TEST(timeout_wheel, may_die_before_its_timeouts) {
  int due = 0;
  auto s = std::make_unique<stage>();
  timeout t{s->wheel, &count, &due};
  t.set(t0 + 1s);
  s.reset();
  EXPECT_EQ(due, 0);
}

/// Many deadlines moved at random, driven only by the wake-ups that the wheel asks for.
TEST(timeout_wheel, driven_by_its_own_wakes_every_deadline_is_met) {
  struct item {
    std::unique_ptr<timeout> t;
    time_point deadline = time_point::max();
    time_point* now = nullptr;
    int due = 0;
  };
  stage s;
  std::mt19937 random{7};
  time_point now = t0;
  std::vector<item> items(200);
  for (auto& i : items) {
    i.now = &now;
    i.t = std::make_unique<timeout>(
        s.wheel,
        [](void* p) {
          auto& me = *static_cast<item*>(p);
          ++me.due;
          EXPECT_GE(*me.now, me.deadline);
          EXPECT_LE(*me.now, me.deadline + timeout_wheel::tick);
          me.deadline = time_point::max();
        },
        &i);
  }
  for (int round = 0; round < 2'000; ++round) {
    auto& i = items[random() % items.size()];
    const auto span = std::chrono::milliseconds{random() % 200'000};
    i.deadline = now + span;
    i.t->set(i.deadline);
    const auto stop = now + std::chrono::milliseconds{random() % 1'000};
    while (const auto wake = s.wheel.next_wake()) {
      if (*wake > stop)
        break;
      now = std::max(now, *wake);
      s.wheel.advance(now);
    }
    now = stop;
    for (const auto& each : items)
      ASSERT_GE(each.deadline, now - timeout_wheel::tick);
  }
}

} // namespace
} // namespace troupe::http
