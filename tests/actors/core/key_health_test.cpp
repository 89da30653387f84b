#include "actors/core/key_health.hpp"
#include "actors/core/selection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using gemini::answer_class;
using gemini::answer_scope;

constexpr time_point t0{1h};
// 2026-01-15 01:00:00 UTC, 17:00 in Los Angeles: its midnight is 7 hours away.
constexpr wall_time w0{std::chrono::milliseconds{1'768'438'800'000}};

instants at(duration after = {}) {
  return {t0 + after, w0 + std::chrono::duration_cast<std::chrono::milliseconds>(after)};
}

gemini::verdict throttled(answer_class what, std::optional<std::chrono::milliseconds> wait = {}) {
  gemini::verdict v;
  v.what = what;
  v.scope = answer_scope::key_and_model;
  v.model = "flash";
  v.retry_after = wait;
  return v;
}

gemini::verdict plain(answer_class what, answer_scope scope = answer_scope::none) {
  gemini::verdict v;
  v.what = what;
  v.scope = scope;
  return v;
}

const auto forbidden = plain(answer_class::key_forbidden, answer_scope::key);
const auto ok = plain(answer_class::ok);

TEST(key_health, rests_for_exactly_as_long_as_the_upstream_asks) {
  key_health h;
  const auto effect = settle({}, h, "flash", throttled(answer_class::quota_minute, 46'500ms), at());
  EXPECT_EQ(effect, (health_effect{.changed = true, .standing = true, .urgent = true}));
  EXPECT_EQ(state_of(h, t0), key_state::cooling);
  EXPECT_FALSE(admit(h, "flash", t0 + 46'499ms).granted);
  EXPECT_TRUE(admit(h, "flash", t0 + 46'500ms).granted);
  EXPECT_EQ(state_of(h, t0 + 46'500ms), key_state::ready);
}

TEST(key_health, a_long_wait_that_the_upstream_names_is_not_capped) {
  key_health h;
  settle({}, h, "flash", throttled(answer_class::quota_unknown, 19h), at());
  EXPECT_FALSE(admit(h, "flash", t0 + 19h - 1ms).granted);
  EXPECT_TRUE(admit(h, "flash", t0 + 19h).granted);
}

TEST(key_health, a_throttled_model_leaves_the_others_alone) {
  key_health h;
  settle({}, h, "flash", throttled(answer_class::quota_minute, 30s), at());
  EXPECT_TRUE(admit(h, "pro", t0).granted);
}

TEST(key_health, rests_the_model_behind_an_alias_and_the_alias) {
  key_health h;
  settle({}, h, "flash-latest", throttled(answer_class::quota_minute, 30s), at());
  EXPECT_FALSE(admit(h, "flash-latest", t0).granted);
  EXPECT_FALSE(admit(h, "flash", t0).granted);
}

TEST(key_health, a_daily_quota_rests_until_midnight_in_los_angeles) {
  key_health h;
  settle({}, h, "flash", throttled(answer_class::quota_day), at());
  EXPECT_EQ(admit(h, "flash", t0).longest, (rest{t0 + 7h, key_reason::quota_day}));
  EXPECT_TRUE(admit(h, "flash", t0 + 7h).granted);
}

TEST(key_health, a_model_that_is_not_offered_rests_until_the_daily_reset) {
  key_health h;
  auto v = throttled(answer_class::quota_day, 60s);
  v.model_not_offered = true;
  settle({}, h, "flash", v, at());
  EXPECT_EQ(admit(h, "flash", t0).longest, (rest{t0 + 7h, key_reason::not_offered}));
}

TEST(key_health, guessed_rests_double_up_to_a_bound_and_start_anew_after_an_ok) {
  key_health h;
  duration now{};
  for (const auto expected : {1min, 2min, 4min, 8min, 10min, 10min}) {
    // The classifier gives its 60 s where the upstream gave none.
    settle({}, h, "flash", throttled(answer_class::quota_unknown, 60s), at(now));
    EXPECT_EQ(admit(h, "flash", t0 + now).longest.until, t0 + now + expected);
    now += expected;
  }
  settle({}, h, "flash", ok, at(now));
  EXPECT_EQ(h.models.size(), 0U);
  settle({}, h, "flash", throttled(answer_class::quota_unknown), at(now));
  EXPECT_EQ(admit(h, "flash", t0 + now).longest.until, t0 + now + 1min);
}

TEST(key_health, a_burst_of_throttles_counts_as_one) {
  key_health h;
  for (int i = 0; i < 20; ++i)
    settle({}, h, "flash", throttled(answer_class::quota_unknown), at());
  EXPECT_TRUE(admit(h, "flash", t0 + 1min).granted);
}

TEST(key_health, the_longer_of_two_rests_wins_in_any_order) {
  for (const bool longer_first : {true, false}) {
    key_health h;
    settle({}, h, "flash", throttled(answer_class::quota_minute, longer_first ? 50s : 20s), at());
    settle({}, h, "flash", throttled(answer_class::quota_minute, longer_first ? 20s : 50s), at());
    EXPECT_EQ(admit(h, "flash", t0).longest.until, t0 + 50s);
  }
}

TEST(key_health, an_ok_from_before_the_throttle_does_not_end_the_rest) {
  key_health h;
  settle({}, h, "flash", throttled(answer_class::quota_unknown), at());
  settle({}, h, "flash", ok, at(1s));
  EXPECT_FALSE(admit(h, "flash", t0 + 59s).granted);
  settle({}, h, "flash", throttled(answer_class::quota_unknown), at(60s));
  EXPECT_EQ(admit(h, "flash", t0 + 60s).longest.until, t0 + 60s + 2min);
}

TEST(key_health, is_disabled_after_the_configured_number_of_refusals_in_a_row) {
  key_health h;
  const health_effect counted{.changed = true, .standing = false, .urgent = true};
  EXPECT_EQ(settle({}, h, "flash", forbidden, at()), counted);
  EXPECT_EQ(settle({}, h, "flash", forbidden, at()), counted);
  EXPECT_TRUE(admit(h, "flash", t0).granted);
  settle({}, h, "flash", ok, at());
  EXPECT_EQ(h.strikes, 0U);
  for (int i = 0; i < 3; ++i)
    settle({}, h, "flash", forbidden, at(1s));
  EXPECT_TRUE(admit(h, "flash", t0).disabled);
  EXPECT_EQ(h.disabled, key_reason::forbidden);
  EXPECT_EQ(h.since, at(1s).wall);
}

TEST(key_health, refusals_that_name_a_model_rest_that_model_only) {
  auto v = plain(answer_class::key_forbidden, answer_scope::key_and_model);
  v.model = "pro";
  key_health h;
  for (int i = 0; i < 3; ++i)
    settle({}, h, "pro", v, at());
  EXPECT_TRUE(admit(h, "flash", t0).granted);
  EXPECT_EQ(admit(h, "pro", t0).longest, (rest{t0 + 7h, key_reason::forbidden}));
}

TEST(key_health, an_invalid_or_suspended_key_is_disabled_at_once) {
  for (const auto& [what, why] : {std::pair{answer_class::key_invalid, key_reason::invalid},
                                  std::pair{answer_class::key_suspended, key_reason::suspended}}) {
    key_health h;
    const auto effect = settle({}, h, "flash", plain(what, answer_scope::key), at());
    EXPECT_EQ(effect, (health_effect{.changed = true, .standing = true, .urgent = true}));
    EXPECT_EQ(state_of(h, t0), key_state::disabled);
    EXPECT_EQ(h.disabled, why);
    EXPECT_EQ(settle({}, h, "flash", plain(what, answer_scope::key), at()), health_effect{});
  }
}

TEST(key_health, what_is_not_the_keys_fault_never_hurts_it) {
  for (const auto what : {answer_class::resource_forbidden, answer_class::location,
                          answer_class::request_fault, answer_class::model_overloaded,
                          answer_class::upstream_timeout, answer_class::upstream_fault}) {
    key_health h;
    for (int i = 0; i < 1'000; ++i)
      EXPECT_EQ(settle({}, h, "flash", plain(what), at()), health_effect{}) << to_string(what);
    h.faults = 0; // shown only
    EXPECT_EQ(h, key_health{}) << to_string(what);
  }
}

TEST(key_health, a_late_ok_does_not_enable_a_disabled_key) {
  key_health h;
  settle({}, h, "flash", plain(answer_class::key_invalid), at());
  settle({}, h, "flash", ok, at());
  EXPECT_EQ(h.disabled, key_reason::invalid);
}

TEST(key_health, the_operators_word_outlasts_the_upstreams) {
  key_health h;
  disable(h, key_reason::by_operator, at());
  settle({}, h, "flash", plain(answer_class::key_suspended), at());
  EXPECT_EQ(h.disabled, key_reason::by_operator);
  key_health g;
  settle({}, g, "flash", plain(answer_class::key_invalid), at());
  settle({}, g, "flash", plain(answer_class::key_suspended), at());
  EXPECT_EQ(g.disabled, key_reason::suspended);
  disable(g, key_reason::by_operator, at());
  EXPECT_EQ(g.disabled, key_reason::by_operator);
}

TEST(key_health, enabling_keeps_rests_and_reset_clears_all) {
  key_health h;
  settle({}, h, "flash", throttled(answer_class::quota_minute, 30s), at());
  settle({}, h, "flash", plain(answer_class::key_invalid), at());
  enable(h, at(1s));
  EXPECT_FALSE(admit(h, "flash", t0 + 1s).granted);
  EXPECT_TRUE(admit(h, "pro", t0 + 1s).granted);
  reset(h, at(2s));
  EXPECT_TRUE(admit(h, "flash", t0 + 2s).granted);
  EXPECT_EQ(h.since, at(2s).wall);
}

TEST(key_health, a_pause_rests_the_whole_key) {
  key_health h;
  pause(h, 10min, at());
  EXPECT_EQ(admit(h, "any", t0).longest, (rest{t0 + 10min, key_reason::by_operator}));
  EXPECT_TRUE(admit(h, "any", t0 + 10min).granted);
}

TEST(key_health, only_its_own_probe_brings_a_disabled_key_back) {
  key_health h;
  EXPECT_EQ(begin_probe(h, at()), health_effect{}); // a healthy key needs none
  settle({}, h, "flash", plain(answer_class::key_invalid), at());
  begin_probe(h, at());
  EXPECT_EQ(state_of(h, t0), key_state::probing);
  EXPECT_TRUE(admit(h, "flash", t0).disabled);
  end_probe(h, false, at());
  EXPECT_EQ(state_of(h, t0), key_state::disabled);
  begin_probe(h, at());
  end_probe(h, true, at());
  EXPECT_EQ(state_of(h, t0), key_state::ready);
}

TEST(key_health, tells_since_when_it_is_ready_again) {
  key_health h;
  settle({}, h, "flash", throttled(answer_class::quota_minute, 30s), at());
  EXPECT_EQ(h.since, w0);
  EXPECT_EQ(tidy(h, at(29s)), health_effect{});
  EXPECT_EQ(tidy(h, at(50s)), health_effect{.changed = true});
  EXPECT_EQ(h.since, at(30s).wall);
  EXPECT_TRUE(h.models.empty());
}

TEST(key_health, too_many_models_rest_the_whole_key_rather_than_call_too_soon) {
  health_policy policy;
  policy.models_max = 4;
  key_health h;
  for (int i = 0; i < 6; ++i) {
    auto v = throttled(answer_class::quota_minute, std::chrono::seconds{30 + i});
    v.model = "m" + std::to_string(i);
    settle(policy, h, v.model, v, at());
  }
  EXPECT_EQ(h.models.size(), 4U);
  EXPECT_EQ(h.pause.until, t0 + 35s);
}

TEST(key_health, an_absurd_wait_does_not_overflow) {
  key_health h;
  settle({}, h, "flash", throttled(answer_class::quota_minute, std::chrono::milliseconds::max()),
         at());
  EXPECT_FALSE(admit(h, "flash", t0 + std::chrono::hours{24 * 365}).granted);
}

/// What may be chosen, as the pool is told it.
TEST(key_health, says_so_whenever_its_standing_changes) {
  std::mt19937 random(11);
  key_health h;
  duration now{};
  standing told;
  for (int i = 0; i < 20'000; ++i) {
    now += std::chrono::seconds{random() % 40};
    const auto t = at(now);
    health_effect effect;
    switch (random() % 12) {
    case 0:
      effect = enable(h, t);
      break;
    case 1:
      effect = pause(h, 90s, t);
      break;
    case 2:
      effect = begin_probe(h, t);
      break;
    case 3:
      effect = end_probe(h, random() % 2 == 0, t);
      break;
    default: {
      auto v = throttled(static_cast<answer_class>(random() % 13));
      v.scope = random() % 4 == 0 ? answer_scope::key : answer_scope::key_and_model;
      if (random() % 2 == 0)
        v.retry_after = std::chrono::milliseconds{random() % 100'000};
      effect = settle({}, h, random() % 2 == 0 ? "flash" : "pro", v, t);
    }
    }
    auto is = standing_of(h, t.now);
    if (effect.standing) {
      told = is;
    } else { // only time may have changed it: rests that are over
      std::erase_if(told.models, [&](const auto& m) { return m.until <= t.now; });
      if (told.until <= t.now) {
        told.until = {};
        told.per_day = false;
      }
      told.why = is.why; // for people: may be that of a rest which is over
      ASSERT_EQ(told, is) << i;
    }
    ASSERT_TRUE(!effect.standing || effect.changed);
    ASSERT_EQ(
        admit(h, "flash", t.now).granted,
        !is.disabled && is.until <= t.now
            && std::ranges::none_of(is.models, [](const auto& m) { return m.model == "flash"; }));
  }
}

} // namespace
} // namespace troupe
