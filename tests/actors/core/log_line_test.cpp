#include "actors/core/log_line.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <random>

namespace troupe {
namespace {

constexpr wall_time at{std::chrono::milliseconds{1'769'903'999'250}}; // 2026-01-31T23:59:59.250Z

log_record record(std::string text, std::string id = {}) {
  return {at, log_area::upstream, log_level::warning, std::move(id), std::move(text)};
}

TEST(log_line, text_names_time_level_area_and_request) {
  EXPECT_EQ(text_line(record("slow answer", "req-1")),
            "2026-01-31T23:59:59.250Z warning upstream [req-1] slow answer");
  EXPECT_EQ(text_line(record("slow answer")),
            "2026-01-31T23:59:59.250Z warning upstream slow answer");
}

TEST(log_line, json_names_the_same) {
  EXPECT_EQ(json_line(record("a \"quote\" \\", "req-1")),
            R"({"time":"2026-01-31T23:59:59.250Z","level":"warning","area":"upstream",)"
            R"("request_id":"req-1","text":"a \"quote\" \\"})");
  EXPECT_EQ(json_line(record("x")), R"({"time":"2026-01-31T23:59:59.250Z","level":"warning",)"
                                    R"("area":"upstream","text":"x"})");
}

TEST(log_line, a_text_cannot_begin_a_line_of_its_own) {
  EXPECT_EQ(text_line(record("a\nb\r\t\x1b[31m", "x\ny")),
            "2026-01-31T23:59:59.250Z warning upstream [x\\ny] a\\nb\\r\\t\\x1b[31m");
}

TEST(log_line, json_is_valid_whatever_the_text_holds) {
  std::mt19937 random{7};
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    for (auto length = random() % 40; length > 0; --length)
      text += static_cast<char>(random() % 256);
    const auto line = json_line(record(text, text));
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const auto parsed = nlohmann::json::parse(line, nullptr, false);
    ASSERT_FALSE(parsed.is_discarded()) << line;
    EXPECT_EQ(parsed["area"], "upstream");
  }
}

TEST(log_line, well_formed_text_stays_as_it_is) {
  const auto parsed =
      nlohmann::json::parse(json_line(record("h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80")));
  EXPECT_EQ(parsed["text"], "h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
  EXPECT_EQ(nlohmann::json::parse(json_line(record("a\xFFz")))["text"], "a\xEF\xBF\xBDz");
}

TEST(log_line, everything_that_looks_like_a_secret_is_masked) {
  EXPECT_EQ(mask_secrets("key AIzaSyD3xQ0-abcdefghijklmnopqrstuvw_x."), "key AIza***");
  EXPECT_EQ(mask_secrets("xAIzaSyD3xQ0-abcdef y"), "xAIza*** y");
  EXPECT_EQ(mask_secrets("AQ.Ab8RN6KxQ0abcdefgh"), "AQ.***");
  EXPECT_EQ(mask_secrets("(sk-troupe-0a1b2c3d)"), "(sk-***)");
  EXPECT_EQ(mask_secrets("Authorization: Bearer abc.def"), "Authorization: Bearer ***");
  EXPECT_EQ(mask_secrets("authorization: bearer x"), "authorization: bearer ***");
  EXPECT_EQ(mask_secrets("GET /v1beta/models?key=abc&alt=sse"),
            "GET /v1beta/models?key=***&alt=sse");
  EXPECT_EQ(mask_secrets("?alt=sse&key=abc"), "?alt=sse&key=***");
  EXPECT_EQ(mask_secrets("x-goog-api-key: abc"), "x-goog-api-key: ***");
  EXPECT_EQ(mask_secrets("two: AIzaSyAAAAAAAAAAA, AIzaSyBBBBBBBBBBB"), "two: AIza***, AIza***");
}

TEST(log_line, ordinary_words_and_ids_of_keys_are_not_masked) {
  for (const auto* text :
       {"task-scheduler", "disk-usage-high", "key_0123456789abcdef rests",
        "?key=key_0123456789abcdef", "AIza", "sk-", "the bearer", "a basic fact", "***"})
    EXPECT_EQ(mask_secrets(text), text);
}

TEST(log_line, request_ids_are_masked_as_well) {
  const auto r = record("x", "AIzaSyD3xQ0-abcdef");
  EXPECT_EQ(text_line(r).find("SyD3"), std::string::npos);
  EXPECT_EQ(json_line(r).find("SyD3"), std::string::npos);
}

TEST(log_line, masking_twice_changes_nothing_more) {
  for (const auto* text : {"Bearer abc", "?key=abc", "AIzaSyD3xQ0-abcdef", "api_key=abc"})
    EXPECT_EQ(mask_secrets(mask_secrets(text)), mask_secrets(text));
}

} // namespace
} // namespace troupe
