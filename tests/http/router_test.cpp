#include "http/core/router.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace troupe::http {

TEST(router, chat_takes_post_only) {
  EXPECT_EQ(match("POST", "/v1/chat/completions").what, endpoint::chat_completions);
  const auto wrong = match("GET", "/v1/chat/completions");
  EXPECT_EQ(wrong.what, endpoint::wrong_method);
  EXPECT_EQ(wrong.allow, "POST, OPTIONS");
}

TEST(router, models_are_listed_and_one_is_named) {
  EXPECT_EQ(match("GET", "/v1/models").what, endpoint::list_models);
  EXPECT_EQ(match("HEAD", "/v1/models").what, endpoint::list_models);
  const auto one = match("GET", "/v1/models/gemini-2.5-flash");
  EXPECT_EQ(one.what, endpoint::get_model);
  EXPECT_EQ(one.model, "gemini-2.5-flash");
}

TEST(router, mistaken_base_urls_still_arrive) {
  EXPECT_EQ(match("POST", "/v1/v1/chat/completions").what, endpoint::chat_completions);
  EXPECT_EQ(match("POST", "/v1/chat/completions/").what, endpoint::chat_completions);
  EXPECT_EQ(match("POST", "/hf/v1/chat/completions").what, endpoint::chat_completions);
}

TEST(router, gemini_paths_are_looked_at_by_the_native_surface) {
  EXPECT_EQ(match("POST", "/v1beta/models/m:generateContent").what, endpoint::native);
  EXPECT_EQ(match("GET", "/gemini/v1beta/models").what, endpoint::native);
  EXPECT_EQ(match("GET", "/gemini/other").what, endpoint::unknown);
  EXPECT_EQ(match("GET", "/gemini/other").speaks, surface::gemini);
}

TEST(router, preflight_needs_no_route) {
  EXPECT_EQ(match("OPTIONS", "/anything").what, endpoint::preflight);
}

TEST(router, cached_contents_come_to_the_native_surface_with_any_method) {
  for (const auto* method : {"GET", "POST", "PATCH", "DELETE", "PUT"}) {
    EXPECT_EQ(match(method, "/v1beta/cachedContents/c1").what, endpoint::native) << method;
    EXPECT_EQ(match(method, "/gemini/v1beta/cachedContents").what, endpoint::native) << method;
  }
}

TEST(router, what_is_forwarded_to_openai_upstreams_tells_the_path_below_v1) {
  for (const std::string_view below : {"/responses", "/completions", "/embeddings"})
    for (const std::string before : {"/v1", "/hf/v1", "/v1/v1"}) {
      const auto path = before + std::string{below};
      const auto r = match("POST", path);
      EXPECT_EQ(r.what, endpoint::forward_openai) << path;
      EXPECT_EQ(r.speaks, surface::openai) << path;
      EXPECT_EQ(r.below, below) << path;
      EXPECT_EQ(r.response, "") << path;
      const auto wrong = match("GET", path);
      EXPECT_EQ(wrong.what, endpoint::wrong_method) << path;
      EXPECT_EQ(wrong.allow, "POST, OPTIONS") << path;
    }
  EXPECT_EQ(match("POST", "/v1/chat/completions").below, "/chat/completions");
}

TEST(router, one_response_is_read_or_deleted_by_its_id) {
  for (const auto* method : {"GET", "DELETE"}) {
    const auto r = match(method, "/v1/responses/resp_0aF-9/");
    EXPECT_EQ(r.what, endpoint::forward_openai) << method;
    EXPECT_EQ(r.below, "/responses/resp_0aF-9") << method;
    EXPECT_EQ(r.response, "resp_0aF-9") << method;
  }
  for (const auto* method : {"POST", "PATCH", "HEAD"}) {
    const auto wrong = match(method, "/v1/responses/resp_1");
    EXPECT_EQ(wrong.what, endpoint::wrong_method) << method;
    EXPECT_EQ(wrong.allow, "GET, DELETE, OPTIONS") << method;
  }
}

TEST(router, no_id_of_a_response_can_reach_another_path) {
  for (const auto* id : {"..", ".", "a/b", "../models", "resp%2F..", "resp_1%2e", "a b", "a?b",
                         "resp_1/input_items", "r\xC3\xA9"})
    EXPECT_EQ(match("GET", std::string{"/v1/responses/"} + id).what, endpoint::unknown) << id;
}

TEST(router, messages_speak_anthropic_also_below_a_mistaken_base_url) {
  for (const std::string_view below : {"/messages", "/messages/count_tokens"})
    for (const std::string before : {"/v1", "/v1/v1"}) {
      const auto path = before + std::string{below};
      const auto r = match("POST", path);
      EXPECT_EQ(r.what, endpoint::messages) << path;
      EXPECT_EQ(r.speaks, surface::anthropic) << path;
      EXPECT_EQ(r.below, below) << path;
      const auto wrong = match("GET", path);
      EXPECT_EQ(wrong.what, endpoint::wrong_method) << path;
      EXPECT_EQ(wrong.speaks, surface::anthropic) << path;
      EXPECT_EQ(wrong.allow, "POST, OPTIONS") << path;
    }
}

TEST(router, what_is_not_offered_is_unknown_in_its_own_surface) {
  EXPECT_EQ(match("POST", "/v1/messages/batches").what, endpoint::unknown);
  EXPECT_EQ(match("POST", "/v1/messages/batches").speaks, surface::anthropic);
  EXPECT_EQ(match("GET", "/v1/responses/").what, endpoint::wrong_method);
  EXPECT_EQ(match("POST", "/v1/images/generations").what, endpoint::unknown);
  EXPECT_EQ(match("GET", "/").what, endpoint::unknown);
  EXPECT_EQ(match("GET", "/v1").what, endpoint::unknown);
  EXPECT_EQ(match("GET", "/v1/modelsx").what, endpoint::unknown);
}

} // namespace troupe::http
