#include "http/event_loop.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace troupe::http {
namespace {

using namespace std::chrono_literals;

/// A loop on a thread of its own; ends and is joined with the object.
struct running_loop {
  event_loop loop;
  std::thread thread{[this] { loop.run(); }};

  void join() {
    loop.stop();
    thread.join();
  }
  ~running_loop() {
    if (thread.joinable())
      join();
  }
};

TEST(event_loop, runs_what_is_posted_in_order_on_its_own_thread) {
  running_loop r;
  std::vector<int> seen;
  std::promise<void> done;
  for (int i = 0; i < 1'000; ++i)
    r.loop.post([&, i] {
      EXPECT_TRUE(r.loop.on_this_thread());
      seen.push_back(i);
      if (i == 999)
        done.set_value();
    });
  EXPECT_FALSE(r.loop.on_this_thread());
  done.get_future().get();
  ASSERT_EQ(seen.size(), 1'000U);
  for (int i = 0; i < 1'000; ++i)
    EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
}

TEST(event_loop, what_is_queued_before_stop_still_runs) {
  event_loop loop;
  int ran = 0;
  for (int i = 0; i < 1'000; ++i)
    loop.post([&] { ++ran; });
  loop.stop();
  loop.run();
  EXPECT_EQ(ran, 1'000);
}

TEST(event_loop, turns_posted_by_turns_run_too) {
  event_loop loop;
  struct chain {
    event_loop& loop;
    int left;
    static void step(void* p) {
      auto& me = *static_cast<chain*>(p);
      if (--me.left > 0)
        me.loop.post(&step, p);
      else
        me.loop.stop();
    }
  } c{loop, 100'000};
  loop.post(&chain::step, &c);
  loop.run();
  EXPECT_EQ(c.left, 0);
}

struct endless {
  event_loop& loop;
  bool slept = false;

  static void step(void* p) { static_cast<endless*>(p)->loop.post(&step, p); }

  static task<void> sleep_and_stop(endless& e) {
    co_await e.loop.sleep(5ms);
    e.slept = true;
    e.loop.stop();
  }
};

TEST(event_loop, an_endless_row_of_turns_starves_neither_timers_nor_stop) {
  event_loop loop;
  endless e{loop};
  loop.post(&endless::step, &e);
  loop.post([&] { spawn(endless::sleep_and_stop(e)); });
  loop.run();
  EXPECT_TRUE(e.slept);
}

TEST(event_loop, posts_from_many_threads_are_neither_lost_nor_doubled) {
  running_loop r;
  constexpr int threads = 4;
  constexpr int each = 20'000;
  std::atomic<int> sum{0};
  int plain = 0; // touched on the loop only
  struct work {
    std::atomic<int>& sum;
    int& plain;
    static void run(void* p) {
      auto& me = *static_cast<work*>(p);
      ++me.plain;
      me.sum.fetch_add(1);
      me.sum.notify_all();
    }
  } w{sum, plain};
  std::vector<std::thread> posters;
  for (int t = 0; t < threads; ++t)
    posters.emplace_back([&] {
      for (int i = 0; i < each; ++i)
        r.loop.post(&work::run, &w);
    });
  for (auto& p : posters)
    p.join();
  r.join();
  EXPECT_EQ(sum.load(), threads * each);
  EXPECT_EQ(plain, threads * each);
}

TEST(event_loop, sleeps_in_order_of_length_and_never_too_short) {
  event_loop loop;
  std::vector<int> order;
  const auto sleeper = [](event_loop& l, std::vector<int>& out, int id,
                          duration span) -> task<void> {
    const auto start = l.now();
    co_await l.sleep(span);
    EXPECT_GE(l.now() - start, span);
    out.push_back(id);
    if (out.size() == 3)
      l.stop();
  };
  loop.post([&] {
    spawn(sleeper(loop, order, 3, 300ms));
    spawn(sleeper(loop, order, 1, 1ms));
    spawn(sleeper(loop, order, 2, 150ms));
  });
  loop.run();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(event_loop, drop_handlers_destroys_waiting_coroutines_and_posted_work) {
  const auto token = std::make_shared<int>(0);
  {
    event_loop loop;
    const auto inner = [](event_loop& l, std::shared_ptr<int> held) -> task<void> {
      co_await l.sleep(1h);
      ++*held;
    };
    const auto outer = [](task<void> t, std::shared_ptr<int> held) -> task<void> {
      co_await t;
      ++*held;
    };
    loop.post([&] {
      spawn(outer(inner(loop, token), token));
      loop.stop();
    });
    loop.run();
    loop.post([token] { ++*token; });
    EXPECT_EQ(token.use_count(), 4);
    loop.drop_handlers();
    EXPECT_EQ(token.use_count(), 1);
  }
  EXPECT_EQ(*token, 0);
}

struct poster {
  event_loop& loop;
  std::shared_ptr<int> held;

  poster(event_loop& l, std::shared_ptr<int> h) : loop(l), held(std::move(h)) {}
  ~poster() {
    loop.post([copy = held] { ++*copy; });
  }
};

task<void> sleep_with_poster(event_loop& loop, std::shared_ptr<int> held) {
  const poster p{loop, std::move(held)};
  co_await loop.sleep(1h);
}

TEST(event_loop, destructors_may_post_while_the_loop_drops_everything) {
  const auto token = std::make_shared<int>(0);
  {
    event_loop loop;
    loop.post([&] {
      spawn(sleep_with_poster(loop, token));
      loop.stop();
    });
    loop.run();
    loop.drop_handlers();
    EXPECT_EQ(token.use_count(), 1);
  }
  EXPECT_EQ(*token, 0);
}

TEST(event_loop, runs_again_after_a_stop) {
  event_loop loop;
  int ran = 0;
  for (int i = 0; i < 3; ++i) {
    loop.post([&] { ++ran; });
    loop.stop();
    loop.run();
  }
  EXPECT_EQ(ran, 3);
}

} // namespace
} // namespace troupe::http
