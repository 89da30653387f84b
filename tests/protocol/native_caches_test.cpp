#include "protocol/gemini/native.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace troupe::gemini {
namespace {

std::variant<native_call, client_error> route(std::string_view http_method, std::string_view path,
                                              std::string_view query = "",
                                              std::string_view body = "{}",
                                              const request_context& context = {}) {
  return route_native(http_method, path, query, body, {}, context);
}

native_call call(std::string_view http_method, std::string_view path, std::string_view query = "",
                 std::string_view body = "{}", const request_context& context = {}) {
  const auto got = route(http_method, path, query, body, context);
  const auto* c = std::get_if<native_call>(&got);
  native_call none;
  none.path = "an error";
  return c ? *c : none;
}

std::optional<fault> refusal(std::string_view http_method, std::string_view path,
                             std::string_view body = "{}", const request_context& context = {}) {
  const auto got = route(http_method, path, "", body, context);
  const auto* e = std::get_if<client_error>(&got);
  return e ? std::optional{e->what} : std::nullopt;
}

constexpr std::string_view body = R"({ "model":"models/gemini-2.5-flash","ttl" : "300s"})";

TEST(native_caches, are_made_for_the_model_in_the_body_which_passes_as_it_came) {
  for (const std::string path : {"/v1beta/cachedContents", "/gemini/v1beta/cachedContents/"}) {
    const auto c = call("POST", path, "key=SECRET&x=1", body);
    EXPECT_EQ(c.what, method::create_cache) << path;
    EXPECT_EQ(c.path, "/v1beta/cachedContents?x=1") << path;
    EXPECT_EQ(c.model_asked, "gemini-2.5-flash") << path;
    EXPECT_EQ(c.model, "gemini-2.5-flash") << path;
    EXPECT_EQ(c.resource, "") << path;
    EXPECT_FALSE(c.body_changed) << path;
  }
}

TEST(native_caches, are_read_changed_and_deleted_where_they_were_made) {
  const auto check = [](std::string_view http_method, method what) {
    const auto c = call(http_method, "/gemini/v1beta/cachedContents/a-1", "updateMask=ttl&key=S");
    EXPECT_EQ(c.what, what);
    EXPECT_EQ(c.path, "/v1beta/cachedContents/a-1?updateMask=ttl");
    EXPECT_EQ(c.resource, "cachedContents/a-1");
    EXPECT_EQ(c.model, "");
    EXPECT_FALSE(c.body_changed);
    EXPECT_TRUE(concerns_caches(c.what));
  };
  check("GET", method::get_cache);
  check("HEAD", method::get_cache);
  check("PATCH", method::update_cache);
  check("DELETE", method::delete_cache);
}

TEST(native_caches, the_body_of_a_change_is_not_looked_at) {
  EXPECT_EQ(call("PATCH", "/v1beta/cachedContents/a", "", "no JSON").resource, "cachedContents/a");
  EXPECT_EQ(call("DELETE", "/v1beta/cachedContents/a", "", "").resource, "cachedContents/a");
}

TEST(native_caches, a_model_with_another_name_upstream_is_renamed_and_nothing_else) {
  request_context renaming;
  renaming.model = "gemini-2.5-pro";
  const auto c = call("POST", "/v1beta/cachedContents", "", body, renaming);
  EXPECT_EQ(c.model_asked, "gemini-2.5-flash");
  EXPECT_EQ(c.model, "gemini-2.5-pro");
  EXPECT_TRUE(c.body_changed);
  EXPECT_EQ(c.body, R"({ "model":"models/gemini-2.5-pro","ttl" : "300s"})");
  const auto prefixed =
      call("POST", "/v1beta/cachedContents", "", R"({"model":"google/gemini-2.5-flash"})");
  EXPECT_EQ(prefixed.body, R"({"model":"models/gemini-2.5-flash"})");
  renaming.model = "tunedModels/mine";
  EXPECT_EQ(call("POST", "/v1beta/cachedContents", "", body, renaming).body,
            R"({ "model":"tunedModels/mine","ttl" : "300s"})");
}

TEST(native_caches, a_model_that_cannot_be_seen_makes_none) {
  const std::string path = "/v1beta/cachedContents";
  for (const std::string unreadable : {"", "[]", "{", "{'model':'models/m'}", "7"})
    EXPECT_EQ(refusal("POST", path, unreadable), fault::invalid_json) << unreadable;
  for (const std::string without :
       {"{}", R"({"model":7})", R"({"model":""})", R"({"model":"models/"})", R"({"model":null})"})
    EXPECT_EQ(refusal("POST", path, without), fault::invalid_request) << without;
}

TEST(native_caches, are_not_listed) {
  EXPECT_EQ(refusal("GET", "/v1beta/cachedContents"), fault::unknown_path);
  EXPECT_EQ(refusal("HEAD", "/v1beta/cachedContents/"), fault::unknown_path);
}

TEST(native_caches, take_no_other_method) {
  for (const auto* http_method : {"PUT", "PATCH", "DELETE"})
    EXPECT_EQ(refusal(http_method, "/v1beta/cachedContents", body), fault::wrong_method)
        << http_method;
  for (const auto* http_method : {"PUT", "POST"})
    EXPECT_EQ(refusal(http_method, "/v1beta/cachedContents/a", body), fault::wrong_method)
        << http_method;
}

TEST(native_caches, no_id_can_reach_another_path) {
  for (const std::string id : {"..", ".", "a/b", "a%2Fb", "..%2Fmodels", "a:b", "a%20b", "a%25",
                               "a%00", "%", "a%3Fb", "\xC3\xA9"})
    EXPECT_EQ(refusal("GET", "/v1beta/cachedContents/" + id), fault::unknown_path) << id;
  EXPECT_EQ(refusal("GET", "/v1beta/cachedContentsX"), fault::unknown_path);
  EXPECT_EQ(refusal("GET", "/v1beta/cachedContents/" + std::string(300, 'a')), fault::unknown_path);
}

TEST(native_caches, vertex_has_none) {
  request_context vertex;
  vertex.upstream = upstream_kind::vertex;
  EXPECT_EQ(refusal("POST", "/v1beta/cachedContents", body, vertex), fault::unknown_path);
  EXPECT_EQ(refusal("GET", "/v1beta/cachedContents/a", "", vertex), fault::unknown_path);
}

TEST(native_caches, every_method_has_its_http_method) {
  EXPECT_EQ(http_method_of(method::create_cache), "POST");
  EXPECT_EQ(http_method_of(method::get_cache), "GET");
  EXPECT_EQ(http_method_of(method::update_cache), "PATCH");
  EXPECT_EQ(http_method_of(method::delete_cache), "DELETE");
  EXPECT_EQ(http_method_of(method::get_model), "GET");
  EXPECT_EQ(http_method_of(method::count_tokens), "POST");
  EXPECT_FALSE(concerns_caches(method::generate_content));
}

/// 15 January 2026, 01:00 UTC.
constexpr std::int64_t now = 1'768'438'800'000;

TEST(cache_facts, name_the_cache_and_its_end) {
  const auto told = cache_facts(
      R"({"name":"cachedContents/a1","model":"models/m","expireTime":"2026-01-15T01:05:00Z","ttl":"9s"})",
      now);
  EXPECT_EQ(told.name, "cachedContents/a1");
  EXPECT_EQ(told.expires_at_ms, now + 300'000);
}

TEST(cache_facts, a_fraction_of_the_last_second_counts_whole) {
  const auto told = cache_facts(
      R"({"name":"cachedContents/a1","expireTime":"2026-01-15T01:05:00.123456789Z"})", now);
  EXPECT_EQ(told.expires_at_ms, now + 301'000);
}

TEST(cache_facts, an_end_that_is_not_told_is_after_the_ttl_or_an_hour) {
  EXPECT_EQ(cache_facts(R"({"name":"cachedContents/a","ttl":"90.5s"})", now).expires_at_ms,
            now + 90'500);
  for (const auto* answer :
       {R"({"name":"cachedContents/a"})", R"({"name":"cachedContents/a","expireTime":7})",
        R"({"name":"cachedContents/a","expireTime":"soon","ttl":"some"})"})
    EXPECT_EQ(cache_facts(answer, now).expires_at_ms, now + 3'600'000) << answer;
}

TEST(cache_facts, an_answer_that_is_no_cache_names_none) {
  for (const auto* answer :
       {"", "{}", "[]", "{", R"({"error":{"code":403}})", R"({"name":"files/a"})",
        R"({"name":"cachedContents/"})", R"({"name":"cachedContents/a/b"})",
        R"({"name":"cachedContentsXa"})", R"({"name":["cachedContents/a"]})"})
    EXPECT_EQ(cache_facts(answer, now).name, "") << answer;
}

} // namespace
} // namespace troupe::gemini
