// What the admin port tells of the pool, of upstreams and of requests.

#include "tests/actors/admin/admin_stage.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

using nlohmann::json;

constexpr std::string_view key_path = "/admin/v1/keys/key_00000000000000ff";
constexpr std::int64_t noon = 1'795'593'600'000;

explained_request full_request() {
  explained_request r;
  r.request_id = "r-7";
  r.at_ms = noon;
  r.surface = "openai";
  r.model_asked = "best";
  r.model = "gemini-2.5-pro";
  r.credential = "app";
  r.status = 200;
  explained_choice c;
  c.at_ms = noon;
  c.chosen = 255;
  c.members = 3;
  c.usable = 2;
  c.tier = -1;
  c.by_affinity = true;
  c.looked = {{255, 0.25}, {16, 1}};
  c.turned = {{17, "no room within its limits", -1}, {18, "no room within its limits", 40}};
  c.waited_ms = 12;
  c.outcome = "sent";
  r.choices.push_back(c);
  r.choices.push_back({});
  r.attempts.push_back({255, "first", "gemini-2.5-pro", "quota_minute", 429, 1'500, "too fast"});
  r.attempts.push_back({16, "first", "gemini-2.5-pro", "upstream_fault", 0, -1, {}});
  return r;
}

TEST(admin_pool, a_key_shows_what_is_used_and_left_of_each_limit) {
  admin_stage stage;
  auto& k = stage.script().key;
  k.id = 255;
  k.status.quota = {{"", limit_kind::rpm, limit_source::declared, 10, 4, 0, 1'250, 0},
                    {"m", limit_kind::tpd, limit_source::told, 100, 130, 30, -1, noon},
                    {"", limit_kind::rpd, limit_source::estimated, 9, 0, 0, -1, noon}};
  k.status.shares_domain = true;
  k.status.slow_start = 2;
  k.status.next_recheck_at_ms = noon;
  k.status.proxy_shown = "http://10.0.0.1:3128";
  const auto x = stage.ask("GET", key_path);
  EXPECT_EQ(schema_fault(*x), "");
  const auto shown = json::parse(x->body);
  EXPECT_EQ(shown.at("quota")[0],
            json::parse(R"({"model":null,"kind":"rpm","source":"declared","limit":10,"used":4,
                            "left":6,"excess":0,"frees_in_ms":1250,"resets_at":null})"));
  EXPECT_EQ(shown.at("quota")[1].at("left"), 0) << "more than there was is used";
  EXPECT_EQ(shown.at("quota")[1].at("excess"), 30);
  EXPECT_EQ(shown.at("quota")[1].at("resets_at"), "2026-11-25T08:00:00.000Z");
  EXPECT_EQ(shown.at("quota")[2].at("source"), "estimated");
  EXPECT_EQ(shown.at("shares_domain"), true);
  EXPECT_EQ(shown.at("slow_start"), 2);
  EXPECT_EQ(shown.at("next_recheck_at"), "2026-11-25T08:00:00.000Z");
  EXPECT_EQ(shown.at("proxy_in_use"), "http://10.0.0.1:3128");
}

TEST(admin_pool, a_key_without_any_of_it_says_so) {
  admin_stage stage;
  stage.script().key.id = 255;
  const auto x = stage.ask("GET", key_path);
  EXPECT_EQ(schema_fault(*x), "");
  const auto shown = json::parse(x->body);
  EXPECT_EQ(shown.at("quota"), json::array());
  for (const auto* name : {"slow_start", "next_recheck_at", "proxy_in_use"})
    EXPECT_EQ(shown.at(name), nullptr) << name;
}

TEST(admin_pool, the_pool_is_shown_with_those_who_wait_and_suspected_sharing) {
  admin_stage stage;
  auto& p = stage.script().pool;
  p.strategy = pool_strategy::p2c_ewma;
  p.keys = 5;
  p.ready = 2;
  p.cooling = 2;
  p.disabled = 1;
  p.waiting = 7;
  p.longest_wait_ms = 1'500;
  p.sharing = {{{255, 16}, "throttled together 5 times"}};
  const auto x = stage.ask("GET", "/admin/v1/pool");
  ASSERT_EQ(x->status, 200) << x->body;
  EXPECT_EQ(schema_fault(*x), "");
  EXPECT_EQ(json::parse(x->body), json::parse(R"({"strategy":"p2c_ewma",
                            "keys":{"total":5,"ready":2,"cooling":2,"disabled":1},
                            "waiting":{"count":7,"longest_ms":1500},
                            "suspected_sharing":[{"keys":["key_00000000000000ff",
                              "key_0000000000000010"],"why":"throttled together 5 times"}]})"));
}

TEST(admin_pool, upstreams_are_shown_with_their_own_breakers) {
  admin_stage stage;
  stage.script().upstreams = {
      {"first", upstream_kind::gemini, "https://a", {{"", limit_kind::rpm, 10}}, 4, {1, 2, 0, 1}},
      {"second", upstream_kind::anthropic, "https://b", {}, 0, {}}};
  stage.breakers = {{"first", "m", breaker_state::open, noon, "5 of 5 calls failed", 5, 5, 800},
                    {"gone", "", breaker_state::closed, 0, "", 0, 0, -1},
                    {"second", "", breaker_state::closed, 0, "", 3, 1, -1}};
  const auto x = stage.ask("GET", "/admin/v1/upstreams");
  ASSERT_EQ(x->status, 200) << x->body;
  EXPECT_EQ(schema_fault(*x), "");
  const auto list = json::parse(x->body).at("upstreams");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0], json::parse(R"({"name":"first","kind":"gemini","base_url":"https://a",
                            "limits":{"rpm":10},
                            "keys":{"total":4,"ready":1,"cooling":2,"probing":0,"disabled":1},
                            "breakers":[{"model":"m","state":"open",
                              "since":"2026-11-25T08:00:00.000Z","why":"5 of 5 calls failed",
                              "calls":5,"failures":5,"retry_in_ms":800}]})"));
  EXPECT_EQ(list[1].at("kind"), "anthropic");
  EXPECT_EQ(list[1].at("breakers")[0].at("retry_in_ms"), nullptr);
  EXPECT_EQ(list[1].at("breakers")[0].at("why"), nullptr);
}

TEST(admin_pool, a_recent_request_is_explained) {
  admin_stage stage;
  stage.explained = {full_request()};
  const auto x = stage.ask("GET", "/admin/v1/requests/r-7/explain");
  ASSERT_EQ(x->status, 200) << x->body;
  EXPECT_EQ(schema_fault(*x), "");
  const auto told = json::parse(x->body);
  EXPECT_EQ(told.at("model_asked"), "best");
  EXPECT_EQ(told.at("choices")[0],
            json::parse(R"({"at":"2026-11-25T08:00:00.000Z","chosen":"key_00000000000000ff",
                            "outcome":"sent","members":3,"usable":2,"tier":-1,"by_affinity":true,
                            "waited_ms":12,
                            "looked":[{"key":"key_00000000000000ff","score":0.25},
                                      {"key":"key_0000000000000010","score":1.0}],
                            "turned":[{"key":"key_0000000000000011",
                                       "why":"no room within its limits","wait_ms":null},
                                      {"key":"key_0000000000000012",
                                       "why":"no room within its limits","wait_ms":40}]})"));
  EXPECT_EQ(told.at("choices")[1].at("chosen"), nullptr);
  EXPECT_EQ(told.at("attempts")[0], json::parse(R"({"key":"key_00000000000000ff","upstream":"first",
                            "model":"gemini-2.5-pro","class":"quota_minute","status":429,
                            "wait_ms":1500,"message":"too fast"})"));
  EXPECT_EQ(told.at("attempts")[1].at("status"), nullptr);
}

TEST(admin_pool, a_request_that_is_not_remembered_is_not_found) {
  admin_stage stage;
  const auto x = stage.ask("GET", "/admin/v1/requests/r-7/explain");
  EXPECT_EQ(x->status, 404);
  EXPECT_EQ(schema_fault(*x), "");
  const auto error = json::parse(x->body).at("error");
  EXPECT_EQ(error.at("code"), "not_found");
  EXPECT_NE(error.at("message").get<std::string>().find("recent"), std::string::npos);
}

TEST(admin_pool, a_viewer_may_look_and_nobody_may_change) {
  admin_stage stage;
  stage.explained = {full_request()};
  const admin_stage::fields viewer{
      {"authorization", "Bearer " + std::string{admin_stage::viewer_secret}}};
  for (const auto* path :
       {"/admin/v1/pool", "/admin/v1/upstreams", "/admin/v1/requests/r-7/explain"}) {
    EXPECT_EQ(stage.ask_as("GET", path, {}, viewer)->status, 200) << path;
    EXPECT_EQ(stage.ask("POST", path)->status, 405) << path;
    EXPECT_EQ(stage.ask("GET", std::string{path} + "?colour=red")->status, 400) << path;
    EXPECT_EQ(stage.ask_as("GET", path, {}, {})->status, 401) << path;
  }
}

} // namespace
} // namespace troupe
