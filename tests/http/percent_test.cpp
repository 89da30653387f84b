#include "http/core/percent.hpp"

#include <gtest/gtest.h>

namespace troupe::http {

TEST(percent, decodes_pairs_and_leaves_the_rest) {
  EXPECT_EQ(percent_decode("a%20b%2Fc"), "a b/c");
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%zz%4"), "%zz%4");
  EXPECT_EQ(percent_decode("%41"), "A");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
}

TEST(percent, encodes_all_that_is_reserved) {
  EXPECT_EQ(percent_encode("a-b_c.d~1"), "a-b_c.d~1");
  EXPECT_EQ(percent_encode("a/b?=&\xc3\xa9"), "a%2Fb%3F%3D%26%C3%A9");
}

} // namespace troupe::http
