#include "client.hpp"

#include <gtest/gtest.h>

namespace sandbox::test {
namespace {

TEST(limit, requests_beyond_it_get_a_real_429_and_the_judge_counts_each) {
  host h;
  h.script(R"({"key":"k1","limits":[{"rpm":2}]})");
  EXPECT_EQ(h.post(generate, hello).status, 200);
  EXPECT_EQ(h.post(stream, hello).status, 200);
  EXPECT_EQ(h.judge()["violations"], 0);
  const auto r = h.post(generate, hello);
  EXPECT_EQ(r.status, 429);
  const auto e = r.parsed()["error"];
  EXPECT_EQ(e["status"], "RESOURCE_EXHAUSTED");
  EXPECT_EQ(e["details"][0]["violations"][0]["quotaValue"], "2");
  const auto wait = std::stod(e["details"][2]["retryDelay"].get<std::string>());
  EXPECT_GT(wait, 30);
  EXPECT_LE(wait, 60.001);
  const auto verdict = h.judge();
  EXPECT_EQ(verdict["violations"], 1);
  EXPECT_EQ(verdict["limits"][0]["most_in_a_window"], 3);
  EXPECT_EQ(h.counters("k1")[0]["answers"]["429"], 1);
  EXPECT_EQ(h.counters("k1")[0]["scripted"]["limit"], 1);
}

TEST(limit, a_raw_client_that_ignores_the_announced_wait_is_found) {
  host h;
  settings s;
  s.grace_ms = 0;
  h.inside().set_options(s);
  h.script(R"({"key":"k1","rules":[{"when":{"first":1},"error":"quota_minute","retry_s":3600}]})");
  EXPECT_EQ(h.post(generate, hello).status, 429);
  EXPECT_EQ(h.judge()["refusals_with_a_time"], 1);
  EXPECT_EQ(h.judge()["early"], 0);
  EXPECT_EQ(h.post(generate, hello).status, 200);
  EXPECT_EQ(h.judge()["early"], 1);
  EXPECT_EQ(h.judge()["evidence"][0]["key"], "k1");
}

TEST(limit, a_raw_client_that_waits_as_told_is_not_accused) {
  host h;
  settings s;
  s.grace_ms = 0;
  h.inside().set_options(s);
  h.script(R"({"key":"k1","rules":[{"when":{"first":1},"error":"quota_minute","retry_s":0.03},)"
           R"({"when":{"first":1},"delay_ms":0}]})");
  EXPECT_EQ(h.post(generate, hello).status, 429);
  // Another key's answer takes longer than the wait: time passes on a socket.
  h.script(R"({"key":"other","rules":[{"delay_ms":40}]})");
  EXPECT_EQ(h.post(generate, hello, "other").status, 200);
  EXPECT_EQ(h.post(generate, hello).status, 200);
  EXPECT_EQ(h.judge()["early"], 0);
}

TEST(limit, free_calls_neither_count_nor_are_early) {
  host h;
  settings s;
  s.grace_ms = 0;
  h.inside().set_options(s);
  h.script(R"({"key":"k1","limits":[{"rpm":1}]})");
  EXPECT_EQ(h.post(generate, hello).status, 200);
  EXPECT_EQ(h.post(generate, hello).status, 429);
  EXPECT_EQ(h.get("/v1beta/models").status, 200);
  EXPECT_EQ(h.post("/v1beta/models/gemini-2.5-flash:countTokens", hello).status, 200);
  EXPECT_EQ(h.judge()["violations"], 1);
  EXPECT_EQ(h.judge()["early"], 0);
}

TEST(limit, holds_per_key_and_model_unless_told_otherwise) {
  host h;
  const std::string pro = "/v1beta/models/gemini-2.5-pro:generateContent";
  h.script(R"({"key":"*","limits":[{"rpm":1}]})");
  EXPECT_EQ(h.post(generate, hello, "a").status, 200);
  EXPECT_EQ(h.post(generate, hello, "b").status, 200);
  EXPECT_EQ(h.post(pro, hello, "a").status, 200);
  EXPECT_EQ(h.post(pro, hello, "a").status, 429);
  h.script(R"({"key":"*","limits":[{"rpm":1,"scope":"key"}]})");
  EXPECT_EQ(h.post(generate, hello, "c").status, 200);
  EXPECT_EQ(h.post(pro, hello, "c").status, 429);
}

TEST(limit, keys_of_one_project_share_it) {
  host h;
  h.script(R"([{"key":"a","project":"p","limits":[{"rpm":1,"scope":"project"}]},)"
           R"({"key":"b","project":"p","limits":[{"rpm":1,"scope":"project"}]}])");
  EXPECT_EQ(h.post(generate, hello, "a").status, 200);
  EXPECT_EQ(h.post(generate, hello, "b").status, 429);
}

TEST(limit, of_a_day_announces_a_wait_far_too_short_and_lasts_to_midnight) {
  host h;
  settings s;
  s.grace_ms = 0;
  h.inside().set_options(s);
  h.script(R"({"key":"k1","limits":[{"rpd":1}]})");
  EXPECT_EQ(h.post(generate, hello).status, 200);
  const auto e = h.post(generate, hello).parsed()["error"];
  EXPECT_EQ(e["details"][0]["violations"][0]["quotaId"],
            "GenerateRequestsPerDayPerProjectPerModel-FreeTier");
  EXPECT_EQ(e["details"][2]["retryDelay"], "38.600s");
  h.post(generate, hello);
  EXPECT_EQ(h.judge()["early"], 1);
  EXPECT_EQ(h.judge()["violations"], 2);
}

TEST(limit, has_room_again_when_its_window_has_passed) {
  host h;
  h.script(R"([{"key":"k1","limits":[{"requests":1,"window_s":0.03}]},)"
           R"({"key":"other","rules":[{"delay_ms":40}]}])");
  EXPECT_EQ(h.post(generate, hello).status, 200);
  EXPECT_EQ(h.post(generate, hello, "other").status, 200);
  EXPECT_EQ(h.post(generate, hello).status, 200);
  EXPECT_EQ(h.judge()["violations"], 0);
}

TEST(control, plants_are_found_over_the_control_path) {
  host h;
  EXPECT_EQ(h.post("/_sandbox/judge/plant", "{}").status, 400);
  const auto r = h.post("/_sandbox/judge/plant", R"({"violation":true,"early":true})").parsed();
  EXPECT_EQ(r["planted"]["violations"]["found"], 1);
  EXPECT_EQ(r["planted"]["early"]["found"], 1);
  EXPECT_EQ(r["violations"], 0);
}

TEST(control, strict_keys_know_only_the_listed_and_the_scripted) {
  host h;
  EXPECT_EQ(h.post("/_sandbox/settings", R"({"strict_keys":true,"keys":["listed"]})").status, 200);
  h.script(R"({"key":"scripted"})");
  EXPECT_EQ(h.post(generate, hello, "listed").status, 200);
  EXPECT_EQ(h.post(generate, hello, "scripted").status, 200);
  const auto r = h.post(generate, hello, "other");
  EXPECT_EQ(r.status, 400);
  EXPECT_EQ(r.parsed()["error"]["details"][0]["reason"], "API_KEY_INVALID");
}

TEST(control, reset_forgets_everything_or_what_is_named) {
  host h;
  h.script(R"({"key":"*","limits":[{"rpm":0}]})");
  EXPECT_EQ(h.post(generate, hello).status, 429);
  EXPECT_EQ(h.post("/_sandbox/reset", R"({"judge":true})").status, 200);
  EXPECT_EQ(h.judge()["violations"], 0);
  EXPECT_EQ(h.counters().size(), 1);
  EXPECT_EQ(h.post(generate, hello).status, 429);
  EXPECT_EQ(h.post("/_sandbox/reset", "").status, 200);
  EXPECT_EQ(h.counters().size(), 0);
  EXPECT_EQ(h.post(generate, hello).status, 200);
}

TEST(control, counters_show_times_when_asked_and_keep_a_bounded_number) {
  host h;
  h.post("/_sandbox/settings", R"({"arrival_times_max":2})");
  for (int i = 0; i < 3; ++i)
    h.post(generate, hello, "k1");
  const auto j = h.get("/_sandbox/counters?key=k1&times=1").parsed();
  EXPECT_EQ(j["keys"][0]["arrivals"], 3);
  EXPECT_EQ(j["keys"][0]["arrival_times_ms"].size(), 2);
}

TEST(control, unknown_paths_and_settings_are_refused) {
  host h;
  EXPECT_EQ(h.get("/_sandbox/nothing").status, 404);
  EXPECT_EQ(h.post("/_sandbox/settings", R"({"strict":true})").status, 400);
  EXPECT_EQ(h.post("/_sandbox/settings", "x").status, 400);
}

TEST(counters, know_the_most_requests_in_flight_at_once) {
  host h;
  h.script(R"({"key":"*","rules":[{"delay_ms":30}]})");
  client a{h.port()}, b{h.port()};
  a.send(request_text("POST", generate, hello, "k1"));
  b.send(request_text("POST", generate, hello, "k1"));
  a.read_response();
  b.read_response();
  EXPECT_EQ(h.counters()[0]["in_flight_max"], 2);
  EXPECT_EQ(h.counters()[0]["in_flight"], 0);
}

} // namespace
} // namespace sandbox::test
