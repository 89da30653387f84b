#include "actors/scheduler/asio_coordinator.hpp"
#include "http/detail/loop_impl.hpp"
#include "tests/actors/on_loop.hpp"

#include <boost/asio/post.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>

namespace troupe {
namespace {

using namespace std::chrono_literals;

using count_atom = caf::atom_constant<caf::atom("count")>;
using begin_atom = caf::atom_constant<caf::atom("begin")>;

struct loops_config : caf::actor_system_config {
  explicit loops_config(std::size_t loops) {
    set("scheduler.max-threads", loops);
    load<asio_coordinator>();
  }
};

struct counter_state {
  std::size_t seen = 0;
  std::size_t expected = 0;
  caf::response_promise asker;
};

/// Counts ints; answers `begin` once as many as asked for have come.
caf::behavior counting(caf::stateful_actor<counter_state>* self) {
  const auto look = [self] {
    auto& st = self->state;
    if (st.expected != 0 && st.seen >= st.expected && st.asker.pending())
      st.asker.deliver(st.seen);
  };
  return {
      [self, look](int) {
        ++self->state.seen;
        look();
      },
      [self, look](count_atom, std::size_t expected) {
        self->state.expected = expected;
        self->state.asker = self->make_response_promise();
        look();
        return self->state.asker;
      },
  };
}

std::size_t wait_for_count(caf::actor_system& system, const caf::actor& counter,
                           std::size_t expected) {
  caf::scoped_actor self{system};
  std::size_t seen = 0;
  self->request(counter, caf::infinite, count_atom::value, expected)
      .receive([&](std::size_t n) { seen = n; }, [](caf::error&) {});
  return seen;
}

void end(const caf::actor& x) {
  caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
}

TEST(scheduler, has_one_loop_per_worker_and_finds_itself_in_its_system) {
  loops_config config{3};
  caf::actor_system system{config};
  ASSERT_NE(asio_coordinator::of(system), nullptr);
  EXPECT_EQ(asio_coordinator::of(system)->size(), 3u);

  caf::actor_system_config foreign_config;
  caf::actor_system foreign{foreign_config};
  EXPECT_EQ(asio_coordinator::of(foreign), nullptr);
}

TEST(scheduler, makes_one_worker_of_none) {
  loops_config config{0};
  caf::actor_system system{config};
  EXPECT_EQ(asio_coordinator::of(system)->size(), 1u);
  const auto counter = system.spawn(counting);
  caf::anon_send(counter, 1);
  EXPECT_EQ(wait_for_count(system, counter, 1), 1u);
  end(counter);
}

TEST(scheduler, runs_an_actor_on_the_loop_from_which_its_message_came) {
  loops_config config{2};
  caf::actor_system system{config};
  std::promise<std::thread::id> ran;
  // Lazily: it waits for its first message nowhere.
  const auto actor = system.spawn<caf::lazy_init>([&ran](caf::event_based_actor* self) {
    return caf::behavior{[&ran, self](int) {
      ran.set_value(std::this_thread::get_id());
      self->quit();
    }};
  });
  std::thread::id loop_thread;
  call_on(asio_coordinator::of(system)->loop(1), [&] {
    loop_thread = std::this_thread::get_id();
    caf::anon_send(actor, 1);
  });
  EXPECT_EQ(ran.get_future().get(), loop_thread);
}

TEST(scheduler, loses_no_message_of_many_senders) {
  loops_config config{3};
  caf::actor_system system{config};
  const auto counter = system.spawn(counting);
  constexpr int senders = 50;
  constexpr int messages = 2'000;
  for (int i = 0; i < senders; ++i)
    system.spawn([counter](caf::event_based_actor* self) {
      for (int n = 0; n < messages; ++n)
        self->send(counter, n);
    });
  EXPECT_EQ(wait_for_count(system, counter, std::size_t{senders} * messages),
            std::size_t{senders} * messages);
  end(counter);
}

// A blocking actor keeps the unit of who spawned it and sends from its own thread.
TEST(scheduler, takes_jobs_from_a_blocking_actor_that_a_loop_spawned) {
  loops_config config{2};
  caf::actor_system system{config};
  constexpr std::size_t spawners = 8;
  constexpr int messages = 2'000;
  const auto counter = system.spawn(counting);
  for (std::size_t i = 0; i < spawners; ++i)
    system.spawn([counter](caf::event_based_actor* self) {
      self->spawn<caf::detached>([counter](caf::blocking_actor* blocking) {
        for (int n = 0; n < messages; ++n)
          blocking->send(counter, n);
      });
    });
  EXPECT_EQ(wait_for_count(system, counter, spawners * messages), spawners * messages);
  end(counter);
}

TEST(scheduler, hot_actors_do_not_stop_the_timers_of_their_loop) {
  loops_config config{1};
  caf::actor_system system{config};
  std::atomic<bool> enough{false};
  for (int i = 0; i < 20; ++i) {
    const auto hot = system.spawn([&enough](caf::event_based_actor* self) -> caf::behavior {
      return {[&enough, self](int n) {
        if (enough)
          self->quit();
        else
          self->send(self, n);
      }};
    });
    for (int n = 0; n < 10; ++n)
      caf::anon_send(hot, n);
  }
  auto& loop = asio_coordinator::of(system)->loop(0);
  const auto three_sleeps = [](http::event_loop& on) -> http::task<int> {
    int slept = 0;
    for (; slept < 3; ++slept)
      co_await on.sleep(1ms);
    co_return slept;
  };
  EXPECT_EQ(on_loop(loop, three_sleeps(loop)), 3);
  enough = true;
}

TEST(scheduler, a_crowded_loop_gives_work_to_an_idle_one) {
  loops_config config{2};
  caf::actor_system system{config};
  std::mutex mutex;
  std::set<std::thread::id> threads;
  const auto several = [&] {
    const std::lock_guard guard{mutex};
    return threads.size() > 1;
  };
  for (int round = 0; round < 1'000 && !several(); ++round) {
    system.spawn([&](caf::event_based_actor* self) {
      for (int i = 0; i < 1'000; ++i)
        self->spawn([&](caf::event_based_actor*) {
          const std::lock_guard guard{mutex};
          threads.insert(std::this_thread::get_id());
        });
    });
    system.await_all_actors_done();
  }
  EXPECT_EQ(threads.size(), 2u);
}

TEST(scheduler, delayed_messages_come_in_the_order_in_which_they_are_due) {
  loops_config config{2};
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  for (const int ms : {30, 10, 20, 0})
    self->delayed_send(self, std::chrono::milliseconds{ms}, ms);
  std::vector<int> came;
  for (int i = 0; i < 4; ++i)
    self->receive([&](int ms) { came.push_back(ms); });
  EXPECT_EQ(came, (std::vector<int>{0, 10, 20, 30}));
}

// CAF's own clock takes 63 orders and then blocks whoever gives one.
TEST(scheduler, any_number_of_delayed_messages_can_be_ordered_at_once) {
  loops_config config{1};
  caf::actor_system system{config};
  constexpr int messages = 20'000;
  const auto counter = system.spawn(counting);
  system.spawn([counter](caf::event_based_actor* self) {
    for (int n = 0; n < messages; ++n)
      self->delayed_send(counter, std::chrono::microseconds{n % 1'000}, n);
  });
  EXPECT_EQ(wait_for_count(system, counter, messages), std::size_t{messages});
  end(counter);
}

TEST(scheduler, a_request_to_an_actor_that_never_answers_times_out) {
  loops_config config{1};
  caf::actor_system system{config};
  const auto silent = system.spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self](int) { return self->make_response_promise(); }};
  });
  caf::scoped_actor self{system};
  bool timed_out = false;
  self->request(silent, 5ms, 1)
      .receive([] {}, [&](caf::error& e) { timed_out = e == caf::sec::request_timeout; });
  EXPECT_TRUE(timed_out);
  end(silent);
}

TEST(scheduler, an_exception_from_on_exit_ends_the_actor_and_is_reported) {
  struct bad_end : caf::event_based_actor {
    using caf::event_based_actor::event_based_actor;
    void on_exit() override { throw std::runtime_error("no good end"); }
    caf::behavior make_behavior() override {
      return {[this](int) { quit(); }};
    }
  };
  loops_config config{1};
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  const auto actor = system.spawn<bad_end>();
  self->monitor(actor);
  self->send(actor, 1);
  caf::error reason;
  self->receive([&](caf::down_msg& x) { reason = x.reason; });
  EXPECT_EQ(reason, caf::exit_reason::unhandled_exception);
}

TEST(scheduler, an_exception_of_a_handler_is_passed_on_and_the_loop_goes_on) {
  loops_config config{1};
  caf::actor_system system{config};
  auto& coordinator = *asio_coordinator::of(system);
  std::promise<std::string> caught;
  coordinator.on_handler_exception([&](std::exception_ptr e) {
    try {
      std::rethrow_exception(e);
    } catch (const std::exception& x) {
      caught.set_value(x.what());
    }
  });
  auto& loop = coordinator.loop(0);
  boost::asio::post(loop.internals().context, [] { throw std::runtime_error("handler"); });
  EXPECT_EQ(caught.get_future().get(), "handler");
  bool went_on = false;
  call_on(loop, [&] { went_on = true; });
  EXPECT_TRUE(went_on);
}

/// One life of a system that still has work in every place when it ends.
void start_and_stop(std::size_t loops, bool with_hot_actor) {
  loops_config config{loops};
  caf::actor_system system{config};
  system.await_actors_before_shutdown(false);
  auto& coordinator = *asio_coordinator::of(system);
  for (std::size_t i = 0; i < coordinator.size(); ++i)
    coordinator.loop(i).post(std::function<void()>([shared = std::make_shared<int>(1)] {}));
  const auto actor = system.spawn([with_hot_actor](caf::event_based_actor* self) -> caf::behavior {
    return {[self, with_hot_actor](int n) {
      if (with_hot_actor)
        self->send(self, n);
      self->delayed_send(self, 1h, n);
      self->spawn([](caf::event_based_actor*) {});
    }};
  });
  for (int i = 0; i < 10; ++i)
    caf::anon_send(actor, i);
}

TEST(scheduler, starts_and_stops_many_times_with_work_left) {
  const bool soak = std::getenv("TROUPE_SOAK") != nullptr;
  const int lives = soak ? 500 : 100;
  for (int i = 0; i < lives; ++i)
    start_and_stop(1 + static_cast<std::size_t>(i) % 3, i % 10 == 0);
}

TEST(scheduler, a_second_stop_does_nothing) {
  loops_config config{2};
  caf::actor_system system{config};
  asio_coordinator::of(system)->stop();
  asio_coordinator::of(system)->stop();
}

TEST(scheduler, a_coroutine_that_waits_when_loops_stop_is_destroyed) {
  struct witness {
    std::atomic<bool>* gone;
    explicit witness(std::atomic<bool>* g) : gone(g) {}
    witness(const witness&) = delete;
    ~witness() { *gone = true; }
  };
  std::atomic<bool> gone{false};
  {
    loops_config config{1};
    caf::actor_system system{config};
    auto& loop = asio_coordinator::of(system)->loop(0);
    const auto forever = [](http::event_loop& on, std::atomic<bool>* flag) -> http::task<void> {
      const witness w{flag};
      co_await on.sleep(1h);
    };
    call_on(loop, [&] { http::spawn(forever(loop, &gone)); });
    EXPECT_FALSE(gone);
  }
  EXPECT_TRUE(gone);
}

} // namespace
} // namespace troupe
