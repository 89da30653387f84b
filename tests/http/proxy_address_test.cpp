#include "http/core/proxy_address.hpp"

#include <gtest/gtest.h>

namespace troupe::http {
namespace {

void expect(std::string_view text, proxy_kind kind, std::string_view host, int port,
            std::string_view user = {}, std::string_view password = {}) {
  const auto proxy = parse_proxy(text);
  ASSERT_TRUE(proxy) << text << ": " << proxy.error().text;
  EXPECT_EQ(proxy->kind, kind) << text;
  EXPECT_EQ(proxy->host, host) << text;
  EXPECT_EQ(proxy->port, port) << text;
  EXPECT_EQ(proxy->user.reveal(), user) << text;
  EXPECT_EQ(proxy->password.reveal(), password) << text;
}

TEST(proxy_address, holds_kind_host_and_port) {
  expect("http://proxy.example:3128", proxy_kind::http, "proxy.example", 3128);
  expect("https://proxy.example:8443", proxy_kind::https, "proxy.example", 8443);
  expect("socks5://10.0.0.1:1081", proxy_kind::socks5, "10.0.0.1", 1081);
  expect("socks5h://[2001:DB8::1]:1081/", proxy_kind::socks5h, "2001:db8::1", 1081);
  expect("SOCKS5H://Proxy.Example", proxy_kind::socks5h, "proxy.example", 1080);
}

TEST(proxy_address, the_usual_ports_are_those_of_curl) {
  expect("http://p", proxy_kind::http, "p", 1080);
  expect("https://p", proxy_kind::https, "p", 443);
  expect("socks5://p:", proxy_kind::socks5, "p", 1080);
  expect("socks5h://p", proxy_kind::socks5h, "p", 1080);
}

TEST(proxy_address, user_and_password_are_percent_decoded) {
  expect("http://me:pass@p", proxy_kind::http, "p", 1080, "me", "pass");
  expect("socks5://me%40home:p%3ass%2F%25@p", proxy_kind::socks5, "p", 1080, "me@home", "p:ss/%");
  expect("http://me:a:b@p", proxy_kind::http, "p", 1080, "me", "a:b");
  expect("http://me:a@b@p", proxy_kind::http, "p", 1080, "me", "a@b");
  expect("http://me:50%@p", proxy_kind::http, "p", 1080, "me", "50%");
}

TEST(proxy_address, either_may_be_missing) {
  expect("http://me@p", proxy_kind::http, "p", 1080, "me");
  expect("socks5://me:@p", proxy_kind::socks5, "p", 1080, "me");
  expect("http://:pass@p", proxy_kind::http, "p", 1080, "", "pass");
  expect("http://@p", proxy_kind::http, "p", 1080);
  expect("http://:@p", proxy_kind::http, "p", 1080);
}

TEST(proxy_address, refuses_what_cannot_be_meant_without_repeating_it) {
  const auto long_one = std::string(256, 'x');
  for (const std::string& text : {std::string{},
                                  std::string{"p:1080"},
                                  std::string{"ftp://hush@p"},
                                  std::string{"socks4://hush@p"},
                                  std::string{"socks://p"},
                                  std::string{"http:/p"},
                                  std::string{"http://"},
                                  std::string{"http://:1080"},
                                  std::string{"http://hush:hush@"},
                                  std::string{"http://hush:hush@:80"},
                                  std::string{"http://hush:hush@p:0"},
                                  std::string{"http://hush:hush@p:65536"},
                                  std::string{"http://p:hush"},
                                  std::string{"http://p/hush"},
                                  std::string{"http://p?hush"},
                                  std::string{"http://p#hush"},
                                  std::string{"http://me:hu/sh@p"},
                                  std::string{"http://[::1"},
                                  std::string{"http://[hush]"},
                                  std::string{"http://hush hush"},
                                  std::string{"http://me%3ahush:x@p"},
                                  std::string{"http://me:hush%0d%0a@p"},
                                  std::string{"http://me%00:hush@p"},
                                  std::string{"socks5://:hush@p"},
                                  "socks5://" + long_one + ":hush@p",
                                  "socks5h://hush:" + long_one + "@p",
                                  "http://hush:" + std::string(2'049, 'x') + "@p"}) {
    const auto proxy = parse_proxy(text);
    ASSERT_FALSE(proxy) << text;
    EXPECT_EQ(proxy.error().code, errc::invalid_argument) << text;
    EXPECT_EQ(proxy.error().text.find("hush"), std::string::npos) << proxy.error().text;
    EXPECT_EQ(proxy.error().text.find("xx"), std::string::npos) << proxy.error().text;
  }
}

TEST(proxy_address, as_text_it_has_no_login) {
  for (const auto& [text, shown] :
       {std::pair{"http://me:hush@Proxy.example", "http://proxy.example:1080"},
        std::pair{"https://me:hush@p", "https://p:443"},
        std::pair{"socks5://me:hush@127.0.0.1:1", "socks5://127.0.0.1:1"},
        std::pair{"socks5h://[::1]:9/", "socks5h://[::1]:9"}})
    EXPECT_EQ(to_string(*parse_proxy(text)), shown);
}

} // namespace
} // namespace troupe::http
