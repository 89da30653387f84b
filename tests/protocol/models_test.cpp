#include "protocol/openai/models.hpp"

#include <gtest/gtest.h>

namespace troupe::openai {

TEST(models, only_what_generates_embeds_or_predicts_is_listed) {
  std::vector<std::string> ids;
  const auto next = read_model_page(R"({"models":[
    {"name":"models/a","supportedGenerationMethods":["generateContent","countTokens"]},
    {"name":"models/b","supportedGenerationMethods":["bidiGenerateContent"]},
    {"name":"models/c","supportedGenerationMethods":["embedContent"]},
    {"name":"models/d"}],"nextPageToken":"n"})",
                                    ids);
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, "n");
  EXPECT_EQ(ids, (std::vector<std::string>{"a", "c"}));
}

TEST(models, a_page_without_models_ends_the_list) {
  std::vector<std::string> ids;
  const auto next = read_model_page("{}", ids);
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, "");
  EXPECT_TRUE(ids.empty());
}

TEST(models, garbage_is_a_failure) {
  std::vector<std::string> ids;
  EXPECT_FALSE(read_model_page("<html>", ids));
  EXPECT_FALSE(read_model_page("[]", ids));
}

TEST(models, a_name_that_would_break_json_is_left_out) {
  std::vector<std::string> ids;
  ASSERT_TRUE(read_model_page(
      R"({"models":[{"name":"models/a\"b","supportedGenerationMethods":["generateContent"]}]})",
      ids));
  EXPECT_TRUE(ids.empty());
}

TEST(models, hidden_ones_go_and_derived_ones_come_last) {
  translation_options options;
  options.search_models = {"a"};
  options.non_thinking_models = {"a"};
  EXPECT_EQ(offered_models({"a", "b", "c"}, {"b"}, options),
            (std::vector<std::string>{"a", "c", "a-search", "a-non-thinking"}));
}

TEST(models, the_list_has_openai_s_shape) {
  EXPECT_EQ(
      render_model_list({"a", "b"}),
      R"({"object":"list","data":[{"id":"a","object":"model","created":0,"owned_by":"google"},{"id":"b","object":"model","created":0,"owned_by":"google"}]})");
  EXPECT_EQ(render_model_list({}), R"({"object":"list","data":[]})");
}

} // namespace troupe::openai
