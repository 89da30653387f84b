#include "actors/inventory/job_board.hpp"

#include <gtest/gtest.h>

namespace troupe {

TEST(job_board, shows_a_job_from_its_begin_to_its_end) {
  wall_time now{std::chrono::milliseconds{1'000}};
  job_board jobs([&] { return now; });
  const auto id = jobs.begin("backup", "root", 10);
  EXPECT_EQ(jobs.running("backup"), 1U);
  EXPECT_TRUE(jobs.progress(id, 4, 10));
  now += std::chrono::milliseconds{500};
  jobs.end(id, job_state::done, "{}");
  const auto job = *jobs.find(id);
  EXPECT_EQ(job.done, 4U);
  EXPECT_EQ(job.started_at_ms, 1'000);
  EXPECT_EQ(job.ended_at_ms, 1'500);
  EXPECT_EQ(jobs.running("backup"), 0U);
}

TEST(job_board, tells_the_worker_that_somebody_wants_it_to_end) {
  job_board jobs([] { return wall_time{}; });
  const auto id = jobs.begin("keys.import", "root");
  EXPECT_TRUE(jobs.cancel(id));
  EXPECT_FALSE(jobs.progress(id, 1, 2));
  jobs.end(id, job_state::cancelled, "{}");
  EXPECT_FALSE(jobs.cancel(id)) << "it has ended";
  EXPECT_FALSE(jobs.cancel(99));
}

TEST(job_board, forgets_the_oldest_of_those_that_ended_and_none_that_runs) {
  job_board jobs([] { return wall_time{}; }, 2);
  const auto running = jobs.begin("a", "x");
  for (int i = 0; i < 5; ++i)
    jobs.end(jobs.begin("b", "x"), job_state::done, "{}");
  EXPECT_EQ(jobs.list().size(), 3U);
  EXPECT_TRUE(jobs.find(running));
  EXPECT_EQ(jobs.list().front().id, 6U);
}

} // namespace troupe
