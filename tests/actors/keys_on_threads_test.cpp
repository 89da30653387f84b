#include "actors/key/pool_actor.hpp"
#include "actors/node_parts.hpp"
#include "actors/scheduling.hpp"
#include "actors/storage_actor.hpp"
#include "storage/key_states.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace troupe {
namespace {

class silent final : public log_sink {
public:
  bool wants(log_area, log_level) const override { return false; }
  void write(log_area, log_level, std::string_view, std::string_view) override {}
};

/// Pool, keys and storage as a node has them, on real threads.
class keys_on_threads : public testing::TestWithParam<scheduler_kind> {
protected:
  void SetUp() override { begin(); }
  void TearDown() override { end(); }

  void begin() {
    auto opened = storage::store::open({.directory = where_.path()});
    ASSERT_TRUE(opened) << opened.error().text;
    store_ = *std::move(opened);
    auto started = runtime::start(GetParam(), 2);
    ASSERT_TRUE(started) << started.error().text;
    runtime_ = *std::move(started);
    storage_ = spawn_storage(runtime_->system(), *store_, log_);
    std::vector<pool_key> keys;
    for (std::uint64_t key = 1; key <= keys_; ++key)
      keys.push_back({key, {}, secret{"secret-" + std::to_string(key)}});
    pool_ = spawn_pool(runtime_->system(), keys, {}, {}, storage_, *store_, log_);
  }

  /// As a node stops: no more leases, states handed in, written, then the actors end.
  void end() {
    if (!runtime_)
      return;
    {
      caf::scoped_actor self{runtime_->system()};
      const auto fail = [](const caf::error&) { ADD_FAILURE(); };
      self->request(pool_, caf::infinite, drain_atom::value).receive([] {}, fail);
      self->request(storage_, caf::infinite, flush_atom::value).receive([] {}, fail);
    }
    caf::anon_send_exit(pool_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(storage_, caf::exit_reason::user_shutdown);
    pool_ = nullptr;
    storage_ = nullptr;
    runtime_->stop();
    runtime_.reset();
    ASSERT_TRUE(store_->close());
  }

  /// Acquires and settles `calls` times; every tenth call is throttled for an hour, on a model
  /// that nobody else asks for. The number of leases that were granted.
  std::uint64_t serve(int calls, const std::string& throttled_model) {
    caf::scoped_actor self{runtime_->system()};
    std::uint64_t granted = 0;
    for (int i = 0; i < calls; ++i) {
      acquire_request request;
      request.model = i % 10 == 0 ? throttled_model : "flash";
      self->request(pool_, caf::infinite, std::move(request))
          .receive(
              [&](const acquire_reply& lease) {
                if (lease.grant != grant_kind::granted)
                  return;
                ++granted;
                settlement s;
                s.lease = lease.lease;
                s.model = i % 10 == 0 ? throttled_model : "flash";
                if (i % 10 == 0) {
                  s.what = gemini::answer_class::quota_minute;
                  s.scope = gemini::answer_scope::key_and_model;
                  s.concerned_model = throttled_model;
                  s.retry_after_ms = 3'600'000;
                }
                self->send(lease.key_actor, std::move(s));
              },
              [](const caf::error&) {});
    }
    return granted;
  }

  std::vector<key_status> list() {
    std::vector<key_status> all;
    caf::scoped_actor self{runtime_->system()};
    self->request(pool_, caf::infinite, list_keys_atom::value)
        .receive([&](std::vector<key_status>& l) { all = std::move(l); },
                 [](const caf::error&) { ADD_FAILURE(); });
    return all;
  }

  static constexpr std::uint64_t keys_ = 100;
  temporary_directory where_;
  silent log_;
  std::unique_ptr<storage::store> store_;
  std::unique_ptr<runtime> runtime_;
  caf::actor storage_;
  caf::actor pool_;
};

TEST_P(keys_on_threads, count_every_call_of_many_callers_once) {
  std::atomic<std::uint64_t> granted = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] { granted += serve(1'000, "pro"); });
  for (auto& caller : callers)
    caller.join();
  std::uint64_t counted = 0;
  std::uint64_t settled = 0;
  std::uint32_t in_flight = 0;
  for (const auto& key : list()) {
    counted += key.granted;
    in_flight += key.in_flight;
    for (const auto answers : key.answers)
      settled += answers;
  }
  EXPECT_EQ(counted, granted);
  EXPECT_EQ(settled, granted);
  EXPECT_EQ(in_flight, 0U);
  // 400 of the calls wanted "pro". Each of the keys serves it once and then rests; four callers
  // at once may be served by the same key before it knows.
  EXPECT_GE(granted, 3'600U + keys_);
  EXPECT_LE(granted, 3'600U + 4 * keys_);
}

TEST_P(keys_on_threads, keep_rests_and_counts_over_a_restart) {
  const auto granted = serve(1'000, "pro");
  EXPECT_EQ(granted, 1'000U); // 100 of them throttled, each on another key
  end();
  begin();
  std::uint64_t counted = 0;
  for (const auto& key : list()) {
    counted += key.granted;
    EXPECT_EQ(key.state, key_state::cooling);
  }
  EXPECT_EQ(counted, granted);
  EXPECT_EQ(serve(1, "pro"), 0U) << "every key still rests for this model";
}

TEST_P(keys_on_threads, serve_on_while_every_key_actor_crashes_once) {
  std::thread saboteur([&] {
    caf::scoped_actor self{runtime_->system()};
    for (std::uint64_t key = 1; key <= keys_; ++key) {
      acquire_request request;
      request.model = "flash";
      request.pinned = key;
      self->request(pool_, caf::infinite, std::move(request))
          .receive(
              [&](const acquire_reply& lease) {
                self->send_exit(lease.key_actor, caf::exit_reason::kill);
              },
              [](const caf::error&) { ADD_FAILURE(); });
    }
  });
  // A request that was on its way to an actor that died is answered with an error; all others
  // are served.
  EXPECT_GE(serve(2'000, "flash-lite"), 2'000U - 2 * keys_);
  saboteur.join();
  EXPECT_EQ(list().size(), keys_); // asks every actor, so each has met its end by now
  EXPECT_EQ(serve(1'000, "other"), 1'000U);
  std::uint64_t restarts = 0;
  for (const auto& key : list())
    restarts += key.restarts;
  EXPECT_EQ(restarts, keys_);
}

INSTANTIATE_TEST_SUITE_P(schedulers, keys_on_threads,
                         testing::Values(scheduler_kind::asio, scheduler_kind::sharing),
                         [](const auto& given) {
                           return given.param == scheduler_kind::asio ? "asio" : "sharing";
                         });

} // namespace
} // namespace troupe
