#include "protocol/client_error.hpp"
#include "protocol/surface.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>
#include <string>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const std::string a_key = "AIzaSyA0123456789012345678901234567890x";

json body_of(const client_error& e, surface s) {
  return json::parse(render(e, s, "42").body);
}

struct expected_row {
  fault what;
  int openai;
  const char* type;
  const char* code; ///< null: JSON null
  int anthropic;
  const char* anthropic_type;
  const char* google;
};

/// Table E of the mapping, and the refusals of our own, written out a second time.
const expected_row rows[] = {
    {fault::bad_credential, 401, "invalid_request_error", "invalid_api_key", 401,
     "authentication_error", "UNAUTHENTICATED"},
    {fault::no_usable_key, 503, "server_error", "no_available_key", 529, "overloaded_error",
     "UNAVAILABLE"},
    {fault::location, 403, "invalid_request_error", "unsupported_country_region_territory", 403,
     "permission_error", "FAILED_PRECONDITION"},
    {fault::model_not_allowed, 403, "invalid_request_error", "model_not_allowed", 403,
     "permission_error", "PERMISSION_DENIED"},
    {fault::invalid_request, 400, "invalid_request_error", nullptr, 400, "invalid_request_error",
     "INVALID_ARGUMENT"},
    {fault::not_found, 404, "invalid_request_error", "model_not_found", 404, "not_found_error",
     "NOT_FOUND"},
    {fault::too_large, 413, "invalid_request_error", "request_too_large", 413, "request_too_large",
     "INVALID_ARGUMENT"},
    {fault::quota_day, 429, "insufficient_quota", "insufficient_quota", 429, "rate_limit_error",
     "RESOURCE_EXHAUSTED"},
    {fault::rate_limited, 429, "rate_limit_error", "rate_limit_exceeded", 429, "rate_limit_error",
     "RESOURCE_EXHAUSTED"},
    {fault::overloaded, 503, "server_error", "overloaded", 529, "overloaded_error", "UNAVAILABLE"},
    {fault::upstream_timeout, 504, "server_error", "upstream_timeout", 504, "timeout_error",
     "DEADLINE_EXCEEDED"},
    {fault::upstream_error, 502, "server_error", "upstream_error", 500, "api_error", "UNAVAILABLE"},
    {fault::empty_response, 502, "server_error", "empty_response", 500, "api_error", "UNAVAILABLE"},
    {fault::invalid_json, 400, "invalid_request_error", "invalid_json", 400,
     "invalid_request_error", "INVALID_ARGUMENT"},
    {fault::unknown_path, 404, "invalid_request_error", "unknown_url", 404, "not_found_error",
     "NOT_FOUND"},
    {fault::wrong_method, 405, "invalid_request_error", "method_not_allowed", 404,
     "not_found_error", "UNIMPLEMENTED"},
    {fault::resource_not_found, 404, "invalid_request_error", "resource_not_found", 404,
     "not_found_error", "NOT_FOUND"},
    {fault::unsupported_encoding, 415, "invalid_request_error", "unsupported_encoding", 415,
     "invalid_request_error", "INVALID_ARGUMENT"},
    {fault::internal, 500, "server_error", "internal_error", 500, "api_error", "INTERNAL"},
};

TEST(client_error, has_the_table_s_status_and_words_on_every_surface) {
  for (const auto& row : rows) {
    const client_error e{.what = row.what, .message = "why"};
    const auto openai = body_of(e, surface::openai)["error"];
    EXPECT_EQ(render(e, surface::openai, "42").status, row.openai) << row.openai;
    EXPECT_EQ(openai["type"], row.type);
    EXPECT_EQ(openai["code"], row.code ? json(row.code) : json());
    EXPECT_EQ(openai.size(), 4U);
    EXPECT_EQ(render(e, surface::anthropic, "42").status, row.anthropic) << row.anthropic_type;
    EXPECT_EQ(body_of(e, surface::anthropic)["error"]["type"], row.anthropic_type);
    const auto google = body_of(e, surface::gemini)["error"];
    EXPECT_EQ(google["status"], row.google);
    EXPECT_EQ(google["code"], row.openai);
    EXPECT_EQ(render(e, surface::gemini, "42").status, row.openai);
  }
}

TEST(client_error, always_says_something) {
  std::set<std::string> texts;
  for (int what = 0; what <= static_cast<int>(fault::internal); ++what)
    texts.insert(body_of({.what = static_cast<fault>(what)}, surface::openai)["error"]["message"]);
  EXPECT_FALSE(texts.contains(""));
  EXPECT_EQ(texts.size(), static_cast<std::size_t>(fault::internal) + 1);
}

TEST(client_error, carries_param_and_a_rules_own_code) {
  const auto error = body_of({.what = fault::invalid_request,
                              .message = "m",
                              .param = "messages[0].content[1]",
                              .code = "media_fetch_failed"},
                             surface::openai)["error"];
  EXPECT_EQ(error["param"], "messages[0].content[1]");
  EXPECT_EQ(error["code"], "media_fetch_failed");
}

TEST(client_error, a_servers_own_status_replaces_the_tables) {
  const client_error e{.what = fault::invalid_request, .message = "m", .status = 431};
  EXPECT_EQ(render(e, surface::openai, "1").status, 431);
  EXPECT_EQ(render(e, surface::anthropic, "1").status, 431);
  EXPECT_EQ(render(e, surface::gemini, "1").status, 431);
  EXPECT_EQ(body_of(e, surface::gemini)["error"]["code"], 431);
}

TEST(client_error, rounds_the_wait_up_to_whole_seconds) {
  const auto fields = [](fault what, std::optional<std::chrono::milliseconds> wait) {
    return render({.what = what, .retry_after = wait}, surface::openai, "1").fields;
  };
  EXPECT_EQ(fields(fault::rate_limited, 46'500ms), "retry-after: 47\r\n");
  EXPECT_EQ(fields(fault::rate_limited, 1ms), "retry-after: 1\r\n");
  EXPECT_EQ(fields(fault::rate_limited, 47s), "retry-after: 47\r\n");
  EXPECT_EQ(fields(fault::rate_limited, std::nullopt), "retry-after: 60\r\n");
  EXPECT_EQ(fields(fault::overloaded, 5s), "retry-after: 5\r\n");
  EXPECT_EQ(fields(fault::overloaded, std::nullopt), "");
  EXPECT_EQ(fields(fault::invalid_request, 5s), "");
}

TEST(client_error, stops_sdks_from_retrying_what_is_hopeless) {
  const auto fields = [](const client_error& e) { return render(e, surface::openai, "1").fields; };
  EXPECT_NE(fields({.what = fault::no_usable_key}).find("x-should-retry: false\r\n"),
            std::string::npos);
  EXPECT_NE(fields({.what = fault::quota_day, .retry_after = 7h}).find("x-should-retry: false"),
            std::string::npos);
  EXPECT_EQ(fields({.what = fault::rate_limited, .retry_after = 7s}).find("x-should-retry"),
            std::string::npos);
}

TEST(client_error, anthropic_gets_the_request_id_in_body_and_field) {
  const auto rendered = render({.what = fault::internal}, surface::anthropic, "42");
  EXPECT_EQ(json::parse(rendered.body)["request_id"], "req_42");
  EXPECT_EQ(json::parse(rendered.body)["type"], "error");
  EXPECT_EQ(rendered.fields, "request-id: req_42\r\n");
  EXPECT_EQ(render({}, surface::anthropic, "req_7").fields, "request-id: req_7\r\n");
}

TEST(client_error, our_own_429_tells_gemini_clients_the_wait_in_retry_info) {
  const auto details = [](std::chrono::milliseconds wait) {
    return body_of({.what = fault::rate_limited, .retry_after = wait},
                   surface::gemini)["error"]["details"];
  };
  EXPECT_EQ(details(12'345ms)[0]["@type"], "type.googleapis.com/google.rpc.RetryInfo");
  EXPECT_EQ(details(12'345ms)[0]["retryDelay"], "12.345s");
  EXPECT_EQ(details(12'005ms)[0]["retryDelay"], "12.005s");
  EXPECT_EQ(details(12s)[0]["retryDelay"], "12s");
  EXPECT_FALSE(
      body_of({.what = fault::overloaded, .retry_after = 1s}, surface::gemini)["error"].contains(
          "details"));
}

TEST(client_error, gemini_clients_see_the_upstreams_own_answer_unchanged) {
  const std::string body = "{ \"error\": {\"code\": 400, \"new_field\": [1.0] } }\n";
  const client_error e{.what = fault::invalid_request,
                       .message = "m",
                       .upstream_body = body,
                       .upstream_status = 400};
  EXPECT_EQ(render(e, surface::gemini, "1").body, body);
  EXPECT_EQ(body_of(e, surface::openai)["error"]["message"], "m");
  // The status too: what OpenAI's clients see as 502 was a 500.
  const client_error fault_500{
      .what = fault::upstream_error, .upstream_body = "[" + body + "]", .upstream_status = 500};
  EXPECT_EQ(render(fault_500, surface::gemini, "1").status, 500);
  EXPECT_EQ(render(fault_500, surface::openai, "1").status, 502);
}

TEST(client_error, a_page_that_some_proxy_made_is_not_passed_to_gemini_clients) {
  for (const auto* body : {"<html>bad gateway</html>", "", "{", "{}", "[]", "{\"error\":1}"}) {
    const client_error e{
        .what = fault::upstream_error, .upstream_body = body, .upstream_status = 500};
    const auto rendered = render(e, surface::gemini, "1");
    EXPECT_EQ(json::parse(rendered.body)["error"]["status"], "UNAVAILABLE") << body;
    EXPECT_EQ(rendered.status, 502);
  }
}

TEST(client_error, a_refused_pool_key_is_never_shown_as_the_clients_fault) {
  const client_error e{.what = fault::no_usable_key,
                       .message = "API key not valid",
                       .upstream_body = R"({"error":{"message":"API key not valid"}})",
                       .upstream_status = 400};
  for (const auto s : {surface::openai, surface::anthropic, surface::gemini}) {
    const auto rendered = render(e, s, "1");
    EXPECT_EQ(rendered.body.find("not valid"), std::string::npos);
    EXPECT_EQ(json::parse(rendered.body)["error"]["message"],
              "No usable upstream key is available.");
    EXPECT_NE(rendered.status, 400);
  }
}

TEST(client_error, no_key_leaves_in_a_message_or_a_body_passed_on) {
  const client_error e{.what = fault::invalid_request,
                       .message = "Consumer 'api_key:" + a_key + "' is odd",
                       .upstream_body = R"({"error":{"message":"key )" + a_key + R"("}})",
                       .upstream_status = 400};
  for (const auto s : {surface::openai, surface::anthropic, surface::gemini}) {
    EXPECT_EQ(render(e, s, "1").body.find(a_key.substr(4)), std::string::npos);
    EXPECT_EQ(render_stream_error(e, s, "1").find(a_key.substr(4)), std::string::npos);
  }
}

TEST(client_error, a_streams_last_event_is_one_whole_frame_of_the_surface) {
  const client_error e{.what = fault::stream_truncated, .message = "line\nbreak"};
  EXPECT_EQ(render_stream_error(e, surface::openai, "1"),
            "data: {\"error\":{\"message\":\"line\\nbreak\",\"type\":\"server_error\","
            "\"param\":null,\"code\":\"stream_truncated\"}}\n\n");
  EXPECT_EQ(render_stream_error(e, surface::anthropic, "1"),
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\","
            "\"message\":\"line\\nbreak\"},\"request_id\":\"req_1\"}\n\n");
  EXPECT_EQ(render_stream_error(e, surface::gemini, "1"),
            "data: {\"error\":{\"code\":502,\"message\":\"line\\nbreak\","
            "\"status\":\"UNAVAILABLE\"}}\n\n");
}

TEST(mask_keys, keeps_four_characters_of_what_looks_like_a_key) {
  EXPECT_EQ(mask_keys("x " + a_key + " y"), "x AIza*** y");
  EXPECT_EQ(mask_keys("(" + a_key + "," + a_key + ")"), "(AIza***,AIza***)");
  EXPECT_EQ(mask_keys("api_key:" + a_key + "'"), "api_key:AIza***'");
  EXPECT_EQ(mask_keys("api_key:AQ.Ab8_secret-1.x. Next"), "api_key:AQ.A***. Next");
  EXPECT_EQ(mask_keys("api_key: abc"), "api_key: abc***");
  EXPECT_EQ(mask_keys("a" + a_key), "aAIza***"); // also inside a longer word
}

TEST(mask_keys, leaves_everything_else_as_it_is) {
  for (const std::string text : {"", "AIza", "AIzaShort", "api_key:", "api_key:'", "AIzaAIzaAIza",
                                 "pay_key:x", "AIza012345678901234567890123456789 1234"})
    EXPECT_EQ(mask_keys(text), text);
}

TEST(surface_of, follows_the_path_by_whole_segments) {
  EXPECT_EQ(surface_of("/v1/messages"), surface::anthropic);
  EXPECT_EQ(surface_of("/v1/messages/count_tokens"), surface::anthropic);
  EXPECT_EQ(surface_of("/v1/messagesX"), surface::openai);
  EXPECT_EQ(surface_of("/v1beta/models"), surface::gemini);
  EXPECT_EQ(surface_of("/v1beta"), surface::gemini);
  EXPECT_EQ(surface_of("/gemini/v1beta/models/x:y"), surface::gemini);
  EXPECT_EQ(surface_of("/vertex-express/v1beta/models"), surface::gemini);
  EXPECT_EQ(surface_of("/upload/v1beta/files"), surface::gemini);
  EXPECT_EQ(surface_of("/v1/chat/completions"), surface::openai);
  EXPECT_EQ(surface_of("/v1betamax"), surface::openai);
  EXPECT_EQ(surface_of(""), surface::openai);
}

} // namespace
} // namespace troupe
