#include "actors/cli/pool_views.hpp"
#include "tests/actors/cli/scripted_node.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

constexpr const char* id = "key_00000000000000ff";

TEST(cli_pool, is_shown_with_who_waits_and_who_seems_to_share) {
  commanded c;
  c.node.answer("GET /admin/v1/pool", 200,
                R"({"strategy":"weighted","keys":{"total":1200,"ready":1100,"cooling":90,)"
                R"("disabled":10},"waiting":{"count":7,"longest_ms":1500},"suspected_sharing":[)"
                R"({"keys":["key_1","key_2"],"why":"throttled together 5 times"}]})");
  EXPECT_EQ(c("pool"), 0) << c.err;
  EXPECT_EQ(c.out, "strategy  weighted\n"
                   "keys      1,200: 1,100 ready, 90 cooling, 10 disabled\n"
                   "waiting   7 requests, the longest for 1.5 s\n"
                   "\n"
                   "SEEM TO SHARE A QUOTA  BECAUSE\n"
                   "key_1, key_2           throttled together 5 times\n");
}

TEST(cli_pool, tells_when_nobody_waits) {
  commanded c;
  c.node.answer("GET /admin/v1/pool", 200,
                R"({"strategy":"weighted","keys":{"total":1,"ready":1,"cooling":0,"disabled":0},)"
                R"("waiting":{"count":0,"longest_ms":0},"suspected_sharing":[]})");
  EXPECT_EQ(c("pool"), 0) << c.err;
  EXPECT_EQ(c.out, "strategy  weighted\n"
                   "keys      1: 1 ready, 0 cooling, 0 disabled\n"
                   "waiting   nobody\n");
}

TEST(cli_upstreams, are_listed_with_what_is_wrong_with_them) {
  commanded c;
  c.node.answer(
      "GET /admin/v1/upstreams", 200,
      R"({"upstreams":[{"name":"g","kind":"gemini","base_url":"https://a","limits":{},)"
      R"("keys":{"total":4,"ready":1,"cooling":2,"probing":0,"disabled":1},"breakers":[)"
      R"({"model":null,"state":"closed","since":null,"why":null,"calls":3,"failures":0,)"
      R"("retry_in_ms":null},{"model":"m","state":"open","since":null,"why":"x","calls":5,)"
      R"("failures":5,"retry_in_ms":800}]},{"name":"o","kind":"openai","base_url":"https://b",)"
      R"("limits":{},"keys":{"total":0,"ready":0,"cooling":0,"probing":0,"disabled":0},)"
      R"("breakers":[]}]})");
  EXPECT_EQ(c("upstreams"), 0) << c.err;
  EXPECT_EQ(
      c.out,
      "NAME  KIND    BASE URL   KEYS  READY  COOLING  DISABLED  BREAKER\n"
      "g     gemini  https://a     4      1        2         1  open for m, tries again in 800 ms\n"
      "o     openai  https://b     0      0        0         0\n");
}

TEST(cli_keys, show_draws_what_is_used_and_left_of_each_limit) {
  commanded c;
  c.node.answer(
      std::string{"GET /admin/v1/keys/"} + id, 200,
      key_json(id, R"("shares_domain":true,"slow_start":2,"proxy_in_use":"http://p:1",)"
                   R"("next_recheck_at":"2026-11-25T08:05:00.000Z","quota":[)"
                   R"({"model":null,"kind":"rpm","source":"declared","limit":10,"used":4,"left":6,)"
                   R"("excess":0,"frees_in_ms":1250,"resets_at":null},)"
                   R"({"model":"m","kind":"rpd","source":"told","limit":100,"used":130,"left":0,)"
                   R"("excess":0,"frees_in_ms":null,"resets_at":"2026-11-25T10:00:00.000Z"}])"));
  EXPECT_EQ(c(std::string{"keys show "} + id), 0) << c.err;
  EXPECT_NE(c.out.find("goes out by    http://p:1\n"), std::string::npos) << c.out;
  EXPECT_NE(c.out.find("slow start     2 calls at one time\n"), std::string::npos) << c.out;
  EXPECT_NE(c.out.find("checked again  2026-11-25 08:05:00 UTC (in 5 min)\n"), std::string::npos)
      << c.out;
  const auto table = c.out.find("\nshared with other keys:\n");
  ASSERT_NE(table, std::string::npos) << c.out;
  EXPECT_EQ(c.out.substr(table), "\nshared with other keys:\n"
                                 "LIMIT  MODEL   OF  USED  LEFT  FREES IN  RESETS  SOURCE\n"
                                 "rpm    all     10     4     6     1.2 s          declared\n"
                                 "rpd    m      100   130     0            in 2 h  told\n");
}

TEST(cli_explain, tells_which_keys_there_were_and_what_was_tried) {
  commanded c;
  c.node.answer(
      "GET /admin/v1/requests/r%2F7/explain", 200,
      R"({"request_id":"r/7","at":"2026-11-25T07:57:00.000Z","surface":"openai",)"
      R"("model_asked":"best","model":"gemini-2.5-pro","credential":"app","status":200,)"
      R"("choices":[{"at":null,"chosen":"key_1","outcome":"sent","members":3,"usable":2,"tier":0,)"
      R"("by_affinity":true,"waited_ms":12,"looked":[{"key":"key_1","score":0.25}],)"
      R"("turned":[{"key":"key_3","why":"no room within its limits","wait_ms":null}]}],)"
      R"("attempts":[{"key":"key_1","upstream":"g","model":"gemini-2.5-pro",)"
      R"("class":"quota_minute","status":429,"wait_ms":1500,"message":"too fast"}]})");
  EXPECT_EQ(c("explain r/7"), 0) << c.err;
  EXPECT_EQ(c.out,
            "request     r/7\n"
            "at          2026-11-25 07:57:00 UTC (3 min ago)\n"
            "surface     openai\n"
            "model       best, which means gemini-2.5-pro\n"
            "credential  app\n"
            "status      200\n"
            "\n"
            "OUTCOME  KEY    USABLE  TIER  WAITED  BECAUSE\n"
            "sent     key_1  2 of 3     0   12 ms  it had this session before\n"
            "\n"
            "LOOKED AT  SCORE\n"
            "key_1       0.25\n"
            "\n"
            "PASSED OVER  BECAUSE                    FREE IN\n"
            "key_3        no room within its limits\n"
            "\n"
            "KEY    UPSTREAM  MODEL           CLASS         STATUS  TOLD TO WAIT  MESSAGE\n"
            "key_1  g         gemini-2.5-pro  quota_minute     429         1.5 s  too fast\n");
}

TEST(cli_explain, a_request_that_is_forgotten_has_the_exit_code_of_what_is_not_found) {
  commanded c;
  c.node.answer("GET /admin/v1/requests/r/explain", 404,
                R"({"error":{"code":"not_found","message":"only recent ones are remembered",)"
                R"("request_id":"x"}})");
  EXPECT_EQ(c("explain r"), 6);
  EXPECT_NE(c.err.find("only recent"), std::string::npos) << c.err;
}

TEST(cli_spans, are_as_long_as_somebody_reads_them) {
  EXPECT_EQ(cli::span_text(0), "0 ms");
  EXPECT_EQ(cli::span_text(999), "999 ms");
  EXPECT_EQ(cli::span_text(1'250), "1.2 s");
  EXPECT_EQ(cli::span_text(720'000), "12.0 min");
  EXPECT_EQ(cli::span_text(12'600'000), "3.5 h");
}

} // namespace
} // namespace troupe
