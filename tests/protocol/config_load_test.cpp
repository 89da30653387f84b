#include "protocol/config/compare.hpp"
#include "protocol/config/load.hpp"
#include "protocol/config/options.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace troupe {
namespace {

using namespace std::chrono_literals;

loaded_settings load(std::string text) {
  config_sources sources;
  sources.file = config_text{"troupe.json", std::move(text)};
  return load_settings(sources);
}

std::vector<std::string> said(const loaded_settings& loaded) {
  std::vector<std::string> lines;
  for (const auto& p : loaded.problems)
    lines.push_back(to_string(p));
  return lines;
}

std::string all_of(const loaded_settings& loaded) {
  std::string text;
  for (const auto& line : said(loaded))
    text += line + '\n';
  for (const auto& line : loaded.warnings)
    text += line + '\n';
  return text;
}

using lines = std::vector<std::string>;

TEST(config_load, nothing_configured_gives_the_defaults_and_opens_nothing) {
  const auto loaded = load_settings({});
  EXPECT_EQ(said(loaded), lines{});
  for (const auto& o : config::options())
    if (config::elements_of(settings{}, o) != 0) {
      EXPECT_EQ(config::show(o, loaded.values), config::show(o, settings{})) << o.path;
    }
  EXPECT_TRUE(loaded.values.credentials.clients.empty());
  EXPECT_TRUE(loaded.values.credentials.admins.empty());
  EXPECT_EQ(loaded.warnings, lines{}); // the keys may be in the database
  EXPECT_TRUE(loaded.origins.empty());
}

TEST(config_load, a_file_sets_every_kind_of_value) {
  const auto loaded = load(R"({
    // all kinds
    "listen": "[::1]:9000",
    "scheduler": "sharing",
    "loops": 4,
    "server": {"body_bytes_max": "1MiB", "header_bytes_max": 2048, "idle_timeout": "1h30m"},
    "cors": {"origins": ["https://chat.example.org", "*"]},
    "upstreams": [
      {"name": "g", "keys": ["AIzaOne", "AIzaTwo", "AIzaOne"], "verify": false,
       "headers": {"X-Team": "blue green"}},
      {"name": "v", "kind": "vertex", "base_url": null}
    ],
    "credentials": {
      "clients": [{"name": "alice", "secret": "long-enough"},
                  {"name": "bob", "sha256": "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff"}],
      "admins": [{"name": "carol", "secret": "also-long-enough"}]
    },
    "translation": {"thoughts": "never", "signature_carriers": ["id"],
                    "safety_settings": [{"category": "A", "threshold": "OFF"}]},
    "log": {"level": "warning", "levels": {"pool": "debug"}, "age_max": 0}
  })");
  ASSERT_EQ(said(loaded), lines{});
  const auto& s = loaded.values;
  EXPECT_EQ(s.listen, (listen_address{"::1", 9000}));
  EXPECT_EQ(s.scheduler, scheduler_kind::sharing);
  EXPECT_EQ(s.loops, 4U);
  EXPECT_EQ(s.server.body_bytes_max, 1'048'576U);
  EXPECT_EQ(s.server.header_bytes_max, 2'048U);
  EXPECT_EQ(s.server.idle_timeout, 90min);
  EXPECT_EQ(s.cors.origins, (lines{"https://chat.example.org", "*"}));
  ASSERT_EQ(s.upstreams.size(), 2U);
  EXPECT_EQ(s.upstreams[0].keys, (std::vector{secret{"AIzaOne"}, secret{"AIzaTwo"}}));
  EXPECT_FALSE(s.upstreams[0].verify);
  EXPECT_EQ(s.upstreams[0].headers.at("x-team"), secret{"blue green"});
  EXPECT_EQ(s.upstreams[1].kind, upstream_kind::vertex);
  EXPECT_EQ(s.upstreams[1].base_url, "https://aiplatform.googleapis.com");
  EXPECT_EQ(s.credentials.clients[0].value, secret{"long-enough"});
  EXPECT_EQ(s.credentials.clients[1].sha256,
            "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
  EXPECT_EQ(s.credentials.admins[0].name, "carol");
  EXPECT_EQ(s.translation.thoughts, thoughts_policy::never);
  EXPECT_FALSE(s.translation.signature_in_extra_content);
  EXPECT_TRUE(s.translation.signature_in_id);
  EXPECT_EQ(s.translation.safety_settings, R"([{"category":"A","threshold":"OFF"}])");
  EXPECT_EQ(s.log.levels[static_cast<std::size_t>(log_area::pool)], log_level::debug);
  EXPECT_EQ(s.log.levels[static_cast<std::size_t>(log_area::http)], log_level::warning);
  EXPECT_EQ(s.log.age_max, 0s);
}

TEST(config_load, every_value_tells_where_it_came_from) {
  config_sources sources;
  sources.file = config_text{
      "troupe.json", "{\n\"loops\": 2,\n\"data_dir\": \"d\",\n\"listen\": \"127.0.0.1:1\"}"};
  sources.env_file = config_text{".env", "TROUPE_LISTEN=127.0.0.1:2\nTROUPE_SCHEDULER=sharing\n"};
  sources.environment = {{"TROUPE_SCHEDULER", "asio"}};
  sources.command_line = {{"data_dir", "e"}};
  const auto loaded = load_settings(sources);
  ASSERT_EQ(said(loaded), lines{});
  EXPECT_EQ(to_string(loaded.origin_of("loops")), "troupe.json:2");
  EXPECT_EQ(to_string(loaded.origin_of("listen")), "TROUPE_LISTEN in .env:1");
  EXPECT_EQ(to_string(loaded.origin_of("scheduler")), "TROUPE_SCHEDULER");
  EXPECT_EQ(to_string(loaded.origin_of("data_dir")), "--data-dir");
  EXPECT_EQ(to_string(loaded.origin_of("admin_listen")), "default");
  EXPECT_EQ(loaded.values.listen.port, 2);
  EXPECT_EQ(loaded.values.data_dir, "e");
}

TEST(config_load, null_means_the_default) {
  const auto loaded =
      load(R"({"listen": null, "server": null, "log": {"levels": {"http": null}}})");
  EXPECT_EQ(said(loaded), lines{});
  EXPECT_TRUE(loaded.origins.empty());
}

TEST(config_load, errors_name_file_line_option_what_is_allowed_and_all_come_at_once) {
  const auto loaded = load(R"({
    "lisen": "127.0.0.1:1",
    "loops": 1000,
    "drain_timeout": 30,
    "scheduler": "aiso",
    "server": {"body_bytes_max": "32Mb", "idle_timeout": "5 minutes"},
    "body_timeout": "1s",
    "log": {"level": true},
    "cors": []
  })");
  EXPECT_EQ(
      said(loaded),
      (lines{
          "troupe.json:2: \"lisen\" is not an option; did you mean \"listen\"?",
          "troupe.json:3: loops: must be a whole number from 0 to 256",
          "troupe.json:4: drain_timeout: needs a unit: a duration such as \"250ms\" or \"5m\", "
          "from 0s to 1h",
          "troupe.json:5: scheduler: must be one of asio, sharing; did you mean \"asio\"?",
          "troupe.json:6: server.body_bytes_max: must be a size such as \"64KiB\" or 65536, from "
          "1KiB to 2GiB",
          "troupe.json:6: server.idle_timeout: must be a duration such as \"250ms\" or \"5m\", "
          "from 100ms to 1d",
          "troupe.json:7: \"body_timeout\" is not an option here; there is server.body_timeout",
          "troupe.json:8: log.level: must be one of debug, info, warning, error; this is true or "
          "false",
          "troupe.json:9: cors: must be an object; this is a list",
      }));
}

TEST(config_load, objects_in_lists_are_checked_like_everything_else) {
  const auto loaded = load(R"({"upstreams": [
    {"nmae": "a"},
    {"name": "b", "kind": "openapi", "base_url": "example.org", "headers": {"host": "x"}},
    7
  ]})");
  EXPECT_EQ(said(loaded),
            (lines{
                "troupe.json:2: upstreams[0]: \"nmae\" is not an option; did you mean \"name\"?",
                "troupe.json:2: upstreams[0]: needs a \"name\"",
                "troupe.json:3: upstreams[1].kind: must be one of gemini, vertex, openai, "
                "anthropic; did you mean \"openai\"?",
                "troupe.json:3: upstreams[1].base_url: must begin with http:// or https://",
                "troupe.json:3: upstreams[1].headers: \"host\" is set by the gateway itself",
                "troupe.json:4: upstreams[2]: must be an object; this is a number",
            }));
}

TEST(config_load, options_that_contradict_each_other_are_refused) {
  EXPECT_EQ(said(load("{\"listen\": \"0.0.0.0:8080\",\n\"admin_listen\": \"127.0.0.1:8080\"}")),
            lines{"troupe.json:2: admin_listen: must not be the port of listen: admin answers have "
                  "a port of their own"});
  EXPECT_EQ(said(load(R"({"listen": "127.0.0.1:8081"})")),
            lines{"troupe.json:1: admin_listen: must not be the port of listen: admin answers have "
                  "a port of their own"});
  EXPECT_EQ(said(load(R"({"listen": "127.0.0.1:0", "admin_listen": "127.0.0.1:0"})")), lines{});
  EXPECT_EQ(said(load(R"({"tls": {"private_key": "k.pem"}})")),
            lines{"troupe.json:1: tls.certificate_chain: is missing: TLS needs the certificate "
                  "chain and its private key"});
  EXPECT_EQ(said(load(R"({"pool": {"cooldown": "1h"}})")),
            lines{"troupe.json:1: pool.cooldown: must not be longer than pool.cooldown_max, 10m"});
  EXPECT_EQ(said(load(R"({"upstreams": [{"name": "a", "total_timeout": "1m"}]})")),
            lines{"troupe.json:1: upstreams[0].first_byte_timeout: must not be longer than "
                  "total_timeout, 1m"});
  EXPECT_EQ(said(load(R"({"upstreams": []})")),
            lines{"troupe.json:1: upstreams: must hold at least one"});
}

TEST(config_load, credentials_have_one_secret_each_and_unique_names) {
  const auto loaded = load(R"({"credentials": {"clients": [
    {"name": "a"},
    {"name": "b", "secret": "long-enough"},
    {"name": "b", "secret": "another-one"},
    {"name": "c", "secret": "long-enough"},
    {"name": "d", "secret": "short"},
    {"name": "e", "secret": "sk-123456"}
  ]}})");
  EXPECT_EQ(
      said(loaded),
      (lines{
          "troupe.json:6: credentials.clients[4].secret: must be a text of at least 8 printable "
          "characters without spaces",
          "troupe.json:7: credentials.clients[5].secret: is a placeholder that everybody knows; "
          "choose a secret",
          "troupe.json:2: credentials.clients[0]: needs either a secret or a sha256, and not both",
          "troupe.json:4: credentials.clients[2].name: stands twice: names of credentials are "
          "unique",
          "troupe.json:5: credentials.clients[3]: has the same secret as another one",
          "troupe.json:6: credentials.clients[4]: needs either a secret or a sha256, and not both",
          "troupe.json:7: credentials.clients[5]: needs either a secret or a sha256, and not both",
      }));
}

TEST(config_load, no_text_for_people_repeats_a_configured_value) {
  const std::string key = "AIzaSyD0000000000000000000000SECRET";
  const auto q = '"' + key + '"';
  const auto loaded =
      load("{" + q + ": 1, \"listen\": " + q + ", \"scheduler\": " + q + ", \"loops\": " + q
           + ", \"drain_timeout\": " + q + ", \"server\": {" + q + ": 1, \"body_bytes_max\": " + q
           + "}, \"upstreams\": [{\"name\": \"a\", \"keys\": [\"x y" + key
           + "\", 1], \"keys_file\": \"\", "
             "\"base_url\": \"https://"
           + key + "@h\", \"headers\": {" + q + ": 1}, \"kind\": " + q + "}, " + q
           + "], \"credentials\": {\"clients\": [{\"name\": \"a b" + key + "\", \"secret\": \"a b"
           + key + "\", \"sha256\": " + q + "}]}, \"log\": " + q
           + ", \"translation\": {\"safety_settings\": [" + q + "]}}");
  EXPECT_GT(loaded.problems.size(), 12U);
  EXPECT_EQ(all_of(loaded).find("SECRET"), std::string::npos) << all_of(loaded);
}

TEST(config_load, a_broken_file_gives_one_error_with_its_line) {
  EXPECT_EQ(said(load("{\n\"loops\": 2,\n")),
            lines{"troupe.json:3: the object of line 1 has no end"});
  EXPECT_EQ(said(load("[]")), lines{"troupe.json:1: the file must hold one object, in braces"});
  EXPECT_EQ(said(load("{\"loops\": 1,\n\"loops\": 2}")),
            lines{"troupe.json:2: \"loops\" stands here again; it is first on line 1"});
}

TEST(config_load, hostile_files_are_refused_in_bounded_time) {
  EXPECT_EQ(load(std::string(20'000'000, '[')).problems.size(), 1U);
  EXPECT_EQ(load(std::string(1'000, '\0')).problems.size(), 1U);
  std::string many = "{\"a\":1";
  for (int i = 0; i < 50'000; ++i)
    many += ",\"unknown_" + std::to_string(i) + "\":1";
  const auto loaded = load(many + '}');
  EXPECT_EQ(loaded.problems.size(), 101U);
  EXPECT_EQ(loaded.problems.back().text, "there is more that is wrong, not told here");
  std::string objects = "{\"upstreams\":[{}";
  for (int i = 0; i < 1'000; ++i)
    objects += ",{}";
  EXPECT_EQ(said(load(objects + "]}")),
            lines{"troupe.json:1: upstreams: holds more than 64 elements"});
}

TEST(config_load, names_with_dots_reach_no_option_by_another_way) {
  EXPECT_EQ(load(R"({"server.body_bytes_max": 2048})").problems.size(), 1U);
  EXPECT_EQ(load(R"({"upstreams[0].name": "x"})").problems.size(), 1U);
  EXPECT_EQ(load(R"({"": 1})").problems.size(), 1U);
}

TEST(config_load, keys_files_have_one_key_per_line) {
  config_sources sources;
  sources.file = config_text{
      "troupe.json", R"({"upstreams": [{"name": "g", "keys": ["one"], "keys_file": "k"}]})"};
  std::string text = "# mine\n\none\r\ntwo\n  three  \n";
  sources.read_file = [&](const std::string& path) -> result<std::string> {
    EXPECT_EQ(path, "k");
    return text;
  };
  auto loaded = load_settings(sources);
  ASSERT_EQ(said(loaded), lines{});
  EXPECT_EQ(loaded.values.upstreams[0].keys,
            (std::vector{secret{"one"}, secret{"two"}, secret{"three"}}));
  EXPECT_EQ(loaded.warnings, lines{"k: 1 repeated keys, counted once"});
  text = "one\ntwo words\nAIzaSyxxxxxxxxxxxx\n";
  EXPECT_EQ(said(load_settings(sources)), (lines{"k:2: is not a key: a key has no space in it",
                                                 "k:3: is a placeholder, not a key"}));
  sources.read_file = [](const std::string&) -> result<std::string> {
    return failure{errc::not_found, "k: No such file or directory"};
  };
  EXPECT_EQ(said(load_settings(sources)),
            lines{"troupe.json:1: upstreams[0].keys_file: k: No such file or directory"});
}

TEST(config_load, risky_choices_are_told) {
  const auto loaded = load(R"({"admin_listen": "0.0.0.0:9", "upstreams": [
    {"name": "a", "verify": false, "base_url": "http://example.org", "keys": ["k"]},
    {"name": "b", "base_url": "http://127.0.0.1:1", "keys": ["k"]}]})");
  EXPECT_EQ(said(loaded), lines{});
  EXPECT_EQ(loaded.warnings,
            (lines{"admin_listen is reachable from other machines and speaks plain HTTP",
                   "upstream \"a\": certificates are not verified; its keys can be stolen",
                   "upstream \"a\": keys travel unencrypted, because its base_url is http"}));
}

} // namespace
} // namespace troupe
