#include "protocol/config/names.hpp"
#include "protocol/config/store.hpp"
#include "protocol/config/values.hpp"

#include <gtest/gtest.h>

namespace troupe::config {
namespace {

using namespace std::chrono_literals;

TEST(config_values, durations_need_a_unit) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("30s"), 30s);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("7d"), 168h);
  EXPECT_EQ(parse_duration(" 1h30m "), 90min);
  EXPECT_EQ(parse_duration("0"), 0s);
  for (const auto* wrong : {"", "30", "s", "30 s", "-1s", "1.5s", "1s1s", "1s1h", "1x", "30S",
                            "99999999999999999999s", "99999999999d", "1h30"})
    EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
}

TEST(config_values, durations_are_written_as_they_are_read) {
  for (const auto* text : {"0s", "1ms", "1500ms", "90s", "5m", "36h", "30d"})
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
}

TEST(config_values, sizes_are_numbers_or_have_binary_or_decimal_units) {
  EXPECT_EQ(parse_bytes("1024"), 1024U);
  EXPECT_EQ(parse_bytes("64KiB"), 65'536U);
  EXPECT_EQ(parse_bytes("32 MiB"), 33'554'432U);
  EXPECT_EQ(parse_bytes("1GB"), 1'000'000'000U);
  for (const auto* wrong : {"", "MiB", "-1", "1.5MiB", "1mib", "99999999999GiB", "1 2"})
    EXPECT_EQ(parse_bytes(wrong), std::nullopt) << wrong;
  EXPECT_EQ(format_bytes(33'554'432), "32MiB");
  EXPECT_EQ(format_bytes(0), "0");
  EXPECT_EQ(format_bytes(1'000), "1000");
}

TEST(config_values, listen_addresses_are_numeric) {
  EXPECT_EQ(parse_listen_address("127.0.0.1:8080"), (listen_address{"127.0.0.1", 8080}));
  EXPECT_EQ(parse_listen_address("[::1]:80"), (listen_address{"::1", 80}));
  EXPECT_EQ(parse_listen_address("[::ffff:10.0.0.1]:80"), (listen_address{"::ffff:10.0.0.1", 80}));
  EXPECT_EQ(parse_listen_address(":8080"), (listen_address{"0.0.0.0", 8080}));
  EXPECT_EQ(parse_listen_address("localhost:0"), (listen_address{"127.0.0.1", 0}));
  for (const auto* wrong :
       {"", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "256.0.0.1:80",
        "127.0.1:80", "01.0.0.1:80", "example.org:80", "::1:80", "[::1:80", "[1:2]:80",
        "[1::2::3]:80", "[::12345]:80", "127. 0.0.1:80", "127.0.0.1:80x"})
    EXPECT_EQ(parse_listen_address(wrong), std::nullopt) << wrong;
  EXPECT_EQ(to_string(listen_address{"::1", 80}), "[::1]:80");
}

TEST(config_values, base_urls_are_http_without_credentials) {
  for (const auto* good :
       {"https://example.org", "http://127.0.0.1:9000/v1beta/", "http://[::1]:1"})
    EXPECT_EQ(fault_of_base_url(good), "") << good;
  for (const auto* wrong :
       {"example.org", "ftp://example.org", "https://", "https://u:p@example.org",
        "https://example.org?key=1", "https://example.org:0", "https://example.org:99999",
        "https://exa mple.org", "https://a/b c"})
    EXPECT_NE(fault_of_base_url(wrong), "") << wrong;
}

TEST(config_values, base_urls_lose_their_version_path) {
  EXPECT_EQ(normalized_base_url("https://a.example/v1beta/"), "https://a.example");
  EXPECT_EQ(normalized_base_url("https://a.example/v1beta1/publishers/google"),
            "https://a.example");
  EXPECT_EQ(normalized_base_url("https://a.example/proxy/"), "https://a.example/proxy");
}

TEST(config_values, the_nearest_name_is_offered_only_when_it_is_near) {
  const std::string_view names[] = {"listen", "admin_listen", "data_dir", "scheduler"};
  EXPECT_EQ(nearest_name("lisen", names), "listen");
  EXPECT_EQ(nearest_name("litsen", names), "listen");
  EXPECT_EQ(nearest_name("LISTEN", names), "listen");
  EXPECT_EQ(nearest_name("data-dir", names), "data_dir");
  EXPECT_EQ(nearest_name("colour", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name(std::string(1000, 'x'), names), "");
}

TEST(config_values, a_name_that_may_be_a_key_is_not_shown) {
  EXPECT_EQ(printable_name("lisen"), "\"lisen\"");
  EXPECT_EQ(printable_name("AIzaSyabcdefg"), "a name");
  EXPECT_EQ(printable_name("sk-abcdef"), "a name");
  EXPECT_EQ(printable_name("a1b2c3d4"), "a name");
  EXPECT_EQ(printable_name(std::string(41, 'a')), "a name");
  EXPECT_EQ(printable_name("two\nlines"), "a name");
}

TEST(config_values, placeholders_of_example_files_are_known) {
  for (const auto* text : {"sk-123456", "AIzaSyxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "AIzaSy...xxxx",
                           "your-api-key", "YOUR_KEY", "<key>", "changeme"})
    EXPECT_TRUE(is_placeholder(text)) << text;
  for (const auto* text :
       {"AIzaSyD3x9xxkQ0-abcdefghijklmnopqrstuvw", "sk-troupe-0f3a", "AQ.Ab8RN6Kx"})
    EXPECT_FALSE(is_placeholder(text)) << text;
}

} // namespace
} // namespace troupe::config
