#include "protocol/gemini/model_name.hpp"

#include <gtest/gtest.h>

namespace troupe::gemini {
namespace {

model_name parse(std::string_view asked) {
  return parse_model_name(asked, built_in_models());
}

generation made(std::string_view asked) {
  return parse(asked).made;
}

TEST(model_name, strips_what_other_gateways_put_before_it) {
  EXPECT_EQ(parse("models/gemini-2.5-pro").upstream, "gemini-2.5-pro");
  EXPECT_EQ(parse("google/gemini-2.5-pro").upstream, "gemini-2.5-pro");
  EXPECT_EQ(parse("gemini/gemini-2.5-pro").upstream, "gemini-2.5-pro");
  EXPECT_EQ(parse("models/google/gemini-2.5-pro").upstream, "gemini-2.5-pro");
  EXPECT_EQ(parse("google/models/gemini-2.5-pro").upstream, "models/gemini-2.5-pro")
      << "only in this order";
  EXPECT_EQ(parse("models/").upstream, "");
}

TEST(model_name, suffixes_come_off_in_any_order) {
  const auto model = parse("gemini-2.5-flash-non-thinking-search");
  EXPECT_EQ(model.upstream, "gemini-2.5-flash");
  EXPECT_TRUE(model.search);
  EXPECT_TRUE(model.non_thinking);
  EXPECT_FALSE(model.image);
  const auto other = parse("gemini-2.5-flash-search-image-non-thinking");
  EXPECT_EQ(other.upstream, "gemini-2.5-flash");
  EXPECT_TRUE(other.search && other.non_thinking && other.image);
}

TEST(model_name, a_real_model_keeps_what_looks_like_a_suffix) {
  const auto model = parse("gemini-2.5-flash-image");
  EXPECT_EQ(model.upstream, "gemini-2.5-flash-image");
  EXPECT_FALSE(model.image);
  const auto with_suffix = parse("gemini-3-pro-image-search");
  EXPECT_EQ(with_suffix.upstream, "gemini-3-pro-image");
  EXPECT_TRUE(with_suffix.search);
  EXPECT_FALSE(with_suffix.image);
}

TEST(model_name, known_models_are_the_callers_choice) {
  const known_models only{"my-search"};
  EXPECT_FALSE(parse_model_name("my-search", only).search);
  EXPECT_TRUE(parse_model_name("gemini-2.5-flash-image", only).image);
}

TEST(model_name, a_suffix_alone_is_a_name) {
  EXPECT_EQ(parse("-search").upstream, "-search");
  EXPECT_EQ(parse("-search-search").upstream, "-search");
}

TEST(model_name, generation_is_read_from_the_name) {
  EXPECT_EQ(made("gemini-2.5-flash"), (generation{2, 5}));
  EXPECT_EQ(made("gemini-3-pro-preview"), (generation{3, 0}));
  EXPECT_EQ(made("gemini-3.1-pro-preview"), (generation{3, 1}));
  EXPECT_EQ(made("gemini-10.25-x"), (generation{10, 25}));
  EXPECT_EQ(made("tuned-gemini-2.5-x"), (generation{2, 5}));
  EXPECT_EQ(made("gemini-x-gemini-3-y"), (generation{3, 0})) << "the first one that is a number";
}

TEST(model_name, aliases_are_the_newest_and_strangers_the_oldest) {
  for (const auto* name : {"gemini-pro-latest", "gemini-flash-latest", "gemini-flash-lite-latest",
                           "nano-banana-pro-preview"})
    EXPECT_EQ(made(name), (generation{3, 1})) << name;
  for (const auto* name : {"gemma-3-27b-it", "learnlm-2.0", "gemini-exp-1206", "gemini-3",
                           "gemini-3.-x", "gemini-99999999999999-x", "gpt-4o", ""})
    EXPECT_EQ(made(name), (generation{2, 0})) << name;
}

TEST(model_name, tier_is_a_word_of_the_name) {
  EXPECT_EQ(parse("gemini-2.5-pro").tier, tier::pro);
  EXPECT_EQ(parse("gemini-2.5-flash").tier, tier::flash);
  EXPECT_EQ(parse("gemini-2.5-flash-lite").tier, tier::flash_lite);
  EXPECT_EQ(parse("gemini-2.5-flash-preview-tts").tier, tier::flash);
  EXPECT_EQ(parse("gemini-4-argon").tier, tier::pro) << "no word: the most careful one";
  EXPECT_EQ(parse("gemini-4-prolog-flash").tier, tier::flash) << "whole words only";
}

TEST(model_name, gemma_and_old_image_models_know_no_system_instruction) {
  EXPECT_TRUE(parse("gemma-3-27b-it").folds_system());
  EXPECT_TRUE(parse("gemini-2.0-flash-preview-image-generation").folds_system());
  EXPECT_FALSE(parse("gemini-2.0-flash").folds_system());
  EXPECT_FALSE(parse("gemini-2.5-flash-image").folds_system());
}

TEST(model_name, reaches_no_other_path) {
  std::string path = "/v1beta/models/";
  append_path_segment(path, "../files?key=x#\r\nHost: e/é.~_-Z9");
  EXPECT_EQ(path, "/v1beta/models/..%2Ffiles%3Fkey%3Dx%23%0D%0AHost%3A%20e%2F%C3%A9.~_-Z9");
}

struct effort_row {
  std::string_view model;
  std::array<thinking, 7> by_effort; ///< none, minimal, low, medium, high, xhigh, max
};

thinking budget(std::int32_t tokens, bool thoughts = true) {
  return {tokens, {}, thoughts};
}
thinking level(std::string_view name, bool thoughts = true) {
  return {{}, name, thoughts};
}

TEST(thinking_table, every_effort_for_every_kind_of_model) {
  const std::array rows{
      effort_row{"gemini-2.0-flash", {}},
      effort_row{"gemini-2.5-pro",
                 {budget(128, false), budget(1024), budget(1024), budget(8192), budget(24576),
                  budget(32768), budget(32768)}},
      effort_row{"gemini-2.5-flash",
                 {budget(0, false), budget(1024), budget(1024), budget(8192), budget(24576),
                  budget(24576), budget(24576)}},
      effort_row{"gemini-2.5-flash-lite",
                 {budget(0, false), budget(1024), budget(1024), budget(8192), budget(24576),
                  budget(24576), budget(24576)}},
      effort_row{"gemini-3-pro-preview",
                 {level("LOW", false), level("LOW"), level("LOW"), level("HIGH"), level("HIGH"),
                  level("HIGH"), level("HIGH")}},
      effort_row{"gemini-3.1-pro-preview",
                 {level("LOW", false), level("LOW"), level("LOW"), level("MEDIUM"), level("HIGH"),
                  level("HIGH"), level("HIGH")}},
      effort_row{"gemini-3-flash-preview",
                 {level("MINIMAL", false), level("MINIMAL"), level("LOW"), level("MEDIUM"),
                  level("HIGH"), level("HIGH"), level("HIGH")}},
      effort_row{"gemini-4-argon",
                 {level("LOW", false), level("LOW"), level("LOW"), level("MEDIUM"), level("HIGH"),
                  level("HIGH"), level("HIGH")}},
  };
  const std::array<std::string_view, 7> efforts{"none", "minimal", "low", "medium",
                                                "high", "xhigh",   "max"};
  for (const auto& row : rows)
    for (std::size_t i = 0; i < efforts.size(); ++i)
      EXPECT_EQ(thinking_for(parse(row.model), effort_of(efforts[i]), thoughts_policy::on_request),
                row.by_effort[i])
          << row.model << ' ' << efforts[i];
}

TEST(thinking_table, thoughts_follow_the_policy) {
  const auto flash = parse("gemini-2.5-flash");
  using policy = thoughts_policy;
  EXPECT_TRUE(thinking_for(flash, std::nullopt, policy::on_request).empty());
  EXPECT_TRUE(thinking_for(flash, std::nullopt, policy::never).empty());
  EXPECT_EQ(thinking_for(flash, std::nullopt, policy::always), (thinking{{}, {}, true}));
  EXPECT_EQ(thinking_for(flash, effort::low, policy::never), budget(1024, false));
  EXPECT_EQ(thinking_for(flash, effort::none, policy::always), budget(0, false));
  EXPECT_TRUE(thinking_for(parse("gemini-2.0-flash"), std::nullopt, policy::always).empty());
}

TEST(thinking_table, unknown_efforts_are_none_of_them) {
  for (const auto* name : {"", "None", "huge", "medium "})
    EXPECT_EQ(effort_of(name), std::nullopt) << name;
}

} // namespace
} // namespace troupe::gemini
