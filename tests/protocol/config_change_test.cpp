#include "protocol/config/change.hpp"

#include "protocol/config/document.hpp"
#include "protocol/config/options.hpp"

#include <gtest/gtest.h>

#include <random>

namespace troupe {
namespace {

using namespace config;
using namespace std::chrono_literals;

config_sources with_file(std::string text) {
  config_sources s;
  s.file = config_text{"troupe.json", std::move(text)};
  return s;
}

loaded_settings load(config_sources s, std::string document) {
  s.database = config_text{"database", std::move(document)};
  return load_settings(s);
}

TEST(config_change, the_database_stands_above_the_file_and_below_the_environment) {
  auto sources = with_file(R"({"pool":{"cooldown":"1s","strikes_max":7,"attempts_max":2}})");
  sources.environment = {{"TROUPE_POOL_ATTEMPTS_MAX", "9"}};
  const auto loaded = load(sources, R"({"pool":{"cooldown":"2s","attempts_max":4}})");
  ASSERT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
  EXPECT_EQ(loaded.values.pool.cooldown, 2s);
  EXPECT_EQ(loaded.values.pool.strikes_max, 7U);
  EXPECT_EQ(loaded.values.pool.attempts_max, 9U);
  EXPECT_EQ(loaded.origin_of("pool.cooldown").layer, config_layer::database);
}

TEST(config_change, a_list_of_upstreams_keeps_the_keys_of_the_file) {
  const auto loaded = load(with_file(R"({"upstreams":[{"name":"a","keys":["AIzaSy-0000000001"]},
                                         {"name":"b","keys":["AIzaSy-0000000002"]}]})"),
                           R"({"upstreams":[{"name":"b"},{"name":"c"}]})");
  ASSERT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
  ASSERT_EQ(loaded.values.upstreams.size(), 2U);
  ASSERT_EQ(loaded.values.upstreams[0].keys.size(), 1U);
  EXPECT_EQ(loaded.values.upstreams[0].keys[0].reveal(), "AIzaSy-0000000002");
  EXPECT_EQ(loaded.origin_of("upstreams[0].keys").layer, config_layer::file);
  EXPECT_TRUE(loaded.values.upstreams[1].keys.empty());
}

TEST(config_change, keys_credentials_and_places_are_no_settings_at_run_time) {
  for (const auto* document :
       {R"({"data_dir":"x"})", R"({"master_key_file":"x"})",
        R"({"upstreams":[{"name":"a","keys":["AIzaSy-0000000001"]}]})",
        R"({"credentials":{"clients":[{"name":"x","secret":"sk-0123456789"}]}})"}) {
    const auto loaded = load({}, document);
    ASSERT_FALSE(loaded.problems.empty()) << document;
    EXPECT_EQ(loaded.problems.front().code, "not_here") << document;
  }
}

TEST(config_change, a_patch_changes_what_it_names) {
  const auto done = plan_change(with_file(R"({"pool":{"strikes_max":7}})"),
                                R"({"pool":{"cooldown":"9s"}})", R"({"pool":{"attempts_max":4}})");
  ASSERT_TRUE(done.problems.empty()) << to_string(done.problems.front());
  EXPECT_EQ(done.document, R"({"pool":{"attempts_max":4,"cooldown":"9s"}})");
  ASSERT_EQ(done.changes.size(), 1U);
  EXPECT_EQ(done.changes[0].path, "pool.attempts_max");
  EXPECT_EQ(done.changes[0].before, "3");
  EXPECT_EQ(done.changes[0].after, "4");
  EXPECT_EQ(done.changes[0].layer_before, config_layer::defaults);
  EXPECT_EQ(done.changes[0].layer_after, config_layer::database);
  EXPECT_TRUE(done.changes[0].live);
}

TEST(config_change, null_gives_way_to_the_layer_below) {
  const auto done = plan_change(with_file(R"({"pool":{"cooldown":"5s"}})"),
                                R"({"pool":{"cooldown":"9s"}})", R"({"pool":{"cooldown":null}})");
  EXPECT_EQ(done.document, "");
  EXPECT_EQ(done.loaded.values.pool.cooldown, 5s);
  ASSERT_EQ(done.changes.size(), 1U);
  EXPECT_EQ(done.changes[0].layer_after, config_layer::file);
}

TEST(config_change, what_is_said_again_is_no_change) {
  const auto done =
      plan_change({}, R"({"pool":{"cooldown":"9s"}})", R"({"pool":{"cooldown":"9s"}})");
  EXPECT_TRUE(done.problems.empty());
  EXPECT_TRUE(done.changes.empty());
}

TEST(config_change, everything_wrong_is_told_at_once_with_its_path) {
  const auto done = plan_change({}, {}, R"({"pool":{"cooldown":"fast","strikes":1},"loops":-1,
                                            "nonsense":true})");
  std::map<std::string, std::string> codes;
  for (const auto& p : done.problems)
    codes[p.option + '/' + p.text.substr(0, 9)] = p.code;
  EXPECT_EQ(done.problems.size(), 4U);
  EXPECT_TRUE(std::any_of(done.problems.begin(), done.problems.end(), [](const auto& p) {
    return p.option == "pool.cooldown" && p.code == "invalid_value";
  }));
  EXPECT_EQ(std::count_if(done.problems.begin(), done.problems.end(),
                          [](const auto& p) { return p.code == "unknown_option"; }),
            2);
}

TEST(config_change, what_environment_or_flag_fix_is_named) {
  config_sources sources;
  sources.environment = {{"TROUPE_POOL_COOLDOWN", "45s"}};
  sources.command_line = {{"drain_timeout", "3s"}};
  const auto done = plan_change(sources, {}, R"({"pool":{"cooldown":"1s"},"drain_timeout":"1s"})");
  ASSERT_EQ(done.problems.size(), 2U);
  EXPECT_EQ(done.problems[0].code, "fixed");
  EXPECT_NE(done.problems[0].text.find("TROUPE_POOL_COOLDOWN"), std::string::npos);
  EXPECT_NE(done.problems[1].text.find("--drain-timeout"), std::string::npos);
}

TEST(config_change, relations_between_options_are_checked) {
  const auto done = plan_change({}, {}, R"({"pool":{"cooldown":"5m","cooldown_max":"1m"}})");
  ASSERT_EQ(done.problems.size(), 1U);
  EXPECT_EQ(done.problems[0].code, "relation");
}

TEST(config_change, a_masked_header_keeps_the_one_that_is_there) {
  const std::string document =
      R"({"upstreams":[{"headers":{"x-team":"s3cret-value"},"name":"g"}]})";
  const auto done = plan_change({}, document, R"({"upstreams":[{"name":"g","idle_timeout":"5s",
                                                   "headers":{"x-team":"***"}}]})");
  ASSERT_TRUE(done.problems.empty()) << to_string(done.problems.front());
  EXPECT_EQ(done.loaded.values.upstreams[0].headers.at("x-team").reveal(), "s3cret-value");
  ASSERT_EQ(done.changes.size(), 1U);
  EXPECT_EQ(done.changes[0].path, "upstreams[0].idle_timeout");
  const auto none =
      plan_change({}, document, R"({"upstreams":[{"name":"g","headers":{"x-other":"***"}}]})");
  ASSERT_FALSE(none.problems.empty());
  EXPECT_EQ(none.problems.front().code, "masked_secret");
}

TEST(config_change, a_changed_header_is_a_change_that_shows_nothing) {
  const auto done = plan_change({}, R"({"upstreams":[{"headers":{"x-a":"one-one"},"name":"g"}]})",
                                R"({"upstreams":[{"name":"g","headers":{"x-a":"two-two"}}]})");
  ASSERT_EQ(done.changes.size(), 1U);
  EXPECT_EQ(done.changes[0].before, R"({"x-a":"***"})");
  EXPECT_EQ(done.changes[0].after, R"({"x-a":"***"})");
  EXPECT_EQ(masked_document(done.document).find("two-two"), std::string::npos);
}

TEST(config_change, a_patch_is_strict_json) {
  for (const auto* patch : {"{", "[]", "7", R"({"loops":1}//x)", R"({"loops":1,"loops":2})",
                            R"({"loops":1} trailing)", "\xFF"}) {
    const auto done = plan_change({}, {}, patch);
    ASSERT_FALSE(done.problems.empty()) << patch;
    EXPECT_EQ(done.problems.front().code, "invalid_json") << patch;
  }
}

TEST(config_change, a_name_with_a_dot_reaches_no_option) {
  const auto done = plan_change({}, {}, R"({"pool.cooldown":"1s"})");
  ASSERT_EQ(done.problems.size(), 1U);
  EXPECT_EQ(done.problems[0].code, "unknown_option");
}

TEST(config_change, a_start_leaves_out_what_it_does_not_understand) {
  config_sources sources;
  sources.database = config_text{
      "database", R"({"future":{"x":1},"pool":{"cooldown":"9s","strikes_max":"many"}})"};
  const auto loaded = load_with_database(sources);
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.values.pool.cooldown, 9s);
  EXPECT_EQ(loaded.values.pool.strikes_max, 3U);
  EXPECT_GE(loaded.warnings.size(), 2U);
}

TEST(config_change, a_start_still_refuses_a_wrong_file) {
  auto sources = with_file(R"({"loops":"many"})");
  sources.database = config_text{"database", R"({"pool":{"cooldown":"9s"}})"};
  EXPECT_FALSE(load_with_database(sources).problems.empty());
}

TEST(config_change, documents_are_compared_masked) {
  const auto d = diff_documents(
      R"({"loops":1,"upstreams":[{"name":"g","headers":{"a":"one"}}]})",
      R"({"pool":{"cooldown":"1s"},"upstreams":[{"name":"g","headers":{"a":"two"}}]})");
  ASSERT_EQ(d.size(), 3U);
  EXPECT_EQ(d[0].path, "loops");
  EXPECT_EQ(d[0].after, "null");
  EXPECT_EQ(d[1].path, "pool.cooldown");
  EXPECT_EQ(d[2].path, "upstreams");
  EXPECT_EQ(d[2].before.find("one"), std::string::npos);
}

TEST(config_change, describes_every_option_with_its_origin) {
  auto sources = with_file("{\n\"pool\":{\"cooldown\":\"1s\"}}");
  sources.environment = {{"TROUPE_LOOPS", "2"}};
  const auto all = describe_settings(load(sources, R"({"drain_timeout":"4s"})"));
  const auto of = [&](std::string_view path) {
    return *std::find_if(all.begin(), all.end(), [&](const auto& d) { return d.path == path; });
  };
  EXPECT_EQ(of("pool.cooldown").source, "troupe.json:2");
  EXPECT_EQ(of("loops").layer, "environment");
  EXPECT_TRUE(of("loops").fixed);
  EXPECT_EQ(of("drain_timeout").layer, "database");
  EXPECT_EQ(of("drain_timeout").value, R"("4s")");
  EXPECT_EQ(of("listen").source, "default");
  EXPECT_TRUE(std::any_of(all.begin(), all.end(),
                          [](const auto& d) { return d.path == "upstreams[0].name"; }));
}

/// A random value for an option, right or wrong.
std::string any_value(const option& o, std::minstd_rand& random) {
  switch (random() % 8) {
  case 0:
    return "null";
  case 1:
    return "\"\xC3\xA9***\"";
  case 2:
    return std::to_string(static_cast<std::int64_t>(random()) - 1'000'000);
  case 3:
    return R"(["a","b"])";
  case 4:
    return R"({"x":1})";
  default:
    return o.fallback.empty() ? "\"3s\"" : std::string{o.fallback};
  }
}

TEST(config_change, whatever_is_sent_is_refused_or_loads_again_with_the_same_values) {
  std::minstd_rand random{20261125};
  const auto all = options();
  std::string document;
  int accepted = 0;
  for (int i = 0; i < 3'000; ++i) {
    const auto& o = all[random() % all.size()];
    std::string patch = any_value(o, random);
    std::string path{o.path};
    for (auto dot = path.rfind('.'); dot != std::string::npos; dot = path.rfind('.')) {
      patch = '{' + config::quoted(path.substr(dot + 1)) + ':' + patch + '}';
      path.erase(dot);
    }
    patch = '{' + config::quoted(path) + ':' + patch + '}';
    const auto done = plan_change({}, document, patch);
    if (!done.problems.empty())
      continue;
    ++accepted;
    document = done.document;
    config_sources again;
    if (!document.empty())
      again.database = config_text{"database", document};
    const auto loaded = load_settings(again);
    ASSERT_TRUE(loaded.problems.empty()) << patch << ": " << to_string(loaded.problems.front());
    ASSERT_TRUE(differing_options(loaded, done.loaded, applies::live).empty()) << patch;
    ASSERT_TRUE(differing_options(loaded, done.loaded, applies::restart).empty()) << patch;
    ASSERT_TRUE(plan_document({}, {}, document).problems.empty());
  }
  EXPECT_GT(accepted, 500);
}

} // namespace
} // namespace troupe
