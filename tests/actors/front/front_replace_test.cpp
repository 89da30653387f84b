#include "tests/actors/front/front_stage.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(front_replace, a_stream_ends_where_it_began_and_the_next_request_goes_to_the_new_upstream) {
  scripted_upstream old_one{"old"};
  scripted_upstream new_one{"new"};
  front_stage s{front_stage::config_for(old_one), 1};
  auto stream = s.begin_stream();
  s.use(front_stage::config_for(new_one));
  const auto next = s.generate();
  EXPECT_EQ(next.status, 200);
  EXPECT_NE(next.body.find("new ends"), std::string::npos) << next.body;
  old_one.end_streams();
  const auto all = stream.get();
  EXPECT_EQ(all.status, 200);
  EXPECT_TRUE(all.whole);
  EXPECT_NE(all.body.find("old begins"), std::string::npos) << all.body;
  EXPECT_NE(all.body.find("old ends"), std::string::npos) << all.body;
  EXPECT_EQ(old_one.requests(), 1U);
}

TEST(front_replace, the_clients_of_an_old_upstream_go_with_its_last_exchange) {
  scripted_upstream old_one{"old"};
  scripted_upstream new_one{"new"};
  front_stage s{front_stage::config_for(old_one), 1};
  EXPECT_EQ(s.generate().status, 200);
  EXPECT_EQ(s.to_upstreams().connections_idle, 1U);
  auto stream = s.begin_stream(); // on the connection that rested
  s.use(front_stage::config_for(new_one));
  EXPECT_EQ(s.to_upstreams().connections_open, 1U) << "the stream still needs it";
  old_one.end_streams();
  EXPECT_TRUE(stream.get().whole);
  const auto c = s.to_upstreams();
  EXPECT_EQ(c.connections_open, 0U);
  EXPECT_EQ(c.connections_idle, 0U);
  EXPECT_EQ(c.connections_made, 1U) << "a count never goes back";
}

TEST(front_replace, connections_of_an_unchanged_upstream_stay_warm) {
  scripted_upstream upstream{"it"};
  front_stage s{front_stage::config_for(upstream), 1};
  EXPECT_EQ(s.generate().status, 200);
  auto changed = front_stage::config_for(upstream);
  changed->cors.origins = {"*"};
  changed->edition = 1;
  s.use(changed);
  EXPECT_EQ(s.generate().status, 200);
  const auto c = s.to_upstreams();
  EXPECT_EQ(c.requests, 2U);
  EXPECT_EQ(c.connections_made, 1U);
}

TEST(front_replace, a_credential_taken_away_is_refused_at_once_and_its_stream_goes_on) {
  scripted_upstream upstream{"it"};
  front_stage s{front_stage::config_for(upstream), 2};
  auto stream = s.begin_stream("secret");
  s.use(front_stage::config_for(upstream, {http::credential_of("other", "another")}));
  for (int i = 0; i < 4; ++i) { // on both loops
    EXPECT_EQ(s.generate("secret").status, 401);
    EXPECT_EQ(s.generate("another").status, 200);
  }
  upstream.end_streams();
  const auto all = stream.get();
  EXPECT_EQ(all.status, 200);
  EXPECT_TRUE(all.whole);
  EXPECT_NE(all.body.find("it ends"), std::string::npos) << all.body;
}

TEST(front_replace, a_thousand_changes_under_load_fail_no_request) {
  scripted_upstream even{"even"};
  scripted_upstream odd{"odd"};
  front_stage s{front_stage::config_for(even), 2};
  std::atomic<bool> end{false};
  std::atomic<std::uint64_t> calls{0};
  auto load = s.call_until(end, 8, calls);
  for (int i = 1; i <= 1'000; ++i) {
    auto next = front_stage::config_for(i % 2 == 0 ? even : odd);
    next->edition = static_cast<std::uint64_t>(i);
    s.use(std::move(next));
  }
  while (calls < 100) // a quick machine: there must have been a load
    s.use(front_stage::config_for(even));
  end = true;
  EXPECT_EQ(load.get(), 0U);
  EXPECT_GT(even.requests(), 0U);
  EXPECT_GT(odd.requests(), 0U);
  s.use(front_stage::config_for(odd));
  s.use(front_stage::config_for(even));
  EXPECT_EQ(s.to_upstreams().connections_open, 0U) << "nobody has called since, and all are new";
}

TEST(front_replace, a_key_of_an_upstream_that_is_no_more_is_never_sent_to_another) {
  scripted_upstream upstream{"it"};
  front_stage s{front_stage::config_for(upstream), 1, {2, 1}};
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(s.generate().status, 200);
  EXPECT_EQ(upstream.requests(), 6U);

  front_stage strangers{front_stage::config_for(upstream), 1, {2, 3}};
  const auto none = strangers.generate();
  EXPECT_EQ(none.status, 503);
  EXPECT_EQ(upstream.requests(), 6U);
}

TEST(front_replace, a_list_of_models_is_asked_for_anew_when_there_may_be_others) {
  scripted_upstream old_one{"old", {"gemini-old"}};
  scripted_upstream new_one{"new", {"gemini-new"}};
  front_stage s{front_stage::config_for(old_one), 1};
  EXPECT_NE(s.call("GET", "/v1/models").body.find("gemini-old"), std::string::npos);
  EXPECT_NE(s.call("GET", "/v1/models").body.find("gemini-old"), std::string::npos);
  EXPECT_EQ(old_one.requests(), 1U) << "kept for a while";
  auto changed = front_stage::config_for(new_one);
  changed->edition = 1;
  s.use(changed);
  const auto list = s.call("GET", "/v1/models").body;
  EXPECT_NE(list.find("gemini-new"), std::string::npos) << list;
  EXPECT_EQ(list.find("gemini-old"), std::string::npos) << list;
}

} // namespace
} // namespace troupe
