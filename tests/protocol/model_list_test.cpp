#include "protocol/gemini/model_list.hpp"

#include <gtest/gtest.h>

namespace troupe::gemini {
namespace {

bool only_flash(std::string_view id) {
  return id == "flash";
}

TEST(model_list, keeps_what_is_wanted_and_the_rest_of_the_page) {
  const auto kept =
      keep_models(R"({"models":[{"name":"models/pro","version":"1"},)"
                  R"({"name":"models/flash","temperature":0.95,"inputTokenLimit":1048576,)"
                  R"("displayName":"Fl\"ash","supportedGenerationMethods":["generateContent"]}],)"
                  R"("nextPageToken":"t/=="})",
                  only_flash);
  ASSERT_TRUE(kept);
  EXPECT_EQ(*kept, R"({"models":[{"name":"models/flash","temperature":0.95,)"
                   R"("inputTokenLimit":1048576,"displayName":"Fl\"ash",)"
                   R"("supportedGenerationMethods":["generateContent"]}],"nextPageToken":"t/=="})");
}

TEST(model_list, a_page_without_models_or_with_none_that_is_wanted_stays_a_page) {
  EXPECT_EQ(*keep_models("{}", only_flash), "{}");
  EXPECT_EQ(*keep_models(R"({"models":[{"name":"models/pro"}],"nextPageToken":"t"})", only_flash),
            R"({"models":[],"nextPageToken":"t"})");
}

TEST(model_list, what_has_no_name_is_not_shown) {
  const auto everything = [](std::string_view) { return true; };
  EXPECT_EQ(*keep_models(R"({"models":[{"x":1},7,{"name":3},{"name":"flash"}]})", everything),
            R"({"models":[{"name":"flash"}]})");
}

TEST(model_list, what_is_no_page_is_said) {
  for (const auto* text : {"", "[]", "{", "<html>"}) {
    const auto kept = keep_models(text, only_flash);
    ASSERT_FALSE(kept) << text;
    EXPECT_EQ(kept.error().code, errc::upstream_malformed);
  }
}

} // namespace
} // namespace troupe::gemini
