#include "protocol/config/change.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace troupe {
namespace {

using namespace config;
using namespace std::chrono_literals;

config_sources sources_of(std::string file, std::string database) {
  config_sources s;
  if (!file.empty())
    s.file = config_text{"troupe.json", std::move(file)};
  if (!database.empty())
    s.database = config_text{"database", std::move(database)};
  return s;
}

bool warned(const loaded_settings& loaded, std::string_view part) {
  return std::ranges::any_of(
      loaded.warnings, [&](const std::string& w) { return w.find(part) != std::string::npos; });
}

TEST(config_layers, each_layer_is_stronger_than_those_before_it) {
  constexpr auto path = "pool.attempts_max";
  config_sources s;
  EXPECT_EQ(load_settings(s).values.pool.attempts_max, 3U);
  EXPECT_EQ(load_settings(s).origin_of(path).layer, config_layer::defaults);
  s.file = config_text{"troupe.json", R"({"pool":{"attempts_max":11}})"};
  EXPECT_EQ(load_settings(s).values.pool.attempts_max, 11U);
  EXPECT_EQ(load_settings(s).origin_of(path).layer, config_layer::file);
  s.database = config_text{"database", R"({"pool":{"attempts_max":12}})"};
  EXPECT_EQ(load_settings(s).values.pool.attempts_max, 12U);
  EXPECT_EQ(to_string(load_settings(s).origin_of(path)), "database");
  s.env_file = config_text{".env", "TROUPE_POOL_ATTEMPTS_MAX=13\n"};
  EXPECT_EQ(load_settings(s).values.pool.attempts_max, 13U);
  EXPECT_EQ(to_string(load_settings(s).origin_of(path)), "TROUPE_POOL_ATTEMPTS_MAX in .env:1");
  s.environment = {{"TROUPE_POOL_ATTEMPTS_MAX", "14"}};
  EXPECT_EQ(load_settings(s).values.pool.attempts_max, 14U);
  s.command_line = {{path, "15"}};
  EXPECT_EQ(load_settings(s).values.pool.attempts_max, 15U);
  EXPECT_EQ(load_settings(s).origin_of(path).layer, config_layer::command_line);
}

TEST(config_layers, a_level_of_the_database_counts_for_every_area_without_its_own) {
  const auto loaded = load_settings(
      sources_of(R"({"log":{"levels":{"pool":"debug"}}})", R"({"log":{"level":"error"}})"));
  EXPECT_EQ(loaded.values.log.levels[static_cast<std::size_t>(log_area::http)], log_level::error);
  EXPECT_EQ(loaded.values.log.levels[static_cast<std::size_t>(log_area::pool)], log_level::debug);
}

TEST(config_layers, keys_of_a_keys_file_follow_their_upstream_by_name) {
  auto s = sources_of(R"({"upstreams":[{"name":"a","keys_file":"k"},{"name":"b"}]})",
                      R"({"upstreams":[{"name":"b"},{"name":"a","idle_timeout":"7s"}]})");
  s.read_file = [](const std::string& path) -> result<std::string> {
    return path == "k" ? result<std::string>{"AIzaSy-0000000001\nAIzaSy-0000000002\n"}
                       : failure{errc::not_found, "no such file"};
  };
  const auto loaded = load_settings(s);
  ASSERT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
  EXPECT_TRUE(loaded.values.upstreams[0].keys.empty());
  EXPECT_EQ(loaded.values.upstreams[1].keys.size(), 2U);
  EXPECT_EQ(loaded.values.upstreams[1].idle_timeout, 7s);
  EXPECT_EQ(to_string(loaded.origin_of("upstreams[1].keys_file")), "troupe.json:1");
}

TEST(config_layers, keys_of_the_environment_reach_an_upstream_of_the_database) {
  auto s = sources_of({}, R"({"upstreams":[{"name":"mine"}]})");
  s.environment = {{"GEMINI_API_KEYS", "AIzaSy-0000000001"}};
  const auto loaded = load_settings(s);
  ASSERT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
  ASSERT_EQ(loaded.values.upstreams.size(), 1U);
  EXPECT_EQ(loaded.values.upstreams[0].name, "mine");
  EXPECT_EQ(loaded.values.upstreams[0].keys.size(), 1U);
}

TEST(config_layers, a_start_takes_a_sound_layer_whole_and_says_nothing) {
  const auto loaded = load_with_database(sources_of({}, R"({"pool":{"cooldown":"9s"},"loops":2})"));
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.values.pool.cooldown, 9s);
  EXPECT_EQ(loaded.values.loops, 2U);
  EXPECT_FALSE(warned(loaded, "left out"));
}

TEST(config_layers, a_start_leaves_out_options_it_does_not_know) {
  const auto loaded = load_with_database(
      sources_of({}, R"({"future":{"x":{"y":1}},"pool":{"cooldown":"9s","later":true},
              "upstreams":[{"name":"a","idle_timeout":"3s","protocol":"h3"}],"a.b":1})"));
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.values.pool.cooldown, 9s);
  EXPECT_EQ(loaded.values.upstreams[0].name, "a");
  EXPECT_EQ(loaded.values.upstreams[0].idle_timeout, 3s);
  for (const auto* path : {"future.x.y is", "pool.later is", "upstreams[0].protocol is", "a.b is"})
    EXPECT_TRUE(warned(loaded, path)) << path;
}

TEST(config_layers, a_name_that_may_be_a_key_is_not_told) {
  const auto loaded = load_with_database(
      sources_of({}, R"({"AIzaSy-0000000001":{"AIzaSy-0000000002":1},"pool":{"sk-12345":2}})"));
  EXPECT_TRUE(warned(loaded, "a name.a name is no option"));
  EXPECT_TRUE(warned(loaded, "pool.a name is no option"));
  EXPECT_FALSE(warned(loaded, "AIza"));
  EXPECT_FALSE(warned(loaded, "sk-"));
}

TEST(config_layers, a_start_leaves_out_values_it_refuses_and_no_more) {
  const auto loaded = load_with_database(
      sources_of({}, R"({"pool":{"cooldown":"9s","strikes_max":"many"},"data_dir":"elsewhere",
              "upstreams":[{"name":"a","idle_timeout":"soon"},{"name":"b"}],"log":7})"));
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.values.pool.cooldown, 9s);
  EXPECT_EQ(loaded.values.pool.strikes_max, 3U);
  EXPECT_EQ(loaded.values.data_dir, "data");
  ASSERT_EQ(loaded.values.upstreams.size(), 2U);
  EXPECT_EQ(loaded.values.upstreams[0].idle_timeout, 55s);
  EXPECT_TRUE(warned(loaded, "pool.strikes_max"));
  EXPECT_TRUE(warned(loaded, "upstreams[0].idle_timeout"));
}

TEST(config_layers, a_list_whose_element_has_no_name_is_left_out_whole) {
  const auto loaded = load_with_database(
      sources_of(R"({"upstreams":[{"name":"f"}]})", R"({"upstreams":[{"idle_timeout":"1s"}]})"));
  EXPECT_TRUE(loaded.problems.empty());
  ASSERT_EQ(loaded.values.upstreams.size(), 1U);
  EXPECT_EQ(loaded.values.upstreams[0].name, "f");
}

TEST(config_layers, of_a_relation_broken_by_a_new_file_only_its_part_of_the_layer_goes) {
  const auto loaded = load_with_database(
      sources_of(R"({"pool":{"cooldown":"5m"}})",
                 R"({"drain_timeout":"2s","loops":3,"pool":{"cooldown_max":"1m"}})"));
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.values.pool.cooldown, 5min);
  EXPECT_EQ(loaded.values.pool.cooldown_max, 10min);
  EXPECT_EQ(loaded.values.drain_timeout, 2s);
  EXPECT_EQ(loaded.values.loops, 3U);
  EXPECT_TRUE(warned(loaded, "pool.cooldown_max, because pool.cooldown"));
}

TEST(config_layers, a_layer_that_is_no_json_is_left_out_whole) {
  for (const auto* text : {"{", "[]", "{\"loops\":1,}", "\x01"}) {
    const auto loaded = load_with_database(sources_of(R"({"loops":4})", text));
    EXPECT_TRUE(loaded.problems.empty()) << text;
    EXPECT_EQ(loaded.values.loops, 4U) << text;
    EXPECT_TRUE(warned(loaded, "all settings that were changed at run time")) << text;
  }
}

TEST(config_layers, problems_of_file_and_environment_stay_problems) {
  EXPECT_EQ(
      load_with_database(sources_of(R"({"loops":"many"})", R"({"loops":2,"x":1})")).problems.size(),
      1U);
  auto s = sources_of({}, R"({"x":1})");
  s.environment = {{"TROUPE_LOOPS", "many"}};
  const auto loaded = load_with_database(s);
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_EQ(loaded.problems[0].source, "TROUPE_LOOPS");
}

TEST(config_layers, a_file_may_say_where_its_schema_is_and_the_database_may_not) {
  EXPECT_TRUE(
      load_settings(sources_of(R"({"$schema":"troupe.schema.json"})", {})).problems.empty());
  EXPECT_FALSE(load_settings(sources_of({}, R"({"$schema":"x"})")).problems.empty());
}

TEST(config_layers, every_problem_has_the_code_of_its_kind) {
  const std::pair<const char*, const char*> expected[] = {
      {R"({"loops":"3"})", "wrong_type"},
      {R"({"loops":1.5})", "wrong_type"},
      {R"({"pool":7})", "wrong_type"},
      {R"({"upstreams":{}})", "wrong_type"},
      {R"({"upstreams":[7]})", "wrong_type"},
      {R"({"pool":{"cooldown":30}})", "wrong_type"},
      {R"({"models":{"known":[1]}})", "wrong_type"},
      {R"({"loops":257})", "out_of_range"},
      {R"({"pool":{"cooldown":"1ms"}})", "out_of_range"},
      {R"({"server":{"body_bytes_max":"3GiB"}})", "out_of_range"},
      {R"({"pool":{"cooldown":"soon"}})", "invalid_value"},
      {R"({"log":{"level":"loud"}})", "invalid_value"},
      {R"({"upstreams":[{"name":"a","base_url":"ftp://x"}]})", "invalid_value"},
      {R"({"pool":{"cooldwn":"1s"}})", "unknown_option"},
      {R"({"upstreams":[{"kind":"gemini"}]})", "missing"},
      {R"({"upstreams":[{"name":"a"},{"name":"a"}]})", "duplicate"},
      {R"({"upstreams":[{"name":"a","headers":{"x-a":"1","X-A":"2"}}]})", "duplicate"},
      {R"({"loops":1,"loops":2})", "duplicate"},
      {R"({"loops":)", "invalid_json"},
      {R"({"pool":{"cooldown":"11m"}})", "relation"},
      {R"({"upstreams":[]})", "relation"},
  };
  for (const auto& [text, code] : expected) {
    const auto loaded = load_settings(sources_of(text, {}));
    ASSERT_FALSE(loaded.problems.empty()) << text;
    EXPECT_EQ(loaded.problems[0].code, code) << text << ' ' << to_string(loaded.problems[0]);
  }
}

} // namespace
} // namespace troupe
