#include "http/client.hpp"

#include <gtest/gtest.h>

namespace troupe::http {
namespace {

void expect(std::string_view url, bool tls, std::string_view host, int port,
            std::string_view path) {
  const auto parsed = parse_base_url(url);
  ASSERT_TRUE(parsed) << url << ": " << parsed.error().text;
  EXPECT_EQ(parsed->first.tls, tls) << url;
  EXPECT_EQ(parsed->first.host, host) << url;
  EXPECT_EQ(parsed->first.port, port) << url;
  EXPECT_EQ(parsed->second, path) << url;
}

TEST(client_url, splits_scheme_host_port_and_path) {
  expect("https://generativelanguage.googleapis.com", true, "generativelanguage.googleapis.com",
         443, "");
  expect("https://generativelanguage.googleapis.com/v1beta", true,
         "generativelanguage.googleapis.com", 443, "/v1beta");
  expect("http://127.0.0.1:8082/a/b", false, "127.0.0.1", 8082, "/a/b");
  expect("http://sandbox", false, "sandbox", 80, "");
  expect("http://sandbox:/x", false, "sandbox", 80, "/x");
}

TEST(client_url, drops_trailing_slashes_of_the_path) {
  expect("https://h/", true, "h", 443, "");
  expect("https://h/v1beta/", true, "h", 443, "/v1beta");
  expect("https://h/v1beta//", true, "h", 443, "/v1beta");
}

TEST(client_url, scheme_and_host_are_of_either_case) {
  expect("HTTPS://API.Example.COM/Path", true, "api.example.com", 443, "/Path");
}

TEST(client_url, addresses_lose_their_brackets) {
  expect("http://[::1]:8080/x", false, "::1", 8080, "/x");
  expect("https://[2001:DB8::1]", true, "2001:db8::1", 443, "");
}

TEST(client_url, refuses_what_is_no_base_url_without_repeating_it) {
  for (const char* url : {"",
                          "host",
                          "ftp://host",
                          "https://",
                          "https:///path",
                          "https://:443",
                          "https://user:hush@h",
                          "https://h?key=hush",
                          "https://h/p#hush",
                          "https://h:0",
                          "https://h:65536",
                          "https://h:1x",
                          "https://h:-1",
                          "https://[::1",
                          "https://[]",
                          "https://[host]",
                          "https://[::1]x",
                          "https://ho st",
                          "https://h/a b",
                          "https://h/a\r\nhush: 1",
                          "https://h\xc3\xa9",
                          "http:/h",
                          "https://a:b:1"}) {
    const auto parsed = parse_base_url(url);
    ASSERT_FALSE(parsed) << url;
    EXPECT_EQ(parsed.error().code, errc::invalid_argument);
    EXPECT_EQ(parsed.error().text.find("hush"), std::string::npos);
  }
}

} // namespace
} // namespace troupe::http
