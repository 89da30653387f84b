#include "actors/core/key_text.hpp"

#include <gtest/gtest.h>

namespace troupe {

std::vector<std::string> found(std::string_view text) {
  std::vector<std::string> all;
  for (const auto& k : find_keys(text).keys)
    all.emplace_back(k.reveal());
  return all;
}

TEST(key_text, finds_keys_between_whatever_people_paste) {
  const std::vector<std::string> both{"AIzaSyA-1234567890_x", "AIzaSyB-0987654321.y"};
  for (const auto* text :
       {"AIzaSyA-1234567890_x\nAIzaSyB-0987654321.y", "AIzaSyA-1234567890_x,AIzaSyB-0987654321.y",
        R"(["AIzaSyA-1234567890_x","AIzaSyB-0987654321.y"])",
        "AIzaSyA-1234567890_x;  AIzaSyB-0987654321.y;",
        "\r\n AIzaSyA-1234567890_x\t|AIzaSyB-0987654321.y\r\n",
        "'AIzaSyA-1234567890_x' (AIzaSyB-0987654321.y)"})
    EXPECT_EQ(found(text), both) << text;
}

TEST(key_text, takes_each_key_once_and_counts_the_rest) {
  const auto all = find_keys("AIzaSyA-1234567890_x AIzaSyA-1234567890_x word AIzaSyA-1234567890_x");
  EXPECT_EQ(all.keys.size(), 1U);
  EXPECT_EQ(all.repeated, 2U);
  EXPECT_EQ(all.refused, 1U);
}

TEST(key_text, leaves_comments_alone) {
  EXPECT_EQ(found("# AIzaSyA-1234567890_x\n  // AIzaSyC-1234567890_x\nAIzaSyB-0987654321.y # mine"),
            std::vector<std::string>{"AIzaSyB-0987654321.y"});
}

TEST(key_text, names_the_line_and_the_reason_but_never_the_text) {
  const auto all =
      find_keys("AIzaSyA-1234567890_x\n\nhopelessword\nAIza***1234567\n12345678901234\nAIza\xC3\xA9"
                "1234567");
  ASSERT_EQ(all.refusals.size(), 4U);
  EXPECT_EQ(all.refusals[0].line, 3U);
  EXPECT_EQ(all.refusals[0].reason, "is a word or a number, not a key");
  EXPECT_EQ(all.refusals[1].reason, "is a masked secret, not a key");
  EXPECT_EQ(all.refusals[2].reason, "is a word or a number, not a key");
  EXPECT_EQ(all.refusals[3].reason, "has characters that no key has");
}

TEST(key_text, bounds_what_it_tells) {
  std::string text;
  for (int i = 0; i < 5'000; ++i)
    text += "word\n";
  const auto all = find_keys(text);
  EXPECT_EQ(all.refused, 5'000U);
  EXPECT_EQ(all.refusals.size(), key_text::refusals_max);
}

} // namespace troupe
