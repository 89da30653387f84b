#include "http/core/credentials.hpp"
#include "http/credentials.hpp"

#include <gtest/gtest.h>

namespace troupe::http {
namespace {

TEST(credentials, fingerprint_is_the_beginning_of_the_sha256) {
  // SHA-256 of "abc" begins with ba7816bf8f01cfea (FIPS 180-2, appendix B.1).
  EXPECT_EQ(fingerprint("abc").value, 0xba7816bf8f01cfeaULL);
  EXPECT_EQ(to_string(fingerprint("abc")), "key_ba7816bf8f01cfea");
}

constexpr std::string_view abc_hash =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(credentials, a_hash_is_read_from_64_hex_digits_only) {
  EXPECT_EQ(parse_sha256(abc_hash), sha256("abc"));
  EXPECT_EQ(parse_sha256("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"),
            sha256("abc"));
  EXPECT_FALSE(parse_sha256(""));
  EXPECT_FALSE(parse_sha256(abc_hash.substr(1)));
  EXPECT_FALSE(parse_sha256(std::string{abc_hash.substr(1)} + "g"));
}

TEST(credentials, finds_by_secret_whether_given_as_text_or_as_hash) {
  const credential_set set{
      {credential_of("alice", "sk-alice"), {"carol", *parse_sha256(abc_hash)}}};
  ASSERT_NE(set.find("sk-alice"), nullptr);
  EXPECT_EQ(set.find("sk-alice")->name, "alice");
  ASSERT_NE(set.find("abc"), nullptr);
  EXPECT_EQ(set.find("abc")->name, "carol");
}

TEST(credentials, finds_nothing_for_any_other_text) {
  const credential_set set{{credential_of("alice", "sk-alice")}};
  for (const char* wrong : {"", "sk-alic", "sk-alice ", "SK-ALICE", "alice"})
    EXPECT_EQ(set.find(wrong), nullptr) << wrong;
  EXPECT_EQ(set.find(abc_hash), nullptr) << "a hash is not its secret";
  EXPECT_EQ(credential_set{}.find("sk-alice"), nullptr);
}

TEST(credentials, an_empty_secret_lets_nobody_in) {
  const credential_set set{{credential_of("empty", "")}};
  EXPECT_EQ(set.find(""), nullptr);
}

TEST(credentials, every_one_of_many_is_found_and_of_equals_the_first) {
  std::vector<credential> list;
  for (int i = 0; i < 1'000; ++i)
    list.push_back(credential_of("name " + std::to_string(i), "secret " + std::to_string(i)));
  list.push_back(credential_of("late", "secret 7"));
  const credential_set set{std::move(list)};
  for (int i = 0; i < 1'000; ++i) {
    const auto* found = set.find("secret " + std::to_string(i));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->name, "name " + std::to_string(i));
  }
}

TEST(credentials, hashes_that_begin_alike_are_told_apart) {
  auto nearly = sha256("abc");
  nearly.back() ^= 1;
  const credential_set set{{{"nearly", nearly}, credential_of("exactly", "abc")}};
  ASSERT_NE(set.find("abc"), nullptr);
  EXPECT_EQ(set.find("abc")->name, "exactly");
}

std::string shown(std::vector<std::pair<std::string_view, std::string_view>> fields,
                  std::string_view query = {}) {
  headers h;
  for (const auto& [name, value] : fields)
    h.add(name, value);
  request r;
  r.fields = &h;
  r.query = query;
  return presented_credential(r);
}

TEST(credentials, bearer_is_of_either_case_and_blanks_around_do_not_count) {
  EXPECT_EQ(shown({{"Authorization", "Bearer abc"}}), "abc");
  EXPECT_EQ(shown({{"authorization", "bearer abc"}}), "abc");
  EXPECT_EQ(shown({{"authorization", "BEARER   abc "}}), "abc");
  EXPECT_EQ(shown({{"authorization", "Basic abc"}}), "");
  EXPECT_EQ(shown({{"authorization", "Bearerabc"}}), "");
  EXPECT_EQ(shown({{"authorization", "Bearer"}}), "");
  EXPECT_EQ(shown({{"authorization", "abc"}}), "");
}

TEST(credentials, the_first_place_that_is_not_empty_counts) {
  EXPECT_EQ(
      shown({{"x-goog-api-key", "g"}, {"x-api-key", "a"}, {"authorization", "Bearer b"}}, "key=q"),
      "b");
  EXPECT_EQ(
      shown({{"x-goog-api-key", "g"}, {"x-api-key", "a"}, {"authorization", "Bearer "}}, "key=q"),
      "a");
  EXPECT_EQ(shown({{"x-goog-api-key", "g"}, {"x-api-key", ""}}, "key=q"), "g");
  EXPECT_EQ(shown({{"authorization", "Basic Zm9v"}}, "key=q"), "q");
  EXPECT_EQ(shown({}), "");
}

TEST(credentials, the_querys_key_is_percent_decoded_and_plus_is_plus) {
  EXPECT_EQ(shown({}, "alt=sse&key=a%2Bb+c"), "a+b+c");
  EXPECT_EQ(shown({}, "key=&key=second"), "second");
  EXPECT_EQ(shown({}, "k%65y=x"), "x");
  EXPECT_EQ(shown({}, "key"), "");
  EXPECT_EQ(shown({}, "monkey=x&Key=y&keys=z"), "");
}

TEST(credentials, without_key_keeps_the_rest_byte_for_byte) {
  EXPECT_EQ(without_key("key=abc"), "");
  EXPECT_EQ(without_key("alt=sse&key=abc"), "alt=sse");
  EXPECT_EQ(without_key("key=abc&alt=sse"), "alt=sse");
  EXPECT_EQ(without_key("a=1&key=abc&b=%20+&key=def&&c"), "a=1&b=%20+&&c");
  EXPECT_EQ(without_key("k%65y=abc&x=%6bey"), "x=%6bey");
  EXPECT_EQ(without_key("key"), "");
  EXPECT_EQ(without_key("monkey=1&keys=2"), "monkey=1&keys=2");
  EXPECT_EQ(without_key("a=1&"), "a=1&");
  EXPECT_EQ(without_key(""), "");
}

} // namespace
TEST(credentials, patterns_stand_for_names_of_models) {
  const auto fits = [](std::string_view pattern, std::string_view text) {
    return matches(pattern, text);
  };
  EXPECT_TRUE(fits("gemini-2.5-pro", "gemini-2.5-pro"));
  EXPECT_FALSE(fits("gemini-2.5-pro", "gemini-2.5-pro-exp"));
  EXPECT_TRUE(fits("gemini-2.5-*", "gemini-2.5-"));
  EXPECT_TRUE(fits("*", ""));
  EXPECT_TRUE(fits("*-pro", "gemini-pro"));
  EXPECT_FALSE(fits("a*a", "a"));
  EXPECT_TRUE(fits("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(fits("a*b*c", "aXcYb"));
  EXPECT_TRUE(fits("**", "x"));
  EXPECT_FALSE(fits("Gemini*", "gemini"));
  EXPECT_TRUE(matches_any({"x", "g*"}, "gemini"));
  EXPECT_FALSE(matches_any({}, "gemini"));
  std::string stars, many(50'000, 'a');
  for (int i = 0; i < 1'000; ++i)
    stars += "a*";
  EXPECT_FALSE(fits(stars + "b", many)) << "and says so soon";
}

} // namespace troupe::http
