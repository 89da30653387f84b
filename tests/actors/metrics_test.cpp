#include "actors/metrics.hpp"

#include <gtest/gtest.h>

namespace troupe {
using namespace std::chrono_literals;

TEST(histogram, a_span_falls_into_the_first_bucket_that_holds_it) {
  histogram h;
  h.add(1ms);
  h.add(1001us);
  h.add(10min);
  EXPECT_EQ(h.bucket(3), 1u); // up to 1 ms, bound included
  EXPECT_EQ(h.bucket(4), 1u);
  EXPECT_EQ(h.bucket(histogram::bounds_s.size()), 1u);
  EXPECT_NEAR(h.sum_s(), 600.002, 0.001);
}

TEST(metrics, fronts_are_added_up) {
  front_metrics a, b;
  a.retries.add(2);
  b.retries.add(3);
  a.requests[static_cast<std::size_t>(surface::openai)][2].add();
  a.request_time.add(3ms);
  b.request_time.add(4ms);
  metrics_facts facts;
  facts.version = "9.8.7";
  facts.keys_disabled = 4;
  const auto page = render_metrics({&a, &b}, facts);
  EXPECT_NE(page.find("\ntroupe_retries_total 5\n"), std::string::npos);
  EXPECT_NE(page.find("troupe_requests_total{surface=\"openai\",class=\"2xx\"} 1\n"),
            std::string::npos);
  EXPECT_NE(page.find("troupe_request_duration_seconds_bucket{le=\"0.005\"} 2\n"),
            std::string::npos);
  EXPECT_NE(page.find("troupe_request_duration_seconds_count 2\n"), std::string::npos);
  EXPECT_NE(page.find("troupe_build_info{version=\"9.8.7\"} 1\n"), std::string::npos);
  EXPECT_NE(page.find("troupe_keys{health=\"disabled\"} 4\n"), std::string::npos);
}

} // namespace troupe
