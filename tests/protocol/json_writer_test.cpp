#include "protocol/json/compact.hpp"
#include "protocol/json/reader.hpp"
#include "protocol/json/writer.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <random>

namespace troupe::json {
namespace {

std::string written(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

std::string written(double number) {
  std::string out;
  append_double(out, number);
  return out;
}

/// `text` parsed and written again.
std::string copied(std::string_view text) {
  reader from;
  const auto parsed = from.parse(text);
  std::string out;
  append_element(out, std::get<element>(parsed));
  return out;
}

TEST(json_writer, sets_commas_between_members_and_items) {
  std::string out;
  writer to{out};
  to.begin_object();
  to.key("a");
  to.begin_array();
  to.integer(1);
  to.string("x");
  to.begin_object();
  to.end_object();
  to.end_array();
  to.member("b", "y");
  to.foreign_key("c\"");
  to.null();
  to.key("d");
  to.boolean(false);
  to.key("e");
  to.raw("[1,2]");
  to.end_object();
  EXPECT_EQ(out, R"({"a":[1,"x",{}],"b":"y","c\"":null,"d":false,"e":[1,2]})");
}

TEST(json_writer, takes_back_what_was_written_since_a_checkpoint) {
  std::string out;
  writer to{out};
  to.begin_object();
  to.member("a", "1");
  const auto before = to.save();
  to.key("b");
  to.begin_array();
  to.restore(before);
  to.member("c", "2");
  to.end_object();
  EXPECT_EQ(out, R"({"a":"1","c":"2"})");
}

TEST(json_writer, joins_a_string_from_pieces) {
  std::string out;
  writer to{out};
  to.begin_array();
  to.string("x");
  to.begin_string();
  to.string_piece("a\"");
  to.string_piece("");
  to.string_piece("\nb");
  to.end_string();
  to.end_array();
  EXPECT_EQ(out, R"(["x","a\"\nb"])");
}

TEST(json_writer, opens_and_closes_several_brackets_at_once) {
  std::string out;
  writer to{out};
  to.begin_array();
  to.open(R"({"a":[)");
  to.integer(1);
  to.close("]}");
  to.open(R"({"a":[)");
  to.close("]}");
  to.end_array();
  EXPECT_EQ(out, R"([{"a":[1]},{"a":[]}])");
}

TEST(json_writer, escapes_only_what_must_be) {
  EXPECT_EQ(written("a/b'c<d>\x7F"), "\"a/b'c<d>\x7F\"");
  EXPECT_EQ(written("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  EXPECT_EQ(written(std::string_view("\0\x01\x1F", 3)), R"("\u0000\u0001\u001f")");
  EXPECT_EQ(written(""), R"("")");
}

TEST(json_writer, keeps_text_of_every_script_as_utf8) {
  for (const auto* text : {"é", "日本語", "😀", "–—’“”", "\u2027\u202A"})
    EXPECT_EQ(written(text), '"' + std::string(text) + '"');
}

TEST(json_writer, escapes_the_two_line_separators) {
  EXPECT_EQ(written("a\u2028b\u2029"), R"("a\u2028b\u2029")");
  EXPECT_EQ(written("\xE2"), "\"\xE2\"") << "cut short, and at the end";
  EXPECT_EQ(written("\xE2\x80"), "\"\xE2\x80\"");
}

TEST(json_writer, reads_back_the_same_whatever_stands_where) {
  std::mt19937 random{7};
  const std::vector<std::string> atoms{"a", " ", "\"", "\\", "\n", "\x01", "é", "\u2028", "–", "😀"};
  for (int round = 0; round < 4'000; ++round) {
    std::string text;
    // Lengths around those that the scan and its pieces step by.
    const auto length = round % 3 == 0 ? 1000 + random() % 100 : random() % 50;
    const auto kinds = 1 + random() % atoms.size();
    while (text.size() < length)
      text += atoms[random() % 8 < 7 ? 0 : random() % kinds];
    const auto json = written(text);
    ASSERT_EQ(nlohmann::json::parse(json).get<std::string>(), text);
  }
}

TEST(json_writer, writes_long_strings_of_escapes_whole) {
  const std::string text(5'000, '\x02');
  EXPECT_EQ(nlohmann::json::parse(written(text)).get<std::string>(), text);
}

TEST(json_writer, integers_stay_integers_and_floats_floats) {
  EXPECT_EQ(copied("[1,-1,0,18446744073709551615,-9223372036854775808]"),
            "[1,-1,0,18446744073709551615,-9223372036854775808]");
  EXPECT_EQ(copied("[1.0,-2.0,1e3,0.0]"), "[1.0,-2.0,1000.0,0.0]");
}

TEST(json_writer, doubles_are_written_as_people_write_them) {
  EXPECT_EQ(written(0.1), "0.1");
  EXPECT_EQ(written(0.7), "0.7");
  EXPECT_EQ(written(12.25), "12.25");
  EXPECT_EQ(written(-0.5), "-0.5");
  EXPECT_EQ(written(100.0), "100.0");
  EXPECT_EQ(written(0.000001), "0.000001");
  EXPECT_EQ(written(999999.999999), "999999.999999");
  EXPECT_EQ(written(-0.0), "-0.0");
  EXPECT_EQ(written(0.30000000000000004), "0.30000000000000004");
  EXPECT_EQ(written(1e300), "1e+300");
  EXPECT_EQ(written(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(written(std::nan("")), "null");
}

TEST(json_writer, doubles_read_back_the_same) {
  std::mt19937_64 random{3};
  for (int round = 0; round < 20'000; ++round) {
    double number = 0;
    if (round % 2 == 0) {
      const auto pattern = random();
      static_assert(sizeof pattern == sizeof number);
      std::memcpy(&number, &pattern, sizeof number);
      if (!std::isfinite(number))
        continue;
    } else {
      number = static_cast<double>(static_cast<std::int64_t>(random() % 2'000'000) - 1'000'000)
               / std::pow(10, random() % 9);
    }
    const auto text = written(number);
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), number) << text;
    ASSERT_NE(text.find_first_of(".e"), text.npos) << text;
  }
}

TEST(json_writer, copies_elements_compactly_with_keys_in_order) {
  EXPECT_EQ(copied(" { \"z\" : [ 1 , { } , [ ] ] ,\n \"a\" : { \"y\" : null, \"b\" : true } } "),
            R"({"z":[1,{},[]],"a":{"y":null,"b":true}})");
}

std::string compact(std::string_view text) {
  std::string out = "<";
  return append_compact_object(out, text) ? out : out + " refused";
}

TEST(json_compact, removes_space_and_keeps_every_other_byte) {
  EXPECT_EQ(compact("{}"), "<{}");
  EXPECT_EQ(compact(" \n{ \"b\" : 1.50e+3 ,\t\"a\" : [ ] , \"c\":[ 1 , [ 2,{} ] ] } "),
            R"(<{"b":1.50e+3,"a":[],"c":[1,[2,{}]]})");
  EXPECT_EQ(compact(R"({"s":"a b \" \\ \u00e9 \ud83d\ude00 – "})"),
            R"(<{"s":"a b \" \\ \u00e9 \ud83d\ude00 – "})");
  EXPECT_EQ(compact(R"({"n":123456789012345678901234567890})"),
            R"(<{"n":123456789012345678901234567890})");
  EXPECT_EQ(compact(R"({"a":true,"b":false,"c":null,"d":-0,"e":0.5})"),
            R"(<{"a":true,"b":false,"c":null,"d":-0,"e":0.5})");
}

TEST(json_compact, refuses_what_is_no_object_and_leaves_nothing_behind) {
  for (const auto* text : {"",
                           " ",
                           "[]",
                           "1",
                           "\"{}\"",
                           "null",
                           "{",
                           "}",
                           "{]",
                           "{}}",
                           "{} x",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{,}",
                           "{\"a\":1 \"b\":2}",
                           "{a:1}",
                           "{'a':1}",
                           "{\"a\":[1,]}",
                           "{\"a\":[,]}",
                           "{\"a\":[1}",
                           "{\"a\":[1 2]}",
                           "{\"a\":01}",
                           "{\"a\":+1}",
                           "{\"a\":.5}",
                           "{\"a\":1.}",
                           "{\"a\":1e}",
                           "{\"a\":-}",
                           "{\"a\":tru}",
                           "{\"a\":truee}",
                           "{\"a\":NaN}",
                           "{\"a\":\"}",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":\"\\u12\"}",
                           "{\"a\":\"\\ud800\"}",
                           "{\"a\":\"\\udc00\"}",
                           "{\"a\":\"\\ud800\\u0041\"}",
                           "{\"a\":\"\n\"}",
                           "{\"a\":\"\\",
                           "{1:2}"})
    EXPECT_EQ(compact(text), "< refused") << text;
}

TEST(json_compact, bounds_the_depth_instead_of_the_stack) {
  const auto nested = [](std::size_t depth) {
    std::string text = "{\"a\":";
    for (std::size_t i = 1; i < depth; ++i)
      text += '[';
    for (std::size_t i = 1; i < depth; ++i)
      text += ']';
    return text + "}";
  };
  EXPECT_EQ(compact(nested(512)), "<" + nested(512));
  EXPECT_EQ(compact(nested(513)), "< refused");
  EXPECT_EQ(compact(nested(1'000'000)), "< refused");
}

TEST(json_compact, agrees_with_a_second_parser_on_damaged_text) {
  const std::string whole = R"({"a":[1,-2.5e3,"x\n\u00e9",{"b":{}},[]],"c":null,"d":true,"e":"f"})";
  std::mt19937 random{11};
  const std::string_view bytes = "{}[]\",:\\x10.e-tn ";
  for (int round = 0; round < 20'000; ++round) {
    auto text = whole;
    for (auto edits = 1 + random() % 3; edits > 0; --edits) {
      const auto at = random() % text.size();
      if (random() % 2 == 0)
        text[at] = bytes[random() % bytes.size()];
      else
        text.erase(at, 1);
    }
    const bool valid = nlohmann::json::accept(text);
    ASSERT_EQ(compact(text) != "< refused", valid) << text;
  }
}

TEST(json_reader, names_what_is_wrong_with_a_body) {
  reader from;
  const auto fault_of = [&from](std::string_view body) {
    const auto parsed = from.parse(body);
    const auto* error = std::get_if<client_error>(&parsed);
    return error ? error->what : fault::internal;
  };
  for (const auto* body : {"", " ", "{", "{}}", "nope", "[1,]", "{\"a\":1e999}", "\"\xFF\"",
                           "\"\\ud800\"", "123456789012345678901234567890"})
    EXPECT_EQ(fault_of(body), fault::invalid_json) << body;
  EXPECT_EQ(fault_of(std::string(600, '[') + std::string(600, ']')), fault::invalid_json);
  EXPECT_EQ(fault_of("{}"), fault::internal) << "no error";
}

TEST(json_reader, goes_on_after_large_and_broken_bodies) {
  reader from;
  for (const std::size_t size : {10U, 3'000'000U, 20U, 1'000'000U, 2'000'000U, 5U}) {
    const auto body = "[\"" + std::string(size, 'x') + "\"]";
    const auto parsed = from.parse(body);
    ASSERT_TRUE(std::holds_alternative<element>(parsed));
    std::string out;
    append_element(out, std::get<element>(parsed));
    EXPECT_EQ(out, body);
    EXPECT_TRUE(std::holds_alternative<client_error>(from.parse("{")));
    from.release_large();
  }
}

enum class letter : std::uint8_t { a, b };
constexpr member_names<2> letters{{{"a", "b"}}};

TEST(json_reader, last_of_equal_members_wins_and_null_is_absent) {
  reader from;
  const auto parsed = from.parse(R"({"a":1,"c":0,"a":2,"b":3,"b":null})");
  const members<letter, 2> found{*as_object(std::get<element>(parsed)), letters};
  ASSERT_NE(found[letter::a], nullptr);
  EXPECT_EQ(as_integer(*found[letter::a]), 2);
  EXPECT_EQ(found[letter::b], nullptr);
}

TEST(json_reader, an_integer_may_be_written_as_a_float) {
  reader from;
  const auto integer = [&from](std::string_view text) {
    return as_integer(std::get<element>(from.parse(text)));
  };
  EXPECT_EQ(integer("3"), 3);
  EXPECT_EQ(integer("3.0"), 3);
  EXPECT_EQ(integer("-3e2"), -300);
  EXPECT_EQ(integer("3.5"), std::nullopt);
  EXPECT_EQ(integer("1e300"), std::nullopt);
  EXPECT_EQ(integer("18446744073709551615"), std::nullopt);
  EXPECT_EQ(integer("\"3\""), std::nullopt);
}

} // namespace
} // namespace troupe::json
