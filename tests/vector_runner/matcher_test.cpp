#include "tests/vector_runner/matcher.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

/// A matcher that finds no difference proves nothing, so each promise here is one of a fault
/// that is found.

namespace troupe::vectors {
namespace {

bool agree(const char* expected, const char* got, bool keep_order = false) {
  matcher m{keep_order};
  m.match(json::parse(expected), json::parse(got), "$");
  return m.differences().empty();
}

TEST(vector_matcher, takes_keys_in_any_order_but_no_key_more_or_less) {
  EXPECT_TRUE(agree(R"({"a":1,"b":[true,null]})", R"({"b":[true,null],"a":1})"));
  EXPECT_FALSE(agree(R"({"a":1})", R"({"a":1,"b":null})"));
  EXPECT_FALSE(agree(R"({"a":1,"b":null})", R"({"a":1})"));
}

TEST(vector_matcher, takes_arrays_in_their_order_and_length_only) {
  EXPECT_FALSE(agree("[1,2]", "[2,1]"));
  EXPECT_FALSE(agree("[1,2]", "[1]"));
  EXPECT_FALSE(agree("[1]", "[1,2]"));
}

TEST(vector_matcher, compares_numbers_by_value_and_nothing_else_across_types) {
  EXPECT_TRUE(agree("2", "2.0"));
  EXPECT_FALSE(agree("2", "2.5"));
  EXPECT_FALSE(agree("9007199254740993", "9007199254740992"));
  EXPECT_FALSE(agree("1", R"("1")"));
  EXPECT_FALSE(agree("1", "true"));
  EXPECT_FALSE(agree("null", "false"));
  EXPECT_FALSE(agree("{}", "[]"));
}

TEST(vector_matcher, knows_the_simple_placeholders) {
  EXPECT_TRUE(agree(R"(["<any>","<str>","<int>"])", R"([false,"x",7])"));
  EXPECT_FALSE(agree(R"("<any>")", "null"));
  EXPECT_FALSE(agree(R"("<str>")", R"("")"));
  EXPECT_FALSE(agree(R"("<str>")", "1"));
  EXPECT_FALSE(agree(R"("<int>")", "1.5"));
  EXPECT_FALSE(agree(R"("<int>")", R"("1")"));
}

TEST(vector_matcher, matches_a_regex_in_full) {
  EXPECT_TRUE(agree(R"("<re:call_[a-z]{2}>")", R"("call_ab")"));
  EXPECT_FALSE(agree(R"("<re:call_[a-z]{2}>")", R"("call_abc")"));
  EXPECT_FALSE(agree(R"("<re:.+>")", R"("")"));
  EXPECT_FALSE(agree(R"("<re:1>")", "1"));
}

TEST(vector_matcher, holds_a_bound_name_to_its_first_value) {
  const char* expected = R"(["<bind:id:x.+>","<bind:id:x.+>","<bind:at:int>","<bind:at:int>"])";
  EXPECT_TRUE(agree(expected, R"(["x1","x1",5,5])"));
  EXPECT_FALSE(agree(expected, R"(["x1","x2",5,5])"));
  EXPECT_FALSE(agree(expected, R"(["x1","x1",5,6])"));
  EXPECT_FALSE(agree(expected, R"(["y","y",5,5])"));
  EXPECT_FALSE(agree(expected, R"(["x1","x1","5","5"])"));
}

TEST(vector_matcher, reads_json_within_a_string) {
  EXPECT_TRUE(agree(R"({"$json":{"a":"<int>"}})", R"("{\"a\": 1}")"));
  EXPECT_FALSE(agree(R"({"$json":{"a":1}})", R"("{\"a\":2}")"));
  EXPECT_FALSE(agree(R"({"$json":{"a":1}})", R"({"a":1})"));
  EXPECT_FALSE(agree(R"({"$json":{"a":1}})", R"("{\"a\":1")"));
}

TEST(vector_matcher, takes_a_text_with_a_bracket_elsewhere_literally) {
  EXPECT_TRUE(agree(R"("a <str>")", R"("a <str>")"));
  EXPECT_FALSE(agree(R"("a <str>")", R"("a b")"));
  EXPECT_FALSE(agree(R"("<strange>")", R"("x")"));
}

TEST(vector_matcher, asks_for_the_order_of_foreign_keys_only_where_told) {
  const char* expected = R"({"functionCall":{"name":"f","args":{"z":1,"a":{"y":1,"b":2}}}})";
  const char* ours = R"({"functionCall":{"args":{"z":1,"a":{"y":1,"b":2}},"name":"f"}})";
  const char* theirs = R"({"functionCall":{"name":"f","args":{"z":1,"a":{"b":2,"y":1}}}})";
  EXPECT_TRUE(agree(expected, ours, true));
  EXPECT_FALSE(agree(expected, theirs, true));
  EXPECT_TRUE(agree(expected, theirs, false));
  EXPECT_FALSE(
      agree(R"({"properties":{"b":{},"a":{}}})", R"({"properties":{"a":{},"b":{}}})", true));
}

TEST(vector_matcher, says_where_what_was_expected_and_what_came) {
  matcher m;
  m.match(json::parse(R"({"a":[{"b":1}]})"), json::parse(R"({"a":[{"b":2}]})"), "body");
  ASSERT_EQ(m.differences().size(), 1U);
  EXPECT_EQ(m.differences()[0], (difference{"body.a[0].b", "1", "2"}));
}

TEST(vector_matcher, refuses_text_that_is_not_exactly_one_json_value) {
  EXPECT_TRUE(parse_json(R"({"a":{"b":1},"c":{"b":1}})"));
  EXPECT_FALSE(parse_json(R"({"a":1}{})"));
  EXPECT_FALSE(parse_json(R"({"a":1)"));
  EXPECT_FALSE(parse_json(R"({"a":1,"a":1})"));
  EXPECT_FALSE(parse_json(R"([{"a":{"b":1,"b":2}}])"));
}

} // namespace
} // namespace troupe::vectors
