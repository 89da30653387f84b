#include "http/detail/framing.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace troupe::http::detail {
namespace {

headers fields(std::initializer_list<headers::field> list) {
  headers h;
  for (const auto& f : list)
    h.add(f.name, f.value);
  return h;
}

framing frame_of(const headers& h, int minor_version = 1) {
  framing f;
  EXPECT_FALSE(read_framing(h, minor_version, f).refused());
  return f;
}

int status_of(const headers& h, int minor_version = 1) {
  framing f;
  return read_framing(h, minor_version, f).status;
}

TEST(framing, keeps_http_1_1_and_closes_http_1_0_unless_told_otherwise) {
  EXPECT_TRUE(frame_of(fields({{"host", "a"}})).keep_alive);
  EXPECT_FALSE(frame_of(fields({{"host", "a"}, {"connection", "close"}})).keep_alive);
  EXPECT_FALSE(frame_of(fields({{"host", "a"}, {"connection", "x ,\tCLOSE"}})).keep_alive);
  EXPECT_TRUE(frame_of(fields({{"host", "a"}, {"connection", "closed"}})).keep_alive);
  EXPECT_FALSE(frame_of({}, 0).keep_alive);
  EXPECT_TRUE(frame_of(fields({{"connection", "keep-alive"}}), 0).keep_alive);
  EXPECT_FALSE(frame_of(fields({{"connection", "keep-alive, close"}}), 0).keep_alive);
}

TEST(framing, reads_one_length_of_digits_only) {
  EXPECT_EQ(frame_of(fields({{"host", "a"}, {"content-length", "0042"}})).content_length, 42U);
  EXPECT_EQ(
      frame_of(fields({{"host", "a"}, {"content-length", "18446744073709551615"}})).content_length,
      18446744073709551615U);
  for (const auto* bad : {"", " ", "1 2", "1,1", "-0", "+1", "1.0", "0x1", "18446744073709551616"})
    EXPECT_EQ(status_of(fields({{"host", "a"}, {"content-length", bad}})), 400) << bad;
}

TEST(framing, takes_chunked_alone) {
  EXPECT_TRUE(frame_of(fields({{"host", "a"}, {"transfer-encoding", "CHUNKED"}})).chunked);
  EXPECT_EQ(status_of(fields({{"host", "a"}, {"transfer-encoding", "identity"}})), 501);
  EXPECT_EQ(status_of(fields({{"host", "a"}, {"transfer-encoding", "gzip, chunked"}})), 501);
  EXPECT_EQ(status_of(fields({{"host", "a"}, {"transfer-encoding", "chunked, gzip"}})), 400);
  EXPECT_EQ(status_of(fields({{"host", "a"}, {"transfer-encoding", ","}})), 400);
  EXPECT_EQ(status_of(fields({{"transfer-encoding", "chunked"}}), 0), 400);
}

TEST(framing, the_graver_fault_is_named_first) {
  EXPECT_EQ(status_of(fields({{"host", "a"},
                              {"content-encoding", "br"},
                              {"transfer-encoding", "gzip"},
                              {"content-length", "1"}})),
            400);
}

TEST(framing, knows_one_expectation_and_ignores_it_in_http_1_0) {
  EXPECT_TRUE(frame_of(fields({{"host", "a"}, {"expect", "100-Continue"}})).expects_continue);
  EXPECT_EQ(status_of(fields({{"host", "a"}, {"expect", "200-ok"}})), 417);
  EXPECT_FALSE(frame_of(fields({{"expect", "100-continue"}}), 0).expects_continue);
}

TEST(framing, identity_is_no_encoding) {
  EXPECT_EQ(status_of(fields({{"host", "a"}, {"content-encoding", "identity"}})), 0);
  EXPECT_EQ(status_of(fields({{"host", "a"}, {"content-encoding", "identity, gzip"}})), 415);
}

void expect_target(std::string_view whole, std::string_view path, std::string_view query) {
  const auto parts = split_target("GET", whole);
  ASSERT_TRUE(parts) << whole;
  EXPECT_EQ(parts->path, path) << whole;
  EXPECT_EQ(parts->query, query) << whole;
}

TEST(framing, splits_targets_of_every_form) {
  expect_target("/", "/", "");
  expect_target("/a?b?c", "/a", "b?c");
  expect_target("/a?", "/a", "");
  expect_target("//a/b", "//a/b", "");
  expect_target("http://h/a?b", "/a", "b");
  expect_target("HTTPS://h:1", "/", "");
  expect_target("http://h?b", "/", "b");
}

TEST(framing, refuses_targets_that_lead_nowhere) {
  for (const auto* bad : {"*", "a", "a:443", "ftp://h/", "http:///a", "http:/a", "/a#b"})
    EXPECT_FALSE(split_target("GET", bad)) << bad;
  EXPECT_TRUE(split_target("OPTIONS", "*"));
}

} // namespace
} // namespace troupe::http::detail
