#include "actors/core/breaker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <vector>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using enum breaker_outcome;
constexpr time_point t0{1h};
constexpr double middle = 0.5; ///< the jitter that changes no pause
constexpr double eager = 0.0;  ///< the jitter that every slow start lets through

/// One call that begins and ends at `now`.
void call(breaker& b, breaker_outcome what, time_point now) {
  const auto pass = b.allow(now, eager);
  ASSERT_TRUE(pass.allowed);
  b.note(pass.generation, what, now, middle);
}

void calls(breaker& b, int n, breaker_outcome what, time_point now) {
  for (int i = 0; i < n; ++i)
    call(b, what, now);
}

breaker opened(const breaker_policy& policy = {}) {
  breaker b{policy};
  calls(b, 10, failed, t0);
  return b;
}

/// Half open, and no probe under way.
breaker half_opened() {
  auto b = opened();
  call(b, neutral, t0 + 2s);
  return b;
}

/// Closed again at t0 + 2 s.
breaker recovered() {
  auto b = opened();
  calls(b, 2, ok, t0 + 2s);
  return b;
}

TEST(breaker, begins_closed_and_lets_everything_through) {
  breaker b;
  EXPECT_EQ(b.state(), breaker_state::closed);
  EXPECT_TRUE(b.allow(t0, 0.999).allowed);
  EXPECT_EQ(b.describe(t0).why, "");
}

// Every state and every outcome.

TEST(breaker, closed_and_ok_or_neutral_it_stays_closed) {
  breaker b;
  calls(b, 1'000, ok, t0);
  calls(b, 1'000, neutral, t0);
  EXPECT_EQ(b.state(), breaker_state::closed);
}

TEST(breaker, closed_it_opens_when_the_share_of_failures_is_reached) {
  breaker b;
  for (int i = 0; i < 4; ++i) {
    call(b, ok, t0);
    call(b, failed, t0);
  }
  call(b, ok, t0);
  EXPECT_EQ(b.state(), breaker_state::closed); // 4 of 9
  call(b, failed, t0);
  EXPECT_EQ(b.state(), breaker_state::open); // 5 of 10
  EXPECT_EQ(b.describe(t0).why, "5 of 10 calls within 10 s failed");
}

TEST(breaker, closed_it_stays_closed_below_the_share) {
  breaker b;
  for (int i = 0; i < 1'000; ++i) {
    calls(b, 2, ok, t0);
    call(b, failed, t0);
  }
  EXPECT_EQ(b.state(), breaker_state::closed);
}

TEST(breaker, closed_few_failures_open_nothing) {
  breaker b;
  calls(b, 9, failed, t0);
  EXPECT_EQ(b.state(), breaker_state::closed);
}

TEST(breaker, closed_failures_that_left_the_window_do_not_count) {
  breaker b;
  calls(b, 8, failed, t0);
  call(b, ok, t0);
  calls(b, 9, failed, t0 + 10s);
  EXPECT_EQ(b.state(), breaker_state::closed);
  EXPECT_EQ(b.describe(t0 + 10s).calls, 9U);
  EXPECT_EQ(b.describe(t0 + 10s).failures, 9U);
}

TEST(breaker, closed_many_failures_in_a_row_open_it_however_slowly_they_come) {
  breaker b;
  calls(b, 100, ok, t0);
  for (int i = 1; i < 10; ++i)
    call(b, failed, t0 + i * 1min);
  EXPECT_EQ(b.state(), breaker_state::closed);
  call(b, failed, t0 + 10min);
  EXPECT_EQ(b.state(), breaker_state::open);
  EXPECT_EQ(b.describe(t0 + 10min).why, "the last 10 calls failed");
}

TEST(breaker, closed_neutral_neither_counts_nor_breaks_a_row) {
  breaker b;
  for (int i = 0; i < 9; ++i) {
    call(b, failed, t0);
    call(b, neutral, t0);
  }
  EXPECT_EQ(b.describe(t0).calls, 9U);
  call(b, failed, t0);
  EXPECT_EQ(b.state(), breaker_state::open);
}

TEST(breaker, open_it_lets_nothing_through_and_says_how_long) {
  auto b = opened();
  const auto pass = b.allow(t0 + 500ms, eager);
  EXPECT_FALSE(pass.allowed);
  EXPECT_EQ(pass.retry_in, 1'500ms);
  EXPECT_EQ(b.describe(t0 + 500ms).retry_in, 1'500ms);
  EXPECT_EQ(b.describe(t0 + 500ms).since, t0);
}

TEST(breaker, open_no_result_of_an_older_call_changes_it) {
  breaker b;
  const auto old = b.allow(t0, eager);
  calls(b, 10, failed, t0);
  for (const auto what : {ok, failed, neutral})
    b.note(old.generation, what, t0 + 1s, middle);
  EXPECT_EQ(b.state(), breaker_state::open);
  EXPECT_EQ(b.allow(t0 + 1s, eager).retry_in, 1s);
}

TEST(breaker, open_it_becomes_half_open_with_the_first_call_after_the_pause) {
  auto b = opened();
  EXPECT_FALSE(b.allow(t0 + 2s - 1ns, eager).allowed);
  EXPECT_EQ(b.describe(t0 + 3s).retry_in, 0s);
  EXPECT_TRUE(b.allow(t0 + 3s, 0.999).allowed);
  EXPECT_EQ(b.state(), breaker_state::half_open);
}

TEST(breaker, half_open_so_many_probes_go_through_at_a_time) {
  auto b = opened();
  EXPECT_TRUE(b.allow(t0 + 2s, eager).allowed);
  EXPECT_TRUE(b.allow(t0 + 2s, eager).allowed);
  const auto third = b.allow(t0 + 2s, eager);
  EXPECT_FALSE(third.allowed);
  EXPECT_GT(third.retry_in, 0s);
}

TEST(breaker, half_open_successes_in_a_row_close_it) {
  auto b = half_opened();
  call(b, ok, t0 + 2s);
  EXPECT_EQ(b.state(), breaker_state::half_open);
  EXPECT_EQ(b.describe(t0 + 2s).why,
            "the last 10 calls failed; probes: 0 under way, 1 of 2 succeeded");
  call(b, ok, t0 + 2s);
  EXPECT_EQ(b.state(), breaker_state::closed);
}

TEST(breaker, half_open_one_failure_opens_it_again) {
  auto b = half_opened();
  call(b, ok, t0 + 2s);
  call(b, failed, t0 + 2s);
  EXPECT_EQ(b.state(), breaker_state::open);
  EXPECT_EQ(b.describe(t0 + 2s).why, "a probe failed");
}

TEST(breaker, half_open_a_cancelled_probe_gives_its_place_back_and_says_nothing) {
  auto b = opened();
  const auto one = b.allow(t0 + 2s, eager);
  const auto two = b.allow(t0 + 2s, eager);
  b.note(one.generation, ok, t0 + 2s, middle);
  b.note(two.generation, neutral, t0 + 2s, middle);
  EXPECT_EQ(b.state(), breaker_state::half_open);
  call(b, ok, t0 + 2s);
  EXPECT_EQ(b.state(), breaker_state::closed);
}

TEST(breaker, half_open_results_of_calls_from_before_it_opened_are_no_probes) {
  breaker b;
  const auto old = b.allow(t0, eager);
  calls(b, 10, failed, t0);
  const auto probe = b.allow(t0 + 2s, eager);
  b.note(old.generation, failed, t0 + 2s, middle);
  EXPECT_EQ(b.state(), breaker_state::half_open);
  b.note(old.generation, ok, t0 + 2s, middle);
  b.note(old.generation, ok, t0 + 2s, middle);
  EXPECT_EQ(b.state(), breaker_state::half_open);
  b.note(probe.generation, ok, t0 + 2s, middle);
  call(b, ok, t0 + 2s);
  EXPECT_EQ(b.state(), breaker_state::closed);
}

TEST(breaker, half_open_a_late_probe_of_an_earlier_half_opening_does_not_count) {
  auto b = opened();
  const auto one = b.allow(t0 + 2s, eager);
  const auto late = b.allow(t0 + 2s, eager);
  b.note(one.generation, failed, t0 + 2s, middle);
  call(b, neutral, t0 + 6s);
  b.note(late.generation, failed, t0 + 6s, middle);
  EXPECT_EQ(b.state(), breaker_state::half_open);
}

TEST(breaker, half_open_a_probe_whose_result_is_never_told_does_not_block_it_for_ever) {
  auto b = opened();
  b.allow(t0 + 2s, eager);
  b.allow(t0 + 2s, eager);
  EXPECT_FALSE(b.allow(t0 + 62s - 1ns, eager).allowed);
  EXPECT_TRUE(b.allow(t0 + 62s, eager).allowed);
  EXPECT_TRUE(b.allow(t0 + 62s, eager).allowed);
  EXPECT_FALSE(b.allow(t0 + 62s, eager).allowed);
}

// Pauses.

TEST(breaker, pauses_double_each_time_it_opens_again_up_to_the_maximum) {
  auto b = opened();
  auto now = t0;
  for (const auto pause : {2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    EXPECT_EQ(b.describe(now).retry_in, pause);
    now += pause;
    call(b, failed, now);
  }
}

TEST(breaker, pauses_are_spread_over_75_to_125_percent) {
  const auto pause = [](double jitter) {
    breaker b;
    for (int i = 0; i < 10; ++i)
      b.note(b.allow(t0, eager).generation, failed, t0, jitter);
    return b.describe(t0).retry_in;
  };
  EXPECT_EQ(pause(0.0), 1'500ms);
  EXPECT_GT(pause(0.9999), 2'499ms);
  EXPECT_LT(pause(0.9999), 2'500ms);
}

TEST(breaker, opening_within_the_slow_start_lengthens_the_pause) {
  auto b = recovered();
  calls(b, 10, failed, t0 + 3s);
  EXPECT_EQ(b.describe(t0 + 3s).retry_in, 4s);
}

TEST(breaker, after_the_slow_start_pauses_begin_short_again) {
  auto b = recovered();
  calls(b, 10, failed, t0 + 12s);
  EXPECT_EQ(b.describe(t0 + 12s).retry_in, 2s);
}

// Slow start.

TEST(breaker, after_closing_the_share_grows_from_10_percent_to_all) {
  auto b = recovered();
  const auto let_through = [&](time_point now) {
    int n = 0;
    for (int i = 0; i < 1'000; ++i)
      n += b.allow(now, i / 1'000.0).allowed ? 1 : 0;
    return n;
  };
  EXPECT_NEAR(let_through(t0 + 2s), 100, 1);
  EXPECT_NEAR(let_through(t0 + 7s), 550, 1);
  EXPECT_EQ(let_through(t0 + 12s), 1'000);
}

TEST(breaker, the_slow_start_says_when_the_same_call_would_go_through) {
  auto b = recovered();
  EXPECT_EQ(b.describe(t0 + 7s).why, "slow start: 55 % of the calls are let through");
  const auto pass = b.allow(t0 + 2s, 0.55);
  ASSERT_FALSE(pass.allowed);
  EXPECT_NEAR(static_cast<double>(pass.retry_in.count()), 5e9, 1e3);
  EXPECT_TRUE(b.allow(t0 + 2s + pass.retry_in + 1us, 0.55).allowed);
}

TEST(breaker, a_slow_start_of_zero_lets_all_through_at_once) {
  auto b = opened({.slow_start = 0s});
  calls(b, 2, ok, t0 + 2s);
  EXPECT_TRUE(b.allow(t0 + 2s, 0.999).allowed);
}

TEST(breaker, what_was_counted_before_it_opened_is_forgotten_when_it_closes) {
  auto b = recovered();
  EXPECT_EQ(b.describe(t0 + 2s).calls, 0U);
  calls(b, 9, failed, t0 + 2s);
  EXPECT_EQ(b.state(), breaker_state::closed);
}

TEST(breaker, a_late_probe_does_not_count_after_closing) {
  auto b = opened();
  const auto late = b.allow(t0 + 2s, eager);
  calls(b, 1, ok, t0 + 2s);
  calls(b, 1, ok, t0 + 2s);
  b.note(late.generation, failed, t0 + 2s, middle);
  EXPECT_EQ(b.describe(t0 + 2s).calls, 0U);
}

// Policies.

TEST(breaker, zero_probes_are_read_as_one) {
  auto b = opened({.probes = 0});
  call(b, ok, t0 + 2s);
  EXPECT_EQ(b.state(), breaker_state::closed);
}

TEST(breaker, a_new_policy_is_in_force_for_the_next_call) {
  breaker b;
  calls(b, 4, failed, t0);
  b.change_policy({.calls_min = 5});
  call(b, failed, t0);
  EXPECT_EQ(b.state(), breaker_state::open);
}

TEST(breaker, a_new_window_begins_to_count_anew) {
  breaker b;
  calls(b, 9, failed, t0);
  call(b, ok, t0 + 1ms); // else the row would open it
  b.change_policy({.window = 1min});
  EXPECT_EQ(b.describe(t0).calls, 0U);
}

// Properties.

TEST(breaker, whatever_happens_never_more_probes_than_allowed_are_out_and_open_is_shut) {
  std::mt19937_64 random{3};
  std::uniform_real_distribution<double> jitter{0, 1};
  breaker b;
  struct flight {
    std::uint32_t generation;
    time_point begun;
  };
  std::vector<flight> flights;
  std::uint32_t newest = 0;
  int changes = 0;
  auto now = t0;
  for (int step = 0; step < 200'000; ++step) {
    now += std::chrono::milliseconds{random() % 50};
    const auto before = b.state();
    const bool ill = step / 5'000 % 2 == 0;
    if (random() % 2 == 0) {
      const auto pass = b.allow(now, jitter(random));
      ASSERT_TRUE(pass.allowed || pass.retry_in > 0s);
      if (pass.allowed) {
        ASSERT_NE(b.state(), breaker_state::open);
        flights.push_back({pass.generation, now});
        newest = pass.generation;
      }
    } else if (!flights.empty()) {
      const auto at = random() % flights.size();
      const auto dice = random() % 10;
      const auto what = dice == 0 ? neutral : (dice < 8) == ill ? failed : ok;
      b.note(flights[at].generation, what, now, jitter(random));
      flights.erase(flights.begin() + static_cast<std::ptrdiff_t>(at));
    }
    changes += b.state() != before ? 1 : 0;
    if (b.state() == breaker_state::half_open) {
      const auto probes = std::ranges::count_if(flights, [&](const flight& f) {
        return f.generation == newest && now - f.begun < 60s; // older ones are given up
      });
      ASSERT_LE(probes, 2);
    }
  }
  EXPECT_GT(changes, 50);
}

} // namespace
} // namespace troupe
