#include "http/core/answer_text.hpp"

#include <gtest/gtest.h>

namespace troupe::http {
namespace {

std::string date_at(std::int64_t seconds) {
  const auto text = http_date(wall_time{std::chrono::seconds{seconds}});
  return {text.data(), text.size()};
}

TEST(answer_text, writes_dates_as_http_does) {
  EXPECT_EQ(date_at(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT"); // RFC 9110, 5.6.7
  EXPECT_EQ(date_at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(date_at(951'782'399), "Mon, 28 Feb 2000 23:59:59 GMT");
  EXPECT_EQ(date_at(951'782'400), "Tue, 29 Feb 2000 00:00:00 GMT");
}

TEST(answer_text, knows_what_the_gateway_says) {
  EXPECT_EQ(status_text(200), "OK");
  EXPECT_EQ(status_text(429), "Too Many Requests");
  EXPECT_EQ(status_text(599), "");
}

TEST(answer_text, some_answers_never_have_a_body) {
  for (const int status : {100, 103, 204, 304})
    EXPECT_TRUE(never_has_body(status)) << status;
  for (const int status : {200, 206, 301, 404, 500})
    EXPECT_FALSE(never_has_body(status)) << status;
}

} // namespace
} // namespace troupe::http
