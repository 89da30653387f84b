#include "actors/recheck_run.hpp"

#include "actors/error.hpp"
#include "actors/messages.hpp"
#include "tests/actors/admin/admin_stage.hpp"

#include <caf/response_promise.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <numeric>
#include <set>
#include <vector>

namespace troupe {
namespace {

using keys = std::vector<std::uint64_t>;

/// What pool and inventory are to say, and what they were told. One loop runs all of it: a test
/// touches it only from there, or while nothing runs.
struct script {
  std::deque<keys> due; ///< an answer each; none left: the question stays open
  caf::error ends;      ///< the pool's answer after all of them, where it is set
  std::set<std::uint64_t> gone;
  int asked = 0;
  std::vector<check_outcome> told;
  std::vector<caf::response_promise> open;
};

caf::behavior scripted_pool(caf::event_based_actor* self, std::shared_ptr<script> s) {
  return {[self, s](take_rechecks_atom) -> caf::result<keys> {
            ++s->asked;
            if (s->due.empty()) {
              if (s->ends)
                return s->ends;
              return s->open.emplace_back(self->make_response_promise());
            }
            auto some = std::move(s->due.front());
            s->due.pop_front();
            return some;
          },
          [s](const check_outcome& c) {
            s->told.push_back(c);
            key_status status;
            status.key = c.key;
            return status;
          }};
}

/// Would fail a test by its lack of an answer if a check were reported as an operator's.
caf::behavior scripted_inventory(caf::event_based_actor*, std::shared_ptr<script> s) {
  return {[s](const reveal_key& q) {
    if (s->gone.contains(q.id))
      return answer<revealed_key>(
          refused{errc::not_found, "not_found", "There is no such key.", {}, 0});
    return answer<revealed_key>(revealed_key{secret{"sk-of-a-disabled-key"}, "first", {}});
  }};
}

class rechecks : public testing::Test {
protected:
  rechecks() {
    auto started = runtime::start(scheduler_kind::asio, 1);
    TROUPE_ASSERT(started.has_value());
    system_ = *std::move(started);
    door_ = std::make_unique<bridge>(loop(), system_->system(), log_);
    upstream_ = std::make_shared<fake_client>(loop());
    pool_ = system_->system().spawn(scripted_pool, script_);
    inventory_ = system_->system().spawn(scripted_inventory, script_);
    const auto find = [this](const std::string& name) {
      upstream_reach reach;
      reach.client = upstream_;
      reach.target.name = name;
      return std::optional<upstream_reach>{reach};
    };
    auto checker =
        std::make_shared<key_checker>(*door_, inventory_, find, loop(), [] { return wall_time{}; });
    run_ = std::make_unique<recheck_run>(*door_, pool_, std::move(checker), log_);
  }

  ~rechecks() override {
    call_on(loop(), [this] { run_.reset(); });
    for (auto* actor : {&inventory_, &pool_})
      caf::anon_send_exit(*actor, caf::exit_reason::user_shutdown);
    door_->stop();
    script_->open.clear();
    system_->stop();
    door_.reset();
  }

  http::event_loop& loop() { return *system_->loops().front(); }

  /// Begins, and runs until nothing happens any more but what is waited for.
  void run() {
    call_on(loop(), [this] { run_->begin(); });
    for (int turn = 0; turn < 2'000; ++turn)
      call_on(loop(), [] {});
  }

  std::vector<std::uint64_t> told_keys() {
    std::vector<std::uint64_t> all;
    for (const auto& c : script_->told)
      all.push_back(c.key);
    std::ranges::sort(all);
    return all;
  }

  static keys many(std::uint64_t count) {
    keys all(count);
    std::iota(all.begin(), all.end(), 1);
    return all;
  }

  std::shared_ptr<script> script_ = std::make_shared<script>();
  area_log log_;
  std::unique_ptr<runtime> system_;
  std::unique_ptr<bridge> door_;
  std::shared_ptr<fake_client> upstream_;
  caf::actor pool_;
  caf::actor inventory_;
  std::unique_ptr<recheck_run> run_;
};

TEST_F(rechecks, what_is_due_is_checked_and_told_to_the_pool) {
  script_->due = {{7}, {8, 9}};
  run();
  EXPECT_EQ(told_keys(), (keys{7, 8, 9}));
  EXPECT_EQ(script_->told[0].end.what, gemini::answer_class::ok);
  EXPECT_EQ(upstream_->targets.size(), 3U);
}

TEST_F(rechecks, a_key_that_is_still_refused_is_told_as_such) {
  upstream_->status = 400;
  upstream_->answer =
      R"({"error":{"code":400,"status":"INVALID_ARGUMENT","message":"sk-of-a-disabled-key is bad",
          "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}})";
  script_->due = {{7}};
  run();
  ASSERT_EQ(script_->told.size(), 1U);
  EXPECT_EQ(script_->told[0].end.what, gemini::answer_class::key_invalid);
  EXPECT_EQ(script_->told[0].end.message, "*** is bad");
}

TEST_F(rechecks, a_few_run_at_one_time_and_no_more_are_taken_before_these_have_begun) {
  script_->due = {many(20), {21}};
  int asked = 0;
  upstream_->before = [&](int calls) {
    if (calls == 19)
      asked = script_->asked;
  };
  run();
  EXPECT_EQ(told_keys(), many(21));
  EXPECT_EQ(upstream_->most, static_cast<int>(recheck_run::at_once_max));
  EXPECT_EQ(asked, 1);
}

TEST_F(rechecks, while_nothing_is_due_one_open_question_is_all) {
  run();
  EXPECT_EQ(script_->asked, 1);
  EXPECT_EQ(script_->open.size(), 1U);
  call_on(loop(), [this] { EXPECT_EQ(door_->asks_open(), 1U); });
  EXPECT_TRUE(upstream_->targets.empty());
}

TEST_F(rechecks, a_key_that_is_gone_is_passed_over) {
  script_->gone = {2};
  script_->due = {{1, 2, 3}};
  run();
  EXPECT_EQ(told_keys(), (keys{1, 3}));
  EXPECT_EQ(script_->asked, 2) << "it goes on";
}

TEST_F(rechecks, an_upstream_out_of_reach_says_nothing_of_the_key) {
  upstream_->no = failure(errc::connect_failed, "connection refused");
  script_->due = {{7}};
  run();
  ASSERT_EQ(script_->told.size(), 1U);
  EXPECT_EQ(script_->told[0].end.what, gemini::answer_class::upstream_fault);
  EXPECT_EQ(script_->told[0].end.scope, gemini::answer_scope::model);
}

TEST_F(rechecks, a_pool_that_stops_ends_them_without_a_word) {
  script_->due = {{7}};
  script_->ends = make_error(errc::shutting_down);
  run();
  EXPECT_EQ(script_->asked, 2);
  EXPECT_TRUE(script_->told.empty()) << "it takes no more";
  EXPECT_TRUE(log_.of(log_area::pool).empty());
}

TEST_F(rechecks, a_pool_that_is_gone_for_another_reason_is_told) {
  script_->ends = make_error(errc::corrupt);
  run();
  EXPECT_EQ(script_->asked, 1);
  EXPECT_EQ(log_.of(log_area::pool).size(), 1U);
}

TEST_F(rechecks, a_stop_cuts_what_runs) {
  script_->due = {many(20)};
  upstream_->before = [this](int calls) {
    if (calls == 6)
      run_->stop();
  };
  run();
  EXPECT_EQ(upstream_->targets.size(), 6U);
  EXPECT_LT(script_->told.size(), 6U);
  EXPECT_EQ(script_->asked, 1);
  call_on(loop(), [this] { EXPECT_EQ(door_->asks_open(), 0U); });
}

} // namespace
} // namespace troupe
