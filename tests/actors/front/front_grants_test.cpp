#include "tests/actors/front/front_stage.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace troupe {
namespace {

constexpr std::int64_t year_2000_ms = 946'684'800'000;
constexpr std::int64_t year_2100_ms = 4'102'444'800'000;

constexpr std::string_view flash = "/v1beta/models/gemini-2.0-flash:generateContent";
constexpr std::string_view pro = "/v1beta/models/gemini-2.5-pro:generateContent";

http::credential until(std::int64_t expires_at_ms) {
  auto c = http::credential_of("client", "secret");
  c.expires_at_ms = expires_at_ms;
  return c;
}

http::credential for_models(std::vector<std::string> patterns) {
  auto c = http::credential_of("client", "secret");
  c.models = std::move(patterns);
  return c;
}

std::string chat_with(std::string_view model) {
  std::string body = R"({"model":")";
  body += model;
  return body + R"(","messages":[{"role":"user","content":"hello"}]})";
}

TEST(front_grants, a_credential_serves_until_it_expires_and_says_so_then) {
  scripted_upstream upstream{"it"};
  front_stage s{front_stage::config_for(upstream, {until(year_2100_ms)}), 1};
  EXPECT_EQ(s.generate().status, 200);
  s.use(front_stage::config_for(upstream, {until(year_2000_ms)}));
  const auto late = s.generate();
  EXPECT_EQ(late.status, 401);
  EXPECT_NE(late.body.find("The credential has expired."), std::string::npos) << late.body;
  const auto on_chat = s.call("POST", "/v1/chat/completions", chat_with("gemini-2.0-flash"));
  EXPECT_EQ(on_chat.status, 401);
  EXPECT_NE(on_chat.body.find("The credential has expired."), std::string::npos) << on_chat.body;
  EXPECT_EQ(upstream.requests(), 1U);
}

TEST(front_grants, a_large_body_under_an_expired_credential_is_refused_unread) {
  scripted_upstream upstream{"it"};
  front_stage s{front_stage::config_for(upstream, {until(year_2000_ms)}), 1};
  const std::string large(2 * http::unscreened_body_bytes, ' ');
  EXPECT_EQ(s.call("POST", flash, large).status, 401);
  EXPECT_EQ(s.log.lines().size(), 1U) << "it is one of the failed ones";
}

TEST(front_grants, another_model_than_those_allowed_is_forbidden_on_every_surface) {
  scripted_upstream upstream{"it"};
  front_stage s{front_stage::config_for(upstream, {for_models({"gemini-2.0-*"})}), 1};
  EXPECT_EQ(s.call("POST", flash, "{}").status, 200);
  EXPECT_EQ(s.call("POST", "/v1/chat/completions", chat_with("gemini-2.0-flash")).status, 200);

  const auto native = s.call("POST", pro, "{}");
  EXPECT_EQ(native.status, 403);
  EXPECT_NE(native.body.find("PERMISSION_DENIED"), std::string::npos) << native.body;
  const auto chat = s.call("POST", "/v1/chat/completions", chat_with("gemini-2.5-pro"));
  EXPECT_EQ(chat.status, 403);
  EXPECT_NE(chat.body.find(R"("code":"model_not_allowed")"), std::string::npos) << chat.body;
  EXPECT_EQ(upstream.requests(), 2U);
}

TEST(front_grants, lists_of_models_show_those_allowed_alone) {
  scripted_upstream upstream{"it", {"gemini-2.0-flash", "gemini-2.5-pro", "gemini-2.0-lite"}};
  front_stage s{front_stage::config_for(upstream, {for_models({"gemini-2.0-*"})}), 1};
  for (const auto* list : {"/v1/models", "/v1beta/models"}) {
    const auto a = s.call("GET", list);
    EXPECT_EQ(a.status, 200);
    EXPECT_NE(a.body.find("gemini-2.0-flash"), std::string::npos) << a.body;
    EXPECT_NE(a.body.find("gemini-2.0-lite"), std::string::npos) << a.body;
    EXPECT_EQ(a.body.find("gemini-2.5-pro"), std::string::npos) << a.body;
  }
  EXPECT_EQ(s.call("GET", "/v1/models/gemini-2.0-flash").status, 200);
  EXPECT_EQ(s.call("GET", "/v1/models/gemini-2.5-pro").status, 404);
  EXPECT_EQ(s.call("GET", "/v1beta/models/gemini-2.5-pro").status, 403);
}

TEST(front_grants, many_wrong_credentials_are_few_lines_of_the_security_log_and_none_a_secret) {
  scripted_upstream upstream{"it"};
  front_stage s{front_stage::config_for(upstream), 1};
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(s.generate("guess-" + std::to_string(i)).status, 401);
  const auto took =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began);
  const auto lines = s.log.lines();
  ASSERT_FALSE(lines.empty());
  EXPECT_LE(lines.size(), static_cast<std::size_t>(took.count()) + 1);
  EXPECT_NE(lines.front().find("127.0.0.1"), std::string::npos) << lines.front();
  for (const auto& line : lines)
    EXPECT_EQ(line.find("guess"), std::string::npos) << line;
}

} // namespace
} // namespace troupe
