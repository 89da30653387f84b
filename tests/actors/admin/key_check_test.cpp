#include "tests/actors/admin/admin_stage.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace troupe {
namespace {

using nlohmann::json;

constexpr std::string_view check_path = "/admin/v1/keys/key_00000000000000ff:check";
constexpr std::string_view bad_key =
    R"({"error":{"code":400,"status":"INVALID_ARGUMENT","message":"API key not valid: AIzaSyRevealed-0123456789-0123456789abc is bad.",
        "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}})";

TEST(key_check, asks_for_the_shortest_list_of_models_with_the_key) {
  admin_stage stage;
  const auto x = stage.ask("POST", check_path);
  ASSERT_EQ(x->status, 200) << x->body;
  EXPECT_EQ(schema_fault(*x), "");
  EXPECT_EQ(stage.upstream->targets,
            std::vector<std::string>{"GET /base/v1beta/models?pageSize=1"});
  EXPECT_EQ(stage.upstream->heads[0],
            "x-more: 1\r\nx-goog-api-key: AIzaSyRevealed-0123456789-0123456789abc\r\n");
  const auto check = json::parse(x->body).at("check");
  EXPECT_EQ(check.at("ok"), true);
  EXPECT_EQ(check.at("class"), "ok");
  EXPECT_EQ(check.at("status"), 200);
  EXPECT_EQ(check.at("message"), nullptr);
  const auto& report = stage.script().last<report_check>();
  EXPECT_EQ(report.id, 255U);
  EXPECT_EQ(report.by.who, "boss");
  EXPECT_EQ(report.end.what, gemini::answer_class::ok);
}

TEST(key_check, counts_tokens_where_there_is_no_list_of_models) {
  admin_stage stage;
  stage.kind = upstream_kind::vertex;
  ASSERT_EQ(stage.ask("POST", check_path)->status, 200);
  EXPECT_EQ(stage.upstream->targets[0],
            "POST /base/v1beta1/publishers/google/models/gemini-2.5-flash:countTokens");
  EXPECT_TRUE(json::accept(stage.upstream->bodies[0]));
  EXPECT_NE(stage.upstream->heads[0].find("content-type: application/json\r\n"), std::string::npos);
}

TEST(key_check, reads_the_models_of_upstreams_that_speak_other_protocols) {
  admin_stage stage;
  stage.kind = upstream_kind::openai;
  ASSERT_EQ(stage.ask("POST", check_path)->status, 200);
  EXPECT_EQ(stage.upstream->targets[0], "GET /base/v1/models");
  EXPECT_EQ(stage.upstream->heads[0],
            "x-more: 1\r\nauthorization: Bearer AIzaSyRevealed-0123456789-0123456789abc\r\n");
  stage.kind = upstream_kind::anthropic;
  ASSERT_EQ(stage.ask("POST", check_path)->status, 200);
  EXPECT_EQ(stage.upstream->targets[1], "GET /base/v1/models");
  EXPECT_EQ(stage.upstream->heads[1], "x-more: 1\r\nanthropic-version: 2023-06-01\r\n"
                                      "x-api-key: AIzaSyRevealed-0123456789-0123456789abc\r\n");
}

TEST(key_check, each_kind_of_upstream_is_understood_in_its_own_words) {
  admin_stage stage;
  stage.kind = upstream_kind::openai;
  stage.upstream->status = 401;
  stage.upstream->answer =
      R"({"error":{"message":"Incorrect API key provided.","type":"invalid_request_error","code":"invalid_api_key"}})";
  EXPECT_EQ(json::parse(stage.ask("POST", check_path)->body).at("check").at("class"),
            "key_invalid");
  stage.kind = upstream_kind::anthropic;
  stage.upstream->answer =
      R"({"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}})";
  EXPECT_EQ(json::parse(stage.ask("POST", check_path)->body).at("check").at("class"),
            "key_invalid");
}

TEST(key_check, a_key_goes_out_by_its_own_proxy) {
  admin_stage stage;
  stage.ask("POST", check_path);
  stage.script().proxy = "socks5://10.0.0.1:1080";
  stage.ask("POST", check_path);
  EXPECT_EQ(stage.upstream->proxies, (std::vector<std::string>{"", "socks5://10.0.0.1:1080"}));
}

TEST(key_check, a_refused_key_is_told_with_its_characters_masked) {
  admin_stage stage;
  stage.upstream->status = 400;
  stage.upstream->answer = bad_key;
  const auto x = stage.ask("POST", check_path);
  ASSERT_EQ(x->status, 200);
  EXPECT_EQ(schema_fault(*x), "");
  const auto check = json::parse(x->body).at("check");
  EXPECT_EQ(check.at("ok"), false);
  EXPECT_EQ(check.at("class"), "key_invalid");
  EXPECT_EQ(check.at("status"), 400);
  EXPECT_EQ(x->body.find("Revealed"), std::string::npos) << x->body;
  const auto& end = stage.script().last<report_check>().end;
  EXPECT_EQ(end.what, gemini::answer_class::key_invalid);
  EXPECT_EQ(end.message.find("Revealed"), std::string::npos);
}

TEST(key_check, characters_of_any_shape_are_masked) {
  admin_stage stage;
  stage.script().revealed = "AQ.Ab8Secret";
  stage.upstream->status = 403;
  stage.upstream->answer =
      R"({"error":{"code":403,"status":"PERMISSION_DENIED","message":"AQ.Ab8Secret may not."}})";
  const auto x = stage.ask("POST", check_path);
  EXPECT_EQ(json::parse(x->body).at("check").at("message"), "*** may not.");
}

TEST(key_check, an_upstream_out_of_reach_says_nothing_of_the_key) {
  admin_stage stage;
  stage.upstream->no = failure(errc::connect_failed, "connection refused");
  const auto x = stage.ask("POST", check_path);
  ASSERT_EQ(x->status, 200);
  EXPECT_EQ(schema_fault(*x), "");
  const auto check = json::parse(x->body).at("check");
  EXPECT_EQ(check.at("class"), "upstream_fault");
  EXPECT_EQ(check.at("status"), nullptr);
  EXPECT_EQ(check.at("message"), "connection refused");
  EXPECT_EQ(stage.script().last<report_check>().end.scope, gemini::answer_scope::model);
}

TEST(key_check, a_success_that_is_none_does_not_pass) {
  admin_stage stage;
  stage.upstream->status = 204;
  stage.upstream->answer = "";
  const auto check = json::parse(stage.ask("POST", check_path)->body).at("check");
  EXPECT_EQ(check.at("ok"), false);
}

TEST(key_check, a_key_that_is_not_there_is_not_found) {
  admin_stage stage;
  stage.script().no = refused{errc::not_found, "not_found", "There is no such key.", {}, 0};
  const auto x = stage.ask("POST", check_path);
  EXPECT_EQ(x->status, 404);
  EXPECT_EQ(schema_fault(*x), "");
  EXPECT_TRUE(stage.upstream->targets.empty());
}

class bulk_check : public testing::Test {
protected:
  /// Begins a check of keys 1 to `count`.
  std::uint64_t begin(std::size_t count, int status = 202) {
    auto& page = stage.script().page;
    page.keys.clear();
    for (std::size_t i = 1; i <= count; ++i)
      page.keys.emplace_back().id = i;
    page.matched = count;
    const auto x = stage.ask("POST", "/admin/v1/keys:bulk",
                             R"({"action":"check","filter":{"state":["disabled"]}})");
    EXPECT_EQ(x->status, status) << x->body;
    EXPECT_EQ(schema_fault(*x), "");
    if (x->status != 202)
      return 0;
    return std::stoull(json::parse(x->body).at("job").at("id").get<std::string>());
  }

  admin_stage stage;
};

TEST_F(bulk_check, checks_every_key_once_a_few_at_a_time) {
  const auto job = stage.ended(begin(50));
  EXPECT_EQ(job.state, job_state::done);
  EXPECT_EQ(job.kind, "keys.check");
  EXPECT_EQ(job.who, "boss");
  EXPECT_EQ(job.done, 50U);
  EXPECT_EQ(job.total, 50U);
  EXPECT_EQ(json::parse(job.report), json::parse(R"({"matched":50,"changed":50,"failed":0,
                                                      "failures":[]})"));
  EXPECT_EQ(api_schema{}.fault_of("BulkReport", job.report), "");
  auto checked = stage.script().checked;
  std::ranges::sort(checked);
  ASSERT_EQ(checked.size(), 50U);
  for (std::size_t i = 0; i < 50; ++i)
    EXPECT_EQ(checked[i], i + 1);
  EXPECT_EQ(stage.upstream->most, 8);
  EXPECT_EQ(stage.script().last<list_keys>().filter.states, std::vector<std::string>{"disabled"});
  EXPECT_EQ(stage.script().last<list_keys>().sort, key_sort::id);
}

TEST_F(bulk_check, tells_which_keys_are_bad_and_why) {
  stage.upstream->status = 400;
  stage.upstream->answer = bad_key;
  const auto job = stage.ended(begin(2));
  EXPECT_EQ(job.state, job_state::done);
  const auto report = json::parse(job.report);
  EXPECT_EQ(report.at("failed"), 2);
  EXPECT_EQ(report.at("failures")[0].at("reason"), "key_invalid");
  EXPECT_EQ(api_schema{}.fault_of("BulkReport", job.report), "");
}

TEST_F(bulk_check, of_no_key_ends_at_once) {
  const auto job = stage.ended(begin(0));
  EXPECT_EQ(job.state, job_state::done);
  EXPECT_EQ(json::parse(job.report).at("matched"), 0);
}

TEST_F(bulk_check, can_be_cancelled) {
  stage.upstream->before = [this](int calls) {
    if (calls == 10)
      stage.jobs.cancel(1);
  };
  const auto job = stage.ended(begin(100));
  EXPECT_EQ(job.state, job_state::cancelled);
  EXPECT_GE(job.done, 10U);
  EXPECT_LT(job.done, 30U);
  EXPECT_EQ(json::parse(job.report).at("matched"), 100);
}

TEST_F(bulk_check, one_runs_at_a_time) {
  fake_exchange second("POST", "/admin/v1/keys:bulk", R"({"action":"check","all":true})",
                       "10.0.0.1");
  second.field("authorization", "Bearer sk-operator");
  second.field("content-type", "application/json");
  stage.upstream->before = [&](int calls) {
    if (calls == 1)
      http::spawn(stage.front->serve(second));
  };
  const auto first = begin(3);
  EXPECT_EQ(stage.ended(first).state, job_state::done);
  EXPECT_EQ(second.status, 409);
  EXPECT_EQ(json::parse(second.body).at("error").at("code"), "busy");
  EXPECT_EQ(schema_fault(second), "");
  EXPECT_EQ(stage.ended(begin(3)).state, job_state::done);
}

TEST_F(bulk_check, ends_when_the_node_stops) {
  stage.upstream->before = [this](int calls) {
    if (calls == 5)
      stage.front->stop();
  };
  const auto job = stage.ended(begin(100));
  EXPECT_EQ(job.state, job_state::failed);
  EXPECT_EQ(job.error, "the node is stopping");
  EXPECT_LT(stage.script().checked.size(), 10U);
}

} // namespace
} // namespace troupe
