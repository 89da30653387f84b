#pragma once

#include "protocol/base/log.hpp"
#include "protocol/base/time.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Keeps every line, for tests to look into.
class kept_log final : public log_sink {
public:
  bool wants(log_area, log_level) const override { return true; }
  void write(log_area, log_level level, std::string_view, std::string_view text) override {
    lines.push_back(std::string{to_string(level)} + " " + std::string{text});
  }
  bool has(std::string_view words) const {
    for (const auto& line : lines)
      if (line.find(words) != std::string::npos)
        return true;
    return false;
  }

  std::vector<std::string> lines;
};

/// An actor system on one thread, the test's, in which nothing happens by itself: actors run
/// inside `settle_down` and `pass`, and time moves only by `pass`.
class still_system {
public:
  still_system() : system_(still(config_)), self_(system_) {}

  ~still_system() { settle_down(); }

  caf::actor_system& system() { return system_; }
  caf::scoped_actor& self() { return self_; }

  time_point now() { return scheduler().clock().now(); }
  /// The wall clock: begins on 15 January 2026, 01:00 UTC, and keeps step with `now`.
  wall_time wall() {
    return wall_start + std::chrono::duration_cast<std::chrono::milliseconds>(now() - start_);
  }

  /// Runs until nobody has anything left to do at this instant.
  void settle_down() {
    while (scheduler().try_run_once())
      ;
  }

  /// Lets `span` pass. Whatever is due meanwhile happens at its own instant.
  void pass(duration span) {
    auto& clock = scheduler().clock();
    const auto end = clock.now() + span;
    settle_down();
    while (!clock.schedule().empty() && clock.schedule().begin()->first <= end) {
      clock.advance_time(std::max(clock.schedule().begin()->first - clock.now(), duration{}));
      settle_down();
    }
    clock.advance_time(end - clock.now());
    settle_down();
  }

  /// Whether anybody has asked to be woken up later.
  bool anything_due() { return !scheduler().clock().schedule().empty(); }

  /// Sends a request, runs, and gives the answer; nothing, and a test failure, for an error or
  /// if no answer came.
  template <class Reply, class... Message>
  std::optional<Reply> ask(const caf::actor& whom, Message&&... message) {
    std::optional<Reply> answer;
    std::string why = "no answer came";
    asking<Reply>(whom, answer, why, std::forward<Message>(message)...);
    if (!answer)
      ADD_FAILURE() << why;
    return answer;
  }

  /// The error that a request ends with; success if there is none.
  template <class... Message>
  caf::error error_of(const caf::actor& whom, Message&&... message) {
    caf::error got;
    auto request = self_->request(whom, caf::infinite, std::forward<Message>(message)...);
    settle_down();
    request.receive([] {}, [&](caf::error& e) { got = std::move(e); });
    return got;
  }

private:
  static constexpr wall_time wall_start{std::chrono::milliseconds{1'768'438'800'000}};

  static caf::actor_system_config& still(caf::actor_system_config& config) {
    config.set("scheduler.policy", caf::atom("testing"));
    return config;
  }

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }

  template <class Reply, class... Message>
  void asking(const caf::actor& whom, std::optional<Reply>& answer, std::string& why,
              Message&&... message) {
    // An actor of its own takes the answer: a blocking receive would wait for ever for one
    // that does not come.
    auto asker = system_.spawn([&](caf::event_based_actor* a) {
      a->request(whom, caf::infinite, std::forward<Message>(message)...)
          .then([&](Reply& r) { answer = std::move(r); },
                [&](const caf::error& e) { why = system_.render(e); });
    });
    settle_down();
    self_->send_exit(asker, caf::exit_reason::kill);
    asker = nullptr;
    settle_down();
  }

  caf::actor_system_config config_;
  caf::actor_system system_;
  caf::scoped_actor self_;
  time_point start_ = now();
};

} // namespace troupe
