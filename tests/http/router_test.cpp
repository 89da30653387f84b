#include "http/core/router.hpp"

#include <gtest/gtest.h>

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

TEST(router, what_is_not_offered_is_unknown_in_its_own_surface) {
  EXPECT_EQ(match("POST", "/v1/messages").what, endpoint::unknown);
  EXPECT_EQ(match("POST", "/v1/messages").speaks, surface::anthropic);
  EXPECT_EQ(match("GET", "/").what, endpoint::unknown);
  EXPECT_EQ(match("GET", "/v1").what, endpoint::unknown);
  EXPECT_EQ(match("GET", "/v1/modelsx").what, endpoint::unknown);
}

} // namespace troupe::http
