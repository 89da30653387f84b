#include "actors/bridge.hpp"

#include "actors/error.hpp"
#include "actors/scheduling.hpp"
#include "tests/actors/on_loop.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace troupe {
namespace {

using namespace std::chrono_literals;

/// A lease as the tests need it; an aggregate, as messages are.
struct grant {
  std::uint64_t id = 0;
  std::string words;
};

struct refusal_note {
  int wait_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, grant& x) {
  return f(caf::meta::type_name("grant"), x.id, x.words);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, refusal_note& x) {
  return f(caf::meta::type_name("refusal_note"), x.wait_ms);
}

using ask_atom = caf::atom_constant<caf::atom("ask")>;
using hold_atom = caf::atom_constant<caf::atom("hold")>;
using answer_atom = caf::atom_constant<caf::atom("answer")>;
using die_atom = caf::atom_constant<caf::atom("die")>;

struct keeper_state {
  std::uint64_t granted = 0;
  std::vector<caf::typed_response_promise<grant>> held;
};

/// Grants at once, or holds the question until told to answer.
caf::behavior keeper(caf::stateful_actor<keeper_state>* self) {
  return {
      [self](ask_atom) {
        return grant{++self->state.granted, "granted by a keeper, a text on the heap"};
      },
      [self](hold_atom) {
        auto promise = self->make_response_promise<grant>();
        self->state.held.push_back(promise);
        return promise;
      },
      [self](answer_atom) {
        for (auto& x : self->state.held)
          x.deliver(grant{++self->state.granted, "late"});
        self->state.held.clear();
      },
      [](die_atom, const std::string& words) -> caf::result<grant> {
        return make_error(failure(errc::no_key_available, words));
      },
      [](ask_atom, int wait_ms) { return refusal_note{wait_ms}; },
      [](ask_atom, ask_atom) -> caf::result<void> { return caf::unit; },
      [](ask_atom, const std::string& text) -> caf::result<grant> {
        throw std::runtime_error(text);
      },
      [self](die_atom) { self->quit(); },
  };
}

caf::behavior passer(caf::event_based_actor* self, const caf::actor& to) {
  return {
      [self, to](ask_atom) -> caf::result<grant> {
        self->delegate(to, ask_atom::value);
        return caf::delegated<grant>{};
      },
      [self, to](hold_atom) -> caf::result<grant> {
        self->delegate(to, hold_atom::value);
        return caf::delegated<grant>{};
      },
      [self](die_atom) { self->quit(); },
  };
}

void end(const caf::actor& x) {
  caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
}

class bridge_test : public testing::TestWithParam<scheduler_kind> {
protected:
  static constexpr std::size_t loop_count = 2;

  void SetUp() override {
    auto started = runtime::start(GetParam(), loop_count);
    ASSERT_TRUE(started);
    runtime_ = *std::move(started);
    for (auto* x : runtime_->loops())
      bridges_.push_back(std::make_unique<bridge>(*x, runtime_->system(), log_));
    keeper_ = runtime_->system().spawn(keeper);
  }

  void TearDown() override {
    end(keeper_);
    bridges_.clear();
    runtime_->stop();
  }

  http::event_loop& loop(std::size_t i = 0) { return *runtime_->loops().at(i); }
  bridge& first() { return *bridges_.front(); }

  /// Waits until the keeper has taken every message sent to it before this call.
  void keeper_caught_up() {
    caf::scoped_actor self{runtime_->system()};
    self->request(keeper_, caf::infinite, ask_atom::value, ask_atom::value)
        .receive([] {}, [](caf::error&) {});
  }

  collected_log log_;
  std::unique_ptr<runtime> runtime_;
  std::vector<std::unique_ptr<bridge>> bridges_;
  caf::actor keeper_;
};

std::string name_of_param(const testing::TestParamInfo<scheduler_kind>& info) {
  return info.param == scheduler_kind::asio ? "asio" : "sharing";
}

INSTANTIATE_TEST_SUITE_P(schedulers, bridge_test,
                         testing::Values(scheduler_kind::asio, scheduler_kind::sharing),
                         name_of_param);

http::task<result<grant>> ask_once(bridge& from, caf::actor to) {
  co_return co_await from.ask<grant>(to, ask_atom::value);
}

http::task<result<grant>> ask_held(bridge& from, caf::actor to, http::cancel_source* cancel,
                                   late_answer<grant> late) {
  co_return co_await from.ask<grant>(to, cancel, late, hold_atom::value);
}

TEST_P(bridge_test, an_answer_comes_back_on_the_loop_that_asked) {
  struct seen {
    bool granted = false;
    bool same_thread = false;
    seen() {}
  };
  const auto ask = [](bridge& from, http::event_loop& on, caf::actor to) -> http::task<seen> {
    seen s;
    const auto answer = co_await from.ask<grant>(to, ask_atom::value);
    s.granted =
        answer && answer->id == 1 && answer->words == "granted by a keeper, a text on the heap";
    s.same_thread = on.on_this_thread();
    co_return s;
  };
  const auto s = on_loop(loop(), ask(first(), loop(), keeper_));
  EXPECT_TRUE(s.granted);
  EXPECT_TRUE(s.same_thread);
}

TEST_P(bridge_test, an_answer_may_come_from_another_actor_than_was_asked) {
  const auto pass = runtime_->system().spawn(passer, keeper_);
  const auto answer = on_loop(loop(), ask_once(first(), pass));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->id, 1u);
  end(pass);
}

TEST_P(bridge_test, an_error_of_ours_keeps_its_code_and_words) {
  const auto ask = [](bridge& from, caf::actor to) -> http::task<result<grant>> {
    std::string words = "as told";
    co_return co_await from.ask<grant>(to, die_atom::value, std::move(words));
  };
  const auto answer = on_loop(loop(), ask(first(), keeper_));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), failure(errc::no_key_available, "as told"));
}

TEST_P(bridge_test, an_exception_in_the_asked_actor_is_a_failure) {
  const auto ask = [](bridge& from, caf::actor to) -> http::task<result<grant>> {
    std::string text = "thrown";
    co_return co_await from.ask<grant>(to, ask_atom::value, std::move(text));
  };
  const auto fragile = runtime_->system().spawn(keeper);
  const auto answer = on_loop(loop(), ask(first(), fragile));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, errc::shutting_down);
}

TEST_P(bridge_test, an_answer_may_be_empty_or_one_of_several_types) {
  using either = std::variant<grant, refusal_note>;
  const auto empty = [](bridge& from, caf::actor to) -> http::task<bool> {
    const auto answer = co_await from.ask<void>(to, ask_atom::value, ask_atom::value);
    co_return answer.has_value();
  };
  const auto first_type = [](bridge& from, caf::actor to) -> http::task<std::uint64_t> {
    const auto answer = co_await from.ask<either>(to, ask_atom::value);
    co_return std::get<grant>(*answer).id;
  };
  const auto second_type = [](bridge& from, caf::actor to) -> http::task<int> {
    const auto answer = co_await from.ask<either>(to, ask_atom::value, 77);
    co_return std::get<refusal_note>(*answer).wait_ms;
  };
  EXPECT_TRUE(on_loop(loop(), empty(first(), keeper_)));
  EXPECT_EQ(on_loop(loop(), first_type(first(), keeper_)), 1u);
  EXPECT_EQ(on_loop(loop(), second_type(first(), keeper_)), 77);
}

TEST_P(bridge_test, an_answer_of_another_type_is_a_failure) {
  const auto ask = [](bridge& from, caf::actor to) -> http::task<result<grant>> {
    co_return co_await from.ask<grant>(to, ask_atom::value, 5);
  };
  const auto answer = on_loop(loop(), ask(first(), keeper_));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, errc::corrupt);
}

TEST_P(bridge_test, a_message_that_the_asked_actor_does_not_know_is_a_failure) {
  const auto ask = [](bridge& from, caf::actor to) -> http::task<result<grant>> {
    co_return co_await from.ask<grant>(to, 1.5);
  };
  const auto strict = runtime_->system().spawn([](caf::event_based_actor* self) -> caf::behavior {
    self->set_default_handler(caf::drop);
    return {[](ask_atom) {}};
  });
  EXPECT_FALSE(on_loop(loop(), ask(first(), strict)));
  end(strict);
}

TEST_P(bridge_test, asking_nobody_fails_at_once) {
  const auto answer = on_loop(loop(), ask_once(first(), caf::actor{}));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, errc::shutting_down);
}

TEST_P(bridge_test, asking_an_actor_that_has_ended_fails) {
  const auto dead = runtime_->system().spawn(keeper);
  caf::scoped_actor self{runtime_->system()};
  self->monitor(dead);
  self->send(dead, die_atom::value);
  self->receive([](caf::down_msg&) {});
  for (int i = 0; i < 3; ++i) {
    const auto answer = on_loop(loop(), ask_once(first(), dead));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, errc::shutting_down);
  }
}

// CAF tells nobody of a promise that was dropped with its actor.
TEST_P(bridge_test, an_actor_that_ends_with_questions_unanswered_fails_them) {
  const auto silent = runtime_->system().spawn(keeper);
  http::cancel_source never;
  auto waiting = begin_on(loop(), ask_held(first(), silent, &never, nullptr));
  call_on(loop(), [&] { first().tell(silent, die_atom::value); });
  const auto answer = waiting.get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, errc::shutting_down);
}

std::atomic<int> late_grants{0};
std::atomic<std::uint64_t> late_id{0};

void count_late(bridge&, grant late) {
  late_id = late.id;
  ++late_grants;
}

TEST_P(bridge_test, an_answer_of_the_next_actor_comes_late_when_the_asked_one_has_ended) {
  late_grants = 0;
  const auto pass = runtime_->system().spawn(passer, keeper_);
  http::cancel_source never;
  auto waiting = begin_on(loop(), ask_held(first(), pass, &never, &count_late));
  call_on(loop(), [&] { first().tell(pass, die_atom::value); });
  EXPECT_FALSE(waiting.get());
  keeper_caught_up();
  EXPECT_EQ(late_grants, 0);
  call_on(loop(), [&] { first().tell(keeper_, answer_atom::value); });
  while (late_grants == 0)
    std::this_thread::yield();
  EXPECT_EQ(late_grants, 1);
}

TEST_P(bridge_test, nothing_is_asked_when_it_was_cancelled_before) {
  http::cancel_source cancel;
  cancel.cancel();
  const auto ask = [](bridge& from, caf::actor to,
                      http::cancel_source* c) -> http::task<result<grant>> {
    co_return co_await from.ask<grant>(to, c, &count_late, ask_atom::value);
  };
  const auto answer = on_loop(loop(), ask(first(), keeper_, &cancel));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, errc::cancelled);
  const auto next = on_loop(loop(), ask_once(first(), keeper_));
  EXPECT_EQ(next->id, 1u);
}

TEST_P(bridge_test, cancelling_resumes_at_once_and_the_late_answer_is_handed_over_once) {
  late_grants = 0;
  http::cancel_source cancel;
  auto waiting = begin_on(loop(), ask_held(first(), keeper_, &cancel, &count_late));
  bool resumed_inside = true;
  call_on(loop(), [&] {
    cancel.cancel();
    resumed_inside = waiting.wait_for(0s) == std::future_status::ready;
  });
  EXPECT_FALSE(resumed_inside);
  const auto answer = waiting.get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, errc::cancelled);
  EXPECT_EQ(late_grants, 0);

  call_on(loop(), [&] { first().tell(keeper_, answer_atom::value); });
  keeper_caught_up();
  std::size_t open = 1;
  while (open != 0)
    call_on(loop(), [&] { open = first().asks_open(); });
  EXPECT_EQ(late_grants, 1);
  EXPECT_EQ(late_id, 1u);
}

TEST_P(bridge_test, a_cancelled_ask_without_a_taker_leaves_nothing_behind) {
  http::cancel_source cancel;
  auto waiting = begin_on(loop(), ask_held(first(), keeper_, &cancel, nullptr));
  std::size_t open = 99;
  call_on(loop(), [&] {
    cancel.cancel();
    open = first().asks_open();
  });
  EXPECT_EQ(waiting.get().error().code, errc::cancelled);
  EXPECT_EQ(open, 0u);
  call_on(loop(), [&] { first().tell(keeper_, answer_atom::value); });
  keeper_caught_up();
  EXPECT_TRUE(on_loop(loop(), ask_once(first(), keeper_)));
}

TEST_P(bridge_test, cancelling_after_the_answer_changes_nothing) {
  http::cancel_source cancel;
  const auto ask = [](bridge& from, caf::actor to,
                      http::cancel_source* c) -> http::task<result<grant>> {
    auto answer = co_await from.ask<grant>(to, c, &count_late, ask_atom::value);
    c->cancel();
    co_return answer;
  };
  late_grants = 0;
  EXPECT_TRUE(on_loop(loop(), ask(first(), keeper_, &cancel)));
  EXPECT_EQ(late_grants, 0);
}

TEST_P(bridge_test, a_coroutine_that_is_destroyed_while_it_asks_hands_over_the_answer) {
  late_grants = 0;
  // A root that its owner destroys: the frame's handle is the coroutine's own.
  struct own_root {
    struct promise_type {
      own_root get_return_object() {
        return {std::coroutine_handle<promise_type>::from_promise(*this)};
      }
      std::suspend_never initial_suspend() noexcept { return {}; }
      std::suspend_always final_suspend() noexcept { return {}; }
      void return_void() {}
      void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<promise_type> handle;
  };
  const auto root = [](bridge& from, caf::actor to, http::cancel_source* c) -> own_root {
    co_await from.ask<grant>(to, c, &count_late, hold_atom::value);
  };
  http::cancel_source never;
  call_on(loop(), [&] {
    const auto frame = root(first(), keeper_, &never);
    frame.handle.destroy();
    EXPECT_EQ(first().asks_open(), 1u);
    first().tell(keeper_, answer_atom::value);
  });
  std::size_t open = 1;
  while (open != 0)
    call_on(loop(), [&] { open = first().asks_open(); });
  EXPECT_EQ(late_grants, 1);
}

TEST_P(bridge_test, stopping_ends_whoever_waits_and_refuses_new_questions) {
  http::cancel_source never;
  std::vector<std::future<result<grant>>> waiting;
  for (int i = 0; i < 100; ++i)
    waiting.push_back(begin_on(loop(), ask_held(first(), keeper_, &never, nullptr)));
  first().stop();
  for (auto& x : waiting)
    EXPECT_EQ(x.get().error().code, errc::shutting_down);
  EXPECT_EQ(on_loop(loop(), ask_once(first(), keeper_)).error().code, errc::shutting_down);
  first().stop();
}

TEST_P(bridge_test, a_bridge_that_has_ended_answers_requests_and_touches_no_loop) {
  const auto handle = first().handle();
  bridges_.clear();
  caf::scoped_actor self{runtime_->system()};
  caf::error error;
  self->request(handle, caf::infinite, ask_atom::value)
      .receive([] {}, [&](caf::error& e) { error = e; });
  EXPECT_EQ(error, caf::sec::request_receiver_down);
  self->monitor(handle);
  self->receive([](caf::down_msg&) {});
}

TEST_P(bridge_test, messages_to_its_actor_are_answered_on_the_loop_in_order) {
  std::vector<int> came;
  bool always_here = true;
  first().on_message(caf::behavior{[&](int n) {
                                     always_here = always_here && loop().on_this_thread();
                                     came.push_back(n);
                                   },
                                   [&](ask_atom) { return static_cast<int>(came.size()); }});
  caf::scoped_actor self{runtime_->system()};
  for (int n = 0; n < 1'000; ++n)
    self->send(first().handle(), n);
  int seen = 0;
  self->request(first().handle(), caf::infinite, ask_atom::value)
      .receive([&](int n) { seen = n; }, [](caf::error&) {});
  EXPECT_EQ(seen, 1'000);
  EXPECT_TRUE(always_here);
  EXPECT_TRUE(std::is_sorted(came.begin(), came.end()));
}

TEST_P(bridge_test, an_unexpected_message_is_refused_and_logged_without_its_content) {
  caf::scoped_actor self{runtime_->system()};
  caf::error error;
  self->request(first().handle(), caf::infinite, std::string("do not print me"))
      .receive([] {}, [&](caf::error& e) { error = e; });
  EXPECT_EQ(error, caf::sec::unexpected_message);
  ASSERT_EQ(log_.lines().size(), 1u);
  EXPECT_EQ(log_.lines().front().find("do not print me"), std::string::npos);
}

TEST_P(bridge_test, a_stray_error_does_not_end_it) {
  caf::anon_send(first().handle(), caf::make_error(caf::sec::runtime_error));
  EXPECT_TRUE(on_loop(loop(), ask_once(first(), keeper_)));
}

TEST_P(bridge_test, an_exception_in_its_own_behavior_ends_it_and_fails_the_waiting) {
  first().on_message(caf::behavior{[](int) { throw std::runtime_error("in a behavior"); }});
  http::cancel_source never;
  auto waiting = begin_on(loop(), ask_held(first(), keeper_, &never, nullptr));
  caf::anon_send(first().handle(), 1);
  EXPECT_EQ(waiting.get().error().code, errc::shutting_down);
  EXPECT_EQ(on_loop(loop(), ask_once(first(), keeper_)).error().code, errc::shutting_down);
  EXPECT_TRUE(on_loop(loop(1), ask_once(*bridges_.at(1), keeper_)));
}

http::task<int> ask_many(bridge& from, caf::actor to, int times) {
  int granted = 0;
  for (int i = 0; i < times; ++i) {
    const auto answer = co_await from.ask<grant>(to, ask_atom::value);
    granted += answer.has_value() ? 1 : 0;
  }
  co_return granted;
}

TEST_P(bridge_test, every_one_of_many_questions_of_all_loops_is_answered) {
  constexpr int coroutines = 20;
  constexpr int times = 500;
  const auto pass = runtime_->system().spawn(passer, keeper_);
  std::vector<std::future<int>> all;
  for (std::size_t i = 0; i < loop_count; ++i)
    for (int n = 0; n < coroutines; ++n)
      all.push_back(begin_on(loop(i), ask_many(*bridges_[i], n % 2 == 0 ? pass : keeper_, times)));
  for (auto& x : all)
    EXPECT_EQ(x.get(), times);
  end(pass);
}

/// Cancels its own ask from another coroutine of the loop, at varying moments.
http::task<int> ask_and_cancel(bridge& from, caf::actor to, http::event_loop& on, int times) {
  int answered = 0;
  for (int i = 0; i < times; ++i) {
    http::cancel_source cancel;
    on.post([](void* c) { static_cast<http::cancel_source*>(c)->cancel(); }, &cancel);
    const auto answer = co_await from.ask<grant>(to, &cancel, &count_late, ask_atom::value);
    answered += answer.has_value() ? 1 : 0;
    // The post must have run before `cancel` goes.
    while (!cancel.cancelled())
      co_await from.ask<grant>(to, ask_atom::value);
  }
  co_return answered;
}

TEST_P(bridge_test, each_of_many_cancelled_questions_is_answered_or_late_exactly_once) {
  late_grants = 0;
  constexpr int times = 500;
  constexpr int coroutines = 4;
  std::vector<std::future<int>> all;
  for (int i = 0; i < coroutines; ++i)
    all.push_back(begin_on(loop(), ask_and_cancel(first(), keeper_, loop(), times)));
  int answered = 0;
  for (auto& x : all)
    answered += x.get();
  std::size_t open = 1;
  while (open != 0)
    call_on(loop(), [&] { open = first().asks_open(); });
  EXPECT_EQ(answered + late_grants, coroutines * times);
}

TEST(bridge_in_a_foreign_system, asks_and_answers_on_a_plain_loop) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  http::event_loop loop;
  std::thread thread{[&] { loop.run(); }};
  collected_log log;
  {
    bridge door{loop, system, log};
    const auto pass = system.spawn(keeper);
    EXPECT_EQ(on_loop(loop, ask_many(door, pass, 200)), 200);
    end(pass);
  }
  loop.stop();
  thread.join();
}

} // namespace
} // namespace troupe
