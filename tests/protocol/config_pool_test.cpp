#include "protocol/config/document.hpp"
#include "protocol/config/load.hpp"
#include "protocol/config/options.hpp"

#include <gtest/gtest.h>

#include <algorithm>

// The options of the key pool: limits, waiting, breaker, egress, and where models go.

namespace troupe {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

loaded_settings load(std::string text) {
  config_sources sources;
  sources.file = config_text{"f", std::move(text)};
  return load_settings(sources);
}

lines said(const std::string& text) {
  lines out;
  for (const auto& p : load(text).problems)
    out.push_back(to_string(p) + " [" + p.code + ']');
  return out;
}

std::string shown(const loaded_settings& loaded, std::string_view path, std::size_t index = 0) {
  return config::show(*config::find_option(path), loaded.values, index);
}

TEST(config_pool, how_keys_are_chosen_and_waited_for_is_read) {
  const auto loaded = load(R"({"pool": {"strategy": "p2c_ewma", "wait_max": 0, "waiting_max": 0,
    "wait_heartbeat": 0, "quota_margin": "1s", "day_zone": "Etc/GMT+8",
    "output_tokens_assumed": 1, "learn_limits": false, "retry_empty": false, "affinity": false,
    "session_headers": ["X-Session", "x-session", "X-Chat"], "recheck_min": 0,
    "recheck_max": "1d", "rechecks_per_minute": 7},
    "breaker": {"enabled": false, "calls_min": 1, "failures_percent": 100, "window": "1m",
    "open_min": "1s", "open_max": "2s", "probes": 3, "slow_start": 0}})");
  ASSERT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
  const auto& p = loaded.values.pool;
  EXPECT_EQ(p.strategy, pool_strategy::p2c_ewma);
  EXPECT_EQ(p.wait_max, 0s);
  EXPECT_EQ(p.waiting_max, 0U);
  EXPECT_EQ(p.wait_heartbeat, 0s);
  EXPECT_EQ(p.quota_margin, 1s);
  EXPECT_EQ(p.day_zone, "Etc/GMT+8");
  EXPECT_EQ(p.output_tokens_assumed, 1U);
  EXPECT_FALSE(p.learn_limits);
  EXPECT_FALSE(p.retry_empty);
  EXPECT_FALSE(p.affinity);
  EXPECT_EQ(p.session_headers, (lines{"x-session", "x-chat"}));
  EXPECT_EQ(p.recheck_min, 0s);
  EXPECT_EQ(p.recheck_max, 24h);
  EXPECT_EQ(p.rechecks_per_minute, 7U);
  const auto& b = loaded.values.breaker;
  EXPECT_FALSE(b.enabled);
  EXPECT_EQ(b.calls_min, 1U);
  EXPECT_EQ(b.failures_percent, 100U);
  EXPECT_EQ(b.window, 1min);
  EXPECT_EQ(b.open_min, 1s);
  EXPECT_EQ(b.open_max, 2s);
  EXPECT_EQ(b.probes, 3U);
  EXPECT_EQ(b.slow_start, 0s);
}

TEST(config_pool, every_one_of_its_options_applies_live) {
  for (const auto& o : config::options())
    if (o.path.starts_with("pool.") || o.path.starts_with("breaker.")
        || o.path.starts_with("egress.") || o.path.starts_with("models.")
        || o.path.starts_with("upstreams[].")) {
      EXPECT_TRUE(o.live) << o.path;
    }
}

TEST(config_pool, what_is_out_of_range_or_not_of_its_type_is_told_with_what_is_allowed) {
  EXPECT_EQ(said(R"({"pool": {"strategy": "roundrobin", "waiting_max": 1000001,
    "quota_margin": "6s", "day_zone": "../etc/passwd", "session_headers": ["a b"],
    "wait_heartbeat": "500ms", "stratgy": 1}})"),
            (lines{
                "f:1: pool.strategy: must be one of most_headroom, round_robin, weighted, "
                "least_busy, p2c_ewma; did you mean \"round_robin\"? [invalid_value]",
                "f:1: pool.waiting_max: must be a whole number from 0 to 1000000 [out_of_range]",
                "f:2: pool.quota_margin: must be a duration such as \"250ms\" or \"5m\", from 0s "
                "to 5s [out_of_range]",
                "f:2: pool.day_zone: must be the name of a time zone, such as \"Europe/Berlin\" or "
                "\"UTC\" [invalid_value]",
                "f:2: pool.session_headers: element 0 does not fit: must be a list of names of "
                "headers [invalid_value]",
                "f:3: pool: \"stratgy\" is not an option; did you mean \"strategy\"? "
                "[unknown_option]",
                "f:3: pool.wait_heartbeat: must be 0 or at least 1s [out_of_range]",
            }));
}

TEST(config_pool, spans_that_contradict_each_other_are_refused) {
  EXPECT_EQ(said(R"({"pool": {"recheck_min": "7h"}, "breaker": {"open_max": "1s"}})"),
            (lines{"f:1: pool.recheck_min: must not be longer than pool.recheck_max, 6h [relation]",
                   "f:1: breaker.open_min: must not be longer than breaker.open_max, 1s "
                   "[relation]"}));
}

TEST(config_pool, a_wait_beyond_the_deadline_is_only_a_warning) {
  const auto loaded = load(R"({"pool": {"wait_max": "10m"}})");
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.warnings, lines{"pool.wait_max is longer than pool.request_deadline, 5m, which "
                                   "ends every wait"});
}

TEST(config_limits, are_read_in_the_shape_of_the_admin_api) {
  const auto loaded = load(R"({"upstreams": [{"name": "g", "limits": {
    "rpd": 500, "rpm": 10, "tpm": null,
    "models": {"gemini-2.5-pro": {"rpm": 5}, "a": {"concurrency": 2, "rpm": 1}, "b": null}}}]})");
  ASSERT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
  const std::vector<limit> expected{{"", limit_kind::rpm, 10},
                                    {"", limit_kind::rpd, 500},
                                    {"a", limit_kind::rpm, 1},
                                    {"a", limit_kind::concurrency, 2},
                                    {"gemini-2.5-pro", limit_kind::rpm, 5}};
  EXPECT_EQ(loaded.values.upstreams[0].limits, expected);
  EXPECT_EQ(shown(loaded, "upstreams[].limits"),
            R"({"rpd":500,"rpm":10,"models":{"a":{"concurrency":2,"rpm":1},)"
            R"("gemini-2.5-pro":{"rpm":5}}})");
  EXPECT_EQ(shown(load(R"({"upstreams":[{"name":"g","limits":{"models":{"a":{"rpm":1}}}}]})"),
                  "upstreams[].limits"),
            R"({"models":{"a":{"rpm":1}}})");
}

TEST(config_limits, are_checked_one_by_one) {
  EXPECT_EQ(said(R"({"upstreams": [{"name": "g", "limits": {
    "rmp": 10, "rpm": 0, "tpm": "many", "rpd": 1000000000001,
    "models": {"gemini-2.5-pro": 5, "": {"rpm": 1}, "x": {"models": {}}}}}]})"),
            (lines{
                "f:2: upstreams[0].limits: \"rmp\" is not a limit; did you mean \"rpm\"? "
                "[unknown_option]",
                "f:2: upstreams[0].limits: rpm must be from 1 to 1000000000000; leave it out for "
                "no limit [out_of_range]",
                "f:2: upstreams[0].limits: tpm must be a whole number; this is a text "
                "[wrong_type]",
                "f:2: upstreams[0].limits: rpd must be from 1 to 1000000000000; leave it out for "
                "no limit [out_of_range]",
                "f:3: upstreams[0].limits: \"gemini-2.5-pro\" must be an object of limits; this "
                "is a number [wrong_type]",
                "f:3: upstreams[0].limits: the name of a model must be 1 to 128 printable "
                "characters without spaces [invalid_value]",
                "f:3: upstreams[0].limits: \"models\" is not a limit [unknown_option]",
            }));
  EXPECT_EQ(said(R"({"upstreams": [{"name": "g", "limits": []}]})").size(), 1U);
  EXPECT_EQ(said(R"({"upstreams": [{"name": "g", "limits": {"models": 7}}]})"),
            lines{"f:1: upstreams[0].limits: models must be an object of limits by model; this is "
                  "a number [wrong_type]"});
}

TEST(config_upstreams, each_kind_has_its_own_address) {
  const auto loaded = load(R"({"upstreams": [{"name": "a", "kind": "openai"},
    {"name": "b", "kind": "anthropic"}, {"name": "c", "kind": "vertex"}, {"name": "d"},
    {"name": "e", "kind": "openai", "base_url": "https://llm.example/openai/v1/"}]})");
  ASSERT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
  const auto& u = loaded.values.upstreams;
  EXPECT_EQ(u[0].base_url, "https://api.openai.com");
  EXPECT_EQ(u[1].base_url, "https://api.anthropic.com");
  EXPECT_EQ(u[2].base_url, "https://aiplatform.googleapis.com");
  EXPECT_EQ(u[3].base_url, "https://generativelanguage.googleapis.com");
  EXPECT_EQ(u[4].base_url, "https://llm.example/openai");
}

TEST(config_models, aliases_fallbacks_and_routes_are_read) {
  const auto loaded = load(R"({"upstreams": [{"name": "g"}, {"name": "h"}],
    "models": {"aliases": {"fast": "flash", "flash": "gemini-2.5-flash", "off": null},
      "fallbacks": {"gemini-2.5-pro": ["gemini-2.5-flash", "gemini-2.0-flash"]},
      "routes": [{"models": ["gemini-*"], "upstreams": ["g", "h"], "groups": ["paid"]},
                 {"models": ["*"]}]}})");
  ASSERT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
  const auto& m = loaded.values.models;
  EXPECT_EQ(m.aliases,
            (std::map<std::string, std::string>{{"fast", "flash"}, {"flash", "gemini-2.5-flash"}}));
  EXPECT_EQ(m.fallbacks.at("gemini-2.5-pro"), (lines{"gemini-2.5-flash", "gemini-2.0-flash"}));
  ASSERT_EQ(m.routes.size(), 2U);
  EXPECT_EQ(m.routes[0], (model_route{{"gemini-*"}, {"g", "h"}, {"paid"}}));
  EXPECT_EQ(m.routes[1], (model_route{{"*"}, {}, {}}));
  EXPECT_EQ(shown(loaded, "models.aliases"), R"({"fast":"flash","flash":"gemini-2.5-flash"})");
  EXPECT_EQ(shown(loaded, "models.fallbacks"),
            R"({"gemini-2.5-pro":["gemini-2.5-flash","gemini-2.0-flash"]})");
  EXPECT_EQ(shown(loaded, "models.routes[].upstreams", 0), R"(["g","h"])");
}

TEST(config_models, an_alias_that_leads_back_to_itself_is_refused) {
  for (const auto* aliases :
       {R"({"a":"a"})", R"({"a":"b","b":"a"})", R"({"x":"a","a":"b","b":"c","c":"a"})"}) {
    const auto problems = said(R"({"models": {"aliases": )" + std::string{aliases} + "}}");
    EXPECT_EQ(problems, lines{"f:1: models.aliases: \"a\" leads back to itself [relation]"})
        << aliases;
  }
  EXPECT_EQ(said(R"({"models": {"aliases": {"a":"m","b":"m","c":"b","d":"c"}}})"), lines{});
}

TEST(config_models, long_chains_of_aliases_are_followed_once_each) {
  std::string aliases;
  for (int i = 0; i < 1'000; ++i)
    aliases += (i == 0 ? "" : ",") + config::quoted("m" + std::to_string(i)) + ':'
               + config::quoted("m" + std::to_string(i + 1));
  EXPECT_EQ(said(R"({"models": {"aliases": {)" + aliases + "}}}"), lines{});
  EXPECT_EQ(said(R"({"models": {"aliases": {)" + aliases + R"(,"more":"x"}}})"),
            lines{"f:1: models.aliases: holds more than 1000 names [out_of_range]"});
}

TEST(config_models, names_that_are_empty_or_of_the_wrong_type_are_refused) {
  EXPECT_EQ(said(R"({"models": {"aliases": {"": "a", "b": "", "c": 7, "d": "a b"},
    "fallbacks": {"a": [], "b": "c", "c": [7], "d": [""]}, "routes": [{"upstreams": []},
    {"models": []}, 7]}})"),
            (lines{
                "f:1: models.aliases: the name of a model must be 1 to 128 printable characters "
                "without spaces [invalid_value]",
                "f:1: models.aliases: the name of a model must be 1 to 128 printable characters "
                "without spaces [invalid_value]",
                "f:1: models.aliases: \"c\" must be the name of a model; this is a number "
                "[wrong_type]",
                "f:1: models.aliases: the name of a model must be 1 to 128 printable characters "
                "without spaces [invalid_value]",
                "f:2: models.fallbacks: the list of \"a\" must hold 1 to 16 models "
                "[out_of_range]",
                "f:2: models.fallbacks: \"b\" must be a list of models; this is a text "
                "[wrong_type]",
                "f:2: models.fallbacks: an element of the list of \"c\" must be the name of a "
                "model; this is a number [wrong_type]",
                "f:2: models.fallbacks: the name of a model must be 1 to 128 printable characters "
                "without spaces [invalid_value]",
                "f:2: models.routes[0]: needs a \"models\" [missing]",
                "f:3: models.routes[2]: must be an object; this is a number [wrong_type]",
                "f:2: models.routes[0].models: must name at least one model [relation]",
                "f:3: models.routes[1].models: must name at least one model [relation]",
                "f:2: models.routes[2].models: must name at least one model [relation]",
            }));
}

TEST(config_models, a_fallback_list_names_each_model_once_and_never_its_own) {
  EXPECT_EQ(said(R"({"models": {"fallbacks": {"a": ["b", "a"], "b": ["c", "d", "c"]}}})"),
            (lines{"f:1: models.fallbacks: \"a\" must not be in its own list [relation]",
                   "f:1: models.fallbacks: \"c\" stands twice in the list of \"b\" "
                   "[duplicate]"}));
}

TEST(config_models, routes_name_upstreams_that_are_there_and_of_one_kind) {
  EXPECT_EQ(said(R"({"upstreams": [{"name": "main"}, {"name": "v", "kind": "vertex"}],
    "models": {"routes": [{"models": ["a"], "upstreams": ["mian"]},
                          {"models": ["b"], "upstreams": ["main", "v"]}]}})"),
            (lines{"f:2: models.routes[0].upstreams: element 0 names no upstream; did you mean "
                   "\"main\"? [relation]",
                   "f:3: models.routes[1].upstreams: must name upstreams of one kind "
                   "[relation]"}));
}

TEST(config_egress, proxies_and_their_groups_are_read_and_masked) {
  const auto loaded = load(R"({"egress": {
    "proxies": ["http://a.example:3128", "socks5://u:p%40ss@[::1]:1080", "http://a.example:3128"],
    "groups": [{"name": "x", "groups": ["paid"], "proxies": ["https://user@b.example:443"]},
               {"name": "rest"}],
    "retry": "1m", "throttled_keys": 0, "throttled_within": "2s"}})");
  ASSERT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
  const auto& e = loaded.values.egress;
  EXPECT_EQ(e.proxies,
            (std::vector{secret{"http://a.example:3128"}, secret{"socks5://u:p%40ss@[::1]:1080"}}));
  ASSERT_EQ(e.groups.size(), 2U);
  EXPECT_EQ(e.groups[0].groups, lines{"paid"});
  EXPECT_EQ(e.groups[0].proxies, std::vector{secret{"https://user@b.example:443"}});
  EXPECT_TRUE(e.groups[1].proxies.empty());
  EXPECT_EQ(e.retry, 1min);
  EXPECT_EQ(e.throttled_keys, 0U);
  EXPECT_EQ(e.throttled_within, 2s);
  EXPECT_EQ(loaded.warnings, lines{"egress.proxies: 1 repeated in f, counted once"});
  EXPECT_EQ(shown(loaded, "egress.proxies"),
            R"(["http://a.example:3128","socks5://***@[::1]:1080"])");
  EXPECT_EQ(shown(loaded, "egress.groups[].proxies"), R"(["https://***@b.example:443"])");
}

TEST(config_egress, what_is_no_proxy_is_refused_and_never_repeated) {
  const std::pair<const char*, const char*> wrong[] = {
      {"h:1", "must begin with http://, https://, socks5:// or socks5h://"},
      {"ftp://SECRET@h:1", "must begin with http://, https://, socks5:// or socks5h://"},
      {"http://h", "must end with a host and a port from 1 to 65535"},
      {"http://[::1]", "must end with a host and a port from 1 to 65535"},
      {"http://SECRET@h:0", "must end with a host and a port from 1 to 65535"},
      {"http://h:65536", "must end with a host and a port from 1 to 65535"},
      {"http://h:1/", "must end with a host and a port from 1 to 65535"},
      {"http://h:1?SECRET", "must end with a host and a port from 1 to 65535"},
      {"http://:SECRET@h:1",
       "must have a user before the password, and special characters of both as %40"},
      {"http://u:SEC@RET@h:1",
       "must have a user before the password, and special characters of both as %40"},
      {"http://***@h:1", "is masked, which is no proxy"}};
  for (const auto& [url, why] : wrong)
    EXPECT_EQ(said(R"({"egress": {"proxies": [)" + config::quoted(url) + "]}}"),
              lines{"f:1: egress.proxies: element 0 " + std::string{why} + " [invalid_value]"})
        << url;
}

TEST(config_egress, names_of_groups_are_unique) {
  EXPECT_EQ(said(R"({"egress": {"groups": [{"name": "a"}, {"name": "a"}, {}]}})"),
            (lines{"f:1: egress.groups[2]: needs a \"name\" [missing]",
                   "f:1: egress.groups[1].name: stands twice: names of egress groups are unique "
                   "[duplicate]"}));
}

TEST(config_pool, a_secret_in_the_wrong_place_is_not_repeated) {
  const std::string key = "\"AIzaSyD0000000000000000000000SECRET\"";
  const auto loaded = load(R"({"upstreams": [{"name": "g", "limits": {)" + key + R"(: 1, "models":
    {)" + key + R"(: 2}}}], "pool": {"strategy": )"
                           + key + R"(, "day_zone": [)" + key + R"(]},
    "egress": {"proxies": [)"
                           + key + R"(]}, "models": {"aliases": {)" + key + ": " + key
                           + R"(}, "fallbacks": {)" + key + ": [" + key + R"(]}, "routes": [
    {"models": ["a"], "upstreams": [)"
                           + key + "]}]}}");
  EXPECT_GT(loaded.problems.size(), 6U);
  for (const auto& p : loaded.problems)
    EXPECT_EQ(to_string(p).find("SECRET"), std::string::npos) << to_string(p);
}

} // namespace
} // namespace troupe
