#include "protocol/json/tree.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::json {
namespace {

tree read(std::string_view text) {
  auto got = read_tree(text);
  EXPECT_TRUE(std::holds_alternative<tree>(got)) << text;
  return std::holds_alternative<tree>(got) ? std::get<tree>(std::move(got)) : tree{};
}

tree_fault fault_of(std::string_view text) {
  auto got = read_tree(text);
  EXPECT_TRUE(std::holds_alternative<tree_fault>(got)) << text;
  return std::holds_alternative<tree_fault>(got) ? std::get<tree_fault>(got) : tree_fault{};
}

TEST(json_tree, holds_every_kind_in_its_place) {
  const auto t =
      read(R"({"a":null,"b":true,"c":-7,"d":1.5,"e":"x\u00e9","f":[1,[]],"g":{"h":{}}})");
  ASSERT_EQ(t.what, kind::object);
  ASSERT_EQ(t.members.size(), 7U);
  EXPECT_EQ(t.find("a")->what, kind::null);
  EXPECT_TRUE(t.find("b")->truth);
  EXPECT_EQ(t.find("c")->whole, -7);
  EXPECT_EQ(t.find("d")->what, kind::number);
  EXPECT_EQ(t.find("e")->text, "x\xC3\xA9");
  ASSERT_EQ(t.find("f")->items.size(), 2U);
  EXPECT_EQ(t.find("f")->items[1].what, kind::list);
  EXPECT_EQ(t.find("g")->find("h")->what, kind::object);
  EXPECT_EQ(t.find("nothing"), nullptr);
}

TEST(json_tree, a_whole_number_is_one_however_it_is_written) {
  EXPECT_EQ(read("3.0").whole, 3);
  EXPECT_EQ(read("3e2").whole, 300);
  EXPECT_EQ(read("3e2").what, kind::integer);
  EXPECT_EQ(read("9223372036854775807").whole, 9223372036854775807);
  EXPECT_EQ(read("9223372036854775808").what, kind::number);
  EXPECT_EQ(read("0.5").what, kind::number);
}

TEST(json_tree, tells_line_and_column_of_a_fault) {
  const auto f = fault_of("{\n  \"a\": 1,\n  \"b\": x\n}");
  EXPECT_EQ(f.line, 3U);
  EXPECT_EQ(f.column, 8U);
}

TEST(json_tree, refuses_what_is_not_json) {
  for (const auto* text : {"", " ", "{", "{\"a\":1,}", "[1] 2", "// no\n1", "{\"a\":1 /* no */}",
                           "nul", "'a'", "\"\xFF\"", "[1e999]", "\"\\ud800\""})
    EXPECT_GE(fault_of(text).line, 1U) << text;
}

TEST(json_tree, refuses_a_name_that_stands_twice) {
  const auto f = fault_of("{\"a\":1,\n\"a\":2}");
  EXPECT_EQ(f.line, 2U);
  EXPECT_EQ(f.text, "a name stands twice in one object");
  EXPECT_EQ(read(R"({"a":{"b":1},"b":{"a":1}})").members.size(), 2U);
}

TEST(json_tree, is_bounded_in_depth_and_number) {
  EXPECT_EQ(read(std::string(32, '[') + std::string(32, ']')).what, kind::list);
  EXPECT_NE(fault_of(std::string(33, '[') + std::string(33, ']')).text.find("nested"),
            std::string::npos);
  std::string many = "[0";
  for (int i = 0; i < 1'000'000; ++i)
    many += ",0";
  EXPECT_NE(fault_of(many + ']').text.find("more values"), std::string::npos);
}

TEST(json_tree, faults_repeat_nothing_of_the_text) {
  const auto f = fault_of(R"({"secret":"AIzaSyHidden1234567890",,})");
  EXPECT_EQ(f.text.find("AIza"), std::string::npos);
}

} // namespace
} // namespace troupe::json
