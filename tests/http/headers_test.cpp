#include "http/exchange.hpp"
#include "http/headers.hpp"

#include <gtest/gtest.h>

namespace troupe::http {
namespace {

TEST(headers, keep_order_and_repeated_fields) {
  headers h;
  h.add("A", "1");
  h.add("b", "2");
  h.add("a", "3");
  ASSERT_EQ(h.size(), 3U);
  EXPECT_EQ(h[0].name, "A");
  EXPECT_EQ(h[2].value, "3");
  EXPECT_EQ(h.get("a"), "1");
}

TEST(headers, names_compare_without_case_and_only_whole) {
  headers h;
  h.add("Content-Type", "text/plain");
  EXPECT_EQ(h.get("content-type"), "text/plain");
  EXPECT_EQ(h.get("CONTENT-TYPE"), "text/plain");
  EXPECT_FALSE(h.has("content-typ"));
  EXPECT_FALSE(h.has("content-typee"));
  EXPECT_FALSE(same_name("@", "`")); // one bit apart, as letters are from their capitals
}

TEST(headers, absent_is_not_empty) {
  headers h;
  h.add("x", "");
  EXPECT_TRUE(h.has("x"));
  EXPECT_EQ(h.get("x"), "");
  EXPECT_FALSE(h.has("y"));
  h.clear();
  EXPECT_FALSE(h.has("x"));
  EXPECT_EQ(h.size(), 0U);
}

TEST(headers, an_answers_fields_cannot_be_broken_out_of) {
  response_head head{200, "text/plain"};
  head.add("x", "a\r\nset-cookie: b");
  head.add("y\n", "c");
  EXPECT_EQ(head.fields, "x: aset-cookie: b\r\ny: c\r\n");
}

} // namespace
} // namespace troupe::http
