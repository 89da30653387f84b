#include "tests/actors/front/front_stage.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace troupe {
namespace {

TEST(front_attempts, a_stream_tells_that_its_upstream_is_well_when_it_begins_and_once) {
  scripted_upstream upstream{"one"};
  front_stage s{front_stage::config_for(upstream), 1};
  const auto calls = [&] {
    const auto all = s.breakers->view(std::chrono::steady_clock::now());
    return all.empty() ? 0U : all.front().now.calls;
  };
  auto stream = s.begin_stream();
  EXPECT_EQ(calls(), 1U);
  upstream.end_streams();
  EXPECT_TRUE(stream.get().whole);
  EXPECT_EQ(calls(), 1U);
}

TEST(front_attempts, a_list_of_models_gives_its_place_among_the_credentials_calls_back) {
  scripted_upstream upstream{"one", {"gemini-2.0-flash"}};
  auto client = http::credential_of("client", "secret");
  client.id = 7;
  const auto config = front_stage::config_for(upstream, {client});
  config->models_ttl = duration::zero();
  front_stage s{config, 1, {1}, {{client.id, {{{}, limit_kind::concurrency, 1}}}}};
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(s.call("GET", "/v1/models").status, 200);
  EXPECT_EQ(upstream.requests(), 3U);
  EXPECT_EQ(s.generate().status, 200);
}

} // namespace
} // namespace troupe
