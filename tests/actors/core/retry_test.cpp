#include "actors/core/retry.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using gemini::answer_class;

gemini::verdict verdict_of(answer_class what) {
  gemini::verdict v;
  v.what = what;
  return v;
}

retry_decision after(answer_class what, retry_state& state, duration time_left = 1min,
                     int status = 0) {
  return decide_retry({}, state, verdict_of(what), time_left, 0.5, status);
}

TEST(retry, another_key_at_once_for_what_the_key_did) {
  for (const auto what :
       {answer_class::key_invalid, answer_class::key_suspended, answer_class::key_forbidden,
        answer_class::quota_day, answer_class::quota_minute, answer_class::quota_unknown}) {
    retry_state state;
    const auto next = after(what, state);
    EXPECT_EQ(next.what, retry_kind::again) << to_string(what);
    EXPECT_EQ(next.wait, duration::zero());
    EXPECT_FALSE(next.same_key_allowed);
  }
}

TEST(retry, never_for_what_no_key_can_help) {
  for (const auto what : {answer_class::ok, answer_class::resource_forbidden,
                          answer_class::location, answer_class::request_fault}) {
    retry_state state;
    EXPECT_EQ(after(what, state).what, retry_kind::give_up) << to_string(what);
  }
}

TEST(retry, never_after_the_first_visible_byte) {
  for (int c = 0; c <= static_cast<int>(answer_class::upstream_fault); ++c) {
    retry_state state{.visible = true};
    EXPECT_EQ(after(static_cast<answer_class>(c), state).what, retry_kind::give_up);
  }
}

TEST(retry, at_most_as_many_attempts_as_configured) {
  retry_state state;
  EXPECT_EQ(after(answer_class::quota_minute, state).what, retry_kind::again);
  EXPECT_EQ(after(answer_class::quota_minute, state).what, retry_kind::again);
  EXPECT_EQ(after(answer_class::quota_minute, state).what, retry_kind::give_up);
  EXPECT_EQ(state.attempts, 3U);
}

TEST(retry, never_begins_an_attempt_after_the_deadline) {
  retry_state state;
  EXPECT_EQ(after(answer_class::quota_minute, state, 0s).what, retry_kind::give_up);
  retry_state patient;
  EXPECT_EQ(after(answer_class::model_overloaded, patient, 1s).what, retry_kind::give_up);
  retry_state late;
  EXPECT_EQ(after(answer_class::model_overloaded, late, 1001ms).what, retry_kind::again);
}

TEST(retry, an_overload_backs_off_longer_each_time_and_gives_up_after_two_more) {
  const retry_policy many{.attempts_max = 10};
  retry_state state;
  const auto next = [&](double jitter) {
    return decide_retry(many, state, verdict_of(answer_class::model_overloaded), 1h, jitter);
  };
  EXPECT_EQ(next(0.5).wait, 1s);
  EXPECT_EQ(next(0.0).wait, 1500ms);
  EXPECT_EQ(next(0.5).what, retry_kind::give_up);
}

TEST(retry, waits_as_long_as_an_overloaded_upstream_asks_for) {
  retry_state state;
  auto v = verdict_of(answer_class::model_overloaded);
  v.retry_after = 20s;
  EXPECT_EQ(decide_retry({}, state, v, 1min, 0.5).wait, 20s);
}

TEST(retry, an_internal_error_is_tried_once_more_only) {
  const retry_policy many{.attempts_max = 10};
  retry_state state;
  const auto v = verdict_of(answer_class::upstream_fault);
  EXPECT_EQ(decide_retry(many, state, v, 1min, 0.5, 500).what, retry_kind::again);
  EXPECT_EQ(decide_retry(many, state, v, 1min, 0.5, 500).what, retry_kind::give_up);
}

TEST(retry, a_broken_connection_is_tried_again_also_on_the_same_key) {
  const retry_policy many{.attempts_max = 10};
  retry_state state;
  const auto v = verdict_of(answer_class::upstream_fault);
  for (int i = 0; i < 5; ++i) {
    const auto next = decide_retry(many, state, v, 1min, 0.5);
    EXPECT_EQ(next.what, retry_kind::again);
    EXPECT_TRUE(next.same_key_allowed);
    EXPECT_EQ(next.wait, duration::zero());
  }
}

} // namespace
} // namespace troupe
