#include "actors/admin/preconditions.hpp"

#include "actors/admin/body.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(if_match, names_one_revision_or_any) {
  EXPECT_EQ(read_if_match("\"7\"").revision, 7U);
  EXPECT_EQ(read_if_match(" \"0\" ").revision, 0U);
  for (const auto* any : {"", "*", " * "}) {
    EXPECT_TRUE(read_if_match(any).good);
    EXPECT_FALSE(read_if_match(any).revision);
  }
}

TEST(if_match, anything_else_is_refused_and_not_passed_over) {
  for (const auto* text : {"7", "W/\"7\"", "\"7\", \"8\"", "\"x\"", "\"\"", "\"-1\"", "\"7",
                           "\"99999999999999999999\""})
    EXPECT_FALSE(read_if_match(text).good) << text;
}

TEST(same_origin, a_page_may_call_only_its_own_host) {
  EXPECT_TRUE(same_origin("", "127.0.0.1:8081"));
  EXPECT_TRUE(same_origin("http://127.0.0.1:8081", "127.0.0.1:8081"));
  EXPECT_TRUE(same_origin("HTTP://Admin.Example", "admin.example:80"));
  EXPECT_TRUE(same_origin("https://admin.example:443", "admin.example"));
  EXPECT_TRUE(same_origin("http://[::1]:8081", "[::1]:8081"));
  for (const auto* origin :
       {"null", "http://evil.example", "http://127.0.0.1:9999", "http://127.0.0.1",
        "http://127.0.0.1:8081.evil.example", "127.0.0.1:8081"})
    EXPECT_FALSE(same_origin(origin, "127.0.0.1:8081")) << origin;
  EXPECT_FALSE(same_origin("http://a", ""));
}

TEST(media_type, is_known_with_or_without_a_charset_of_utf_8) {
  for (const auto* good :
       {"application/json", "Application/JSON", "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"", "application/json ; x=1"})
    EXPECT_TRUE(is_media_type(good, "application/json")) << good;
  for (const auto* bad : {"", "text/json", "application/jsonx", "application/json; charset=utf-16",
                          "application/json; x=1; charset=latin1"})
    EXPECT_FALSE(is_media_type(bad, "application/json")) << bad;
}

TEST(shown_name, shows_what_can_be_a_name_and_hides_what_can_be_a_secret) {
  EXPECT_EQ(shown_name("colour"), "colour");
  EXPECT_EQ(shown_name("sk-troupe-0123456789abcdef0123456789abcdef"), "sk-troup...");
  EXPECT_EQ(shown_name("a\nb"), "a?b...");
}

} // namespace
} // namespace troupe
