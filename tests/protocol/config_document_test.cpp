#include "protocol/config/document.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>

namespace troupe::config {
namespace {

/// The only problem of a text.
config_problem fault_of(std::string_view text) {
  config_problems problems;
  read_document(text, "f", problems);
  EXPECT_EQ(problems.size(), 1U) << text;
  return problems.empty() ? config_problem{} : problems.front();
}

node read(std::string_view text) {
  config_problems problems;
  auto root = read_document(text, "f", problems);
  EXPECT_TRUE(problems.empty()) << to_string(problems.front());
  return root ? *root : node{};
}

TEST(config_document, comments_stand_wherever_white_space_may) {
  const auto root = read("// a\n{ /* b\n */ \"x\" /**/ : // c\r\n [1, /* d */ 2] } // e");
  EXPECT_EQ(write_json(root), R"({"x":[1,2]})");
}

TEST(config_document, every_value_knows_its_line) {
  const auto root = read("{\n\"a\": 1,\n/*\n*/\"b\": [\n2,\n\n3]\n}");
  EXPECT_EQ(root.find("a")->line, 2U);
  EXPECT_EQ(root.find("b")->line, 4U);
  EXPECT_EQ(root.find("b")->items[0].line, 5U);
  EXPECT_EQ(root.find("b")->items[1].line, 7U);
}

TEST(config_document, texts_are_decoded) {
  EXPECT_EQ(read(R"("a\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00")").text,
            "a\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}

TEST(config_document, integers_are_told_from_other_numbers) {
  EXPECT_EQ(read("-12").whole, -12);
  EXPECT_EQ(read("1.0").kind, node_kind::number);
  EXPECT_EQ(read("1e3").kind, node_kind::number);
  EXPECT_EQ(read("99999999999999999999").kind, node_kind::number);
}

TEST(config_document, a_name_that_stands_twice_is_told_with_both_lines) {
  const auto p = fault_of("{\n\"listen\": 1,\n\"x\": 2,\n\"listen\": 3}");
  EXPECT_EQ(to_string(p), "f:4: \"listen\" stands here again; it is first on line 2");
}

TEST(config_document, syntax_errors_name_their_line) {
  EXPECT_EQ(fault_of("{\n\"a\": 1\n\"b\": 2}").line, 3U);
  EXPECT_EQ(fault_of("{\"a\": 1,\n}").text, "a comma stands before the closing }");
  EXPECT_EQ(fault_of("{\"a\": 1,\n}").line, 1U);
  EXPECT_EQ(fault_of("[1,\n2").text, "what begins on line 1 has no closing ]");
  EXPECT_EQ(fault_of("{\n\"a\": \"x\ny\"}").line, 2U);
  EXPECT_EQ(fault_of("{ /* \n\n").line, 1U);
  EXPECT_EQ(fault_of("{\"a\": yes}").text.substr(0, 24), "a value is expected here");
  EXPECT_EQ(fault_of("{} {}").text, "something follows the end of the JSON value");
}

TEST(config_document, anything_that_is_not_json_is_refused) {
  using namespace std::string_literals;
  for (const auto& wrong : {""s,
                            " "s,
                            "//"s,
                            "{"s,
                            "}"s,
                            "["s,
                            "[1 2]"s,
                            "{a:1}"s,
                            "{'a':1}"s,
                            "01"s,
                            "1."s,
                            "-"s,
                            "1e"s,
                            "+1"s,
                            "\"\\x\""s,
                            "\"\\u12\""s,
                            "\"\\ud800\""s,
                            "\"\\udc00\""s,
                            "\"\\ud800\\u0041\""s,
                            "\"\x01\""s,
                            "\"\xFF\""s,
                            "\"\xC0\x80\""s,
                            "\"\xED\xA0\x80\""s,
                            "\0"s,
                            "{\"a\"}"s,
                            "tru"s,
                            "nul"s,
                            "\x7F"
                            "ELF\x02\x01"s})
    EXPECT_FALSE(fault_of(wrong).text.empty()) << wrong;
}

TEST(config_document, binary_files_are_refused_even_in_comments) {
  using namespace std::string_literals;
  EXPECT_EQ(to_string(fault_of("// x\n// \0\n{}"s)),
            "f:2: holds a zero byte: this is no text file");
}

TEST(config_document, a_carriage_return_ends_a_comment) {
  EXPECT_EQ(write_json(read("// x\r[1]")), "[1]");
}

TEST(config_document, depth_is_bounded) {
  EXPECT_EQ(fault_of(std::string(100'000, '[')).text, "nested deeper than 32 levels");
  const auto deep = std::string(32, '[') + "1" + std::string(32, ']');
  EXPECT_EQ(write_json(read(deep)), deep);
}

TEST(config_document, length_is_bounded) {
  EXPECT_EQ(fault_of(std::string(document_bytes_max + 1, ' ')).text, "longer than 16777216 bytes");
}

// A second opinion: what this reader takes and refuses, and the values it gives, are those of
// nlohmann/json, on texts that are nearly right.
TEST(config_document, agrees_with_another_parser_on_damaged_texts) {
  const std::string good =
      R"({"a": [1, -2.5e3, true, null, "x\ny\u00e9"], /* c */ "b": {"c": "é", "d": {}}, // e
        "f": [[], {"g": false}]})";
  std::mt19937 random{20'260'101};
  const std::string_view alphabet = "{}[]\",:\\/*0123456789.eE+-truefalsn \n\xC3\xA9";
  std::size_t agreed = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto text = good;
    for (auto edits = random() % 3 + 1; edits > 0; --edits) {
      const auto at = random() % text.size();
      if (random() % 2 == 0)
        text.erase(at, random() % 3 + 1);
      else
        text.insert(at, 1, alphabet[random() % alphabet.size()]);
      if (text.empty())
        text = "0";
    }
    config_problems problems;
    const auto ours = read_document(text, "f", problems);
    const auto theirs = nlohmann::json::parse(text, nullptr, false, true);
    const bool repeated = ours && !problems.empty(); // they take a name twice
    ASSERT_EQ(ours.has_value(), !theirs.is_discarded()) << text;
    if (ours && !repeated) {
      ASSERT_EQ(nlohmann::json::parse(write_json(*ours)), theirs) << text;
      ++agreed;
    }
  }
  EXPECT_GT(agreed, 1'000U);
}

} // namespace
} // namespace troupe::config
