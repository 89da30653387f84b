#include "protocol/config/env_file.hpp"

#include <gtest/gtest.h>

#include <map>

namespace troupe::config {
namespace {

std::map<std::string, std::string> read(std::string_view text) {
  config_problems problems;
  std::map<std::string, std::string> values;
  for (auto& e : read_env_file(text, ".env", problems))
    values[e.name] = e.value;
  EXPECT_TRUE(problems.empty()) << to_string(problems.front());
  return values;
}

config_problem fault_of(std::string_view text) {
  config_problems problems;
  read_env_file(text, ".env", problems);
  EXPECT_EQ(problems.size(), 1U) << text;
  return problems.empty() ? config_problem{} : problems.front();
}

TEST(config_env_file, plain_values_are_trimmed) {
  EXPECT_EQ(
      read("A=1\n B = two words \nexport C=3\nD=\n"),
      (std::map<std::string, std::string>{{"A", "1"}, {"B", "two words"}, {"C", "3"}, {"D", ""}}));
}

TEST(config_env_file, comments_and_empty_lines_are_skipped) {
  EXPECT_EQ(read("# x\n\n  # y\nA=1 # z\nB=a#b\n#C=3"),
            (std::map<std::string, std::string>{{"A", "1"}, {"B", "a#b"}}));
}

TEST(config_env_file, windows_line_ends_and_a_byte_order_mark_are_no_part_of_values) {
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "A=1\r\nB=\"x\r\ny\"\r\n"),
            (std::map<std::string, std::string>{{"A", "1"}, {"B", "x\ny"}}));
}

TEST(config_env_file, quotes_are_removed_and_double_ones_have_escapes) {
  EXPECT_EQ(read(R"(A='a\n#"b"'
B="c\n\"d\"\\\$ \q" # comment
)"),
            (std::map<std::string, std::string>{{"A", R"(a\n#"b")"}, {"B", "c\n\"d\"\\$ \\q"}}));
}

TEST(config_env_file, json_keeps_its_quotes) {
  EXPECT_EQ(read("A=[\"x\", \"y # z\"] # comment\nB={\"k\":1}\n"),
            (std::map<std::string, std::string>{{"A", R"(["x", "y # z"])"}, {"B", R"({"k":1})"}}));
}

TEST(config_env_file, quoted_values_may_have_several_lines) {
  EXPECT_EQ(read("A='[\n  \"x\"\n]'\nB=2"),
            (std::map<std::string, std::string>{{"A", "[\n  \"x\"\n]"}, {"B", "2"}}));
}

TEST(config_env_file, an_apostrophe_quotes_nothing) {
  EXPECT_EQ(read("A=it's # mine")["A"], "it's");
}

TEST(config_env_file, the_last_one_counts) {
  EXPECT_EQ(read("A=1\nA=2")["A"], "2");
}

TEST(config_env_file, lines_are_counted_through_quoted_values) {
  config_problems problems;
  const auto entries = read_env_file("A='1\n2\n3'\n\nB=4\nnonsense\n", ".env", problems);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[1].line, 5U);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].line, 6U);
}

TEST(config_env_file, a_line_that_is_no_setting_is_told_without_its_text) {
  for (const auto* text :
       {"AIzaSySECRET", "AIzaSySECRET\n", "1A=AIzaSySECRET", "A B=AIzaSySECRET", "=AIzaSySECRET",
        "A=\"AIzaSySECRET", "A='x'AIzaSySECRET", "AIzaSySECRET='", "AIzaSySECRET=\"x\"y"}) {
    const auto said = to_string(fault_of(text));
    EXPECT_EQ(said.find("SECRET"), std::string::npos) << said;
    EXPECT_EQ(said.substr(0, 7), ".env:1:") << said;
  }
}

TEST(config_env_file, binary_and_endless_files_are_refused) {
  EXPECT_EQ(fault_of(std::string_view{"\x7F"
                                      "ELF\0\1",
                                      6})
                .text,
            "holds a zero byte: this is no text file");
  EXPECT_EQ(fault_of(std::string(17 * 1024 * 1024, 'A')).text, "longer than 16777216 bytes");
}

} // namespace
} // namespace troupe::config
