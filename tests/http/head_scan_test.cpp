#include "http/core/head_scan.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::http {
namespace {

using state = head_scan::state;

TEST(head_scan, finds_the_end_wherever_the_bytes_are_cut) {
  const std::string head = "\r\nGET / HTTP/1.1\r\nhost: a\r\nx:\r\n\r\n";
  const std::string all = head + "body\n\n";
  for (std::size_t cut = 0; cut <= head.size(); ++cut) {
    head_scan scan;
    if (cut < head.size()) {
      ASSERT_EQ(scan.look(std::string_view{all}.substr(0, cut)), state::incomplete) << cut;
    }
    ASSERT_EQ(scan.look(all), state::complete) << cut;
    EXPECT_EQ(scan.begin(), 2U);
    EXPECT_EQ(scan.end(), head.size());
  }
}

TEST(head_scan, says_malformed_as_soon_as_the_line_is_there) {
  for (const auto* bytes : {"GET / HTTP/1.1\n", "\n", "GET / HTTP/1.1\r\nhost: a\n",
                            "GET / HTTP/1.1\r\nx: a\r\n b", "GET / HTTP/1.1\r\n\tx: a"}) {
    head_scan scan;
    EXPECT_EQ(scan.look(bytes), state::malformed) << bytes;
  }
}

TEST(head_scan, a_cr_and_its_lf_may_arrive_apart) {
  head_scan scan;
  EXPECT_EQ(scan.look("GET / HTTP/1.1\r"), state::incomplete);
  EXPECT_EQ(scan.look("GET / HTTP/1.1\r\n\r"), state::incomplete);
  EXPECT_EQ(scan.look("GET / HTTP/1.1\r\n\r\n"), state::complete);
}

TEST(head_scan, four_empty_lines_are_ignored_and_a_fifth_is_not) {
  head_scan four;
  EXPECT_EQ(four.look("\r\n\r\n\r\n\r\nG"), state::incomplete);
  head_scan five;
  EXPECT_EQ(five.look("\r\n\r\n\r\n\r\n\r\n"), state::malformed);
}

} // namespace
} // namespace troupe::http
