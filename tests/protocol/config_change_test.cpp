#include "protocol/config/change.hpp"

#include <gtest/gtest.h>

#include <algorithm>

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
                                            "data_dir":"x","nonsense":true,"pol":{},"lops":null})");
  std::map<std::string, std::string> codes;
  for (const auto& p : done.problems)
    codes[p.option] = p.code;
  const std::map<std::string, std::string> expected{
      {"data_dir", "not_here"},          {"loops", "out_of_range"},
      {"lops", "unknown_option"},        {"nonsense", "unknown_option"},
      {"pol", "unknown_option"},         {"pool.cooldown", "invalid_value"},
      {"pool.strikes", "unknown_option"}};
  EXPECT_EQ(codes, expected);
  EXPECT_EQ(done.problems.size(), expected.size());
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

TEST(config_change, an_env_file_fixes_as_the_environment_does) {
  config_sources sources;
  sources.env_file = config_text{".env", "\nTROUPE_LOOPS=2\n"};
  const auto done = plan_change(sources, {}, R"({"loops":3})");
  ASSERT_EQ(done.problems.size(), 1U);
  EXPECT_EQ(done.problems[0].code, "fixed");
  EXPECT_EQ(done.problems[0].text, "is fixed by TROUPE_LOOPS in .env:2: change it there");
}

TEST(config_change, a_fixed_list_is_fixed_whole) {
  config_sources sources;
  sources.environment = {{"TROUPE_UPSTREAMS", R"([{"name":"e"}])"},
                         {"TROUPE_CORS_ORIGINS", "https://a.example"}};
  const auto done =
      plan_change(sources, {}, R"({"upstreams":[{"name":"x"}],"cors":{"origins":[]}})");
  ASSERT_EQ(done.problems.size(), 2U);
  EXPECT_EQ(done.problems[0].option, "upstreams");
  EXPECT_EQ(done.problems[1].option, "cors.origins");
}

TEST(config_change, a_part_of_an_upstream_may_be_fixed_and_the_rest_not) {
  config_sources sources;
  sources.environment = {{"BASE_URL", "https://proxy.example"}};
  const auto rest = plan_change(sources, {}, R"({"upstreams":[{"name":"g","idle_timeout":"5s"}]})");
  EXPECT_TRUE(rest.problems.empty());
  EXPECT_EQ(rest.loaded.values.upstreams[0].base_url, "https://proxy.example");
  const auto same = plan_change(
      sources, {}, R"({"upstreams":[{"name":"g","base_url":"https://proxy.example/v1beta"}]})");
  EXPECT_TRUE(same.problems.empty());
  const auto other =
      plan_change(sources, {}, R"({"upstreams":[{"name":"g","base_url":"https://mine.example"}]})");
  ASSERT_EQ(other.problems.size(), 1U);
  EXPECT_EQ(other.problems[0].option, "upstreams[0].base_url");
  EXPECT_EQ(other.problems[0].code, "fixed");
  // What stood there before the environment spoke may stay.
  const auto kept = plan_change(
      sources, R"({"upstreams":[{"base_url":"https://mine.example","name":"g"}]})",
      R"({"upstreams":[{"name":"g","base_url":"https://mine.example","idle_timeout":"5s"}]})");
  EXPECT_TRUE(kept.problems.empty());
}

TEST(config_change, a_relation_to_another_layer_is_checked) {
  const auto done = plan_change(with_file(R"({"pool":{"cooldown":"5m"}})"), {},
                                R"({"pool":{"cooldown_max":"1m"}})");
  ASSERT_EQ(done.problems.size(), 1U);
  EXPECT_EQ(done.problems[0].option, "pool.cooldown");
  EXPECT_EQ(done.problems[0].code, "relation");
}

TEST(config_change, every_form_of_a_mask_keeps_what_is_there) {
  const std::string document =
      R"({"upstreams":[{"headers":{"X-Team":"s3cret-value"},"name":"g"}]})";
  for (const auto* shown : {"***", "********", "*", "s3c***lue"}) {
    const auto done = plan_change({}, document,
                                  R"({"upstreams":[{"name":"g","headers":{"x-team":")"
                                      + std::string{shown} + R"("}}]})");
    ASSERT_TRUE(done.problems.empty()) << shown;
    EXPECT_TRUE(done.changes.empty()) << shown;
    EXPECT_EQ(done.document, R"({"upstreams":[{"headers":{"x-team":"s3cret-value"},"name":"g"}]})");
  }
}

TEST(config_change, a_mask_keeps_a_header_of_the_file_and_none_of_another_upstream) {
  const auto sources =
      with_file(R"({"upstreams":[{"name":"a","headers":{"x-a":"of-the-file"}},{"name":"b"}]})");
  const auto done = plan_change(
      sources, {},
      R"({"upstreams":[{"name":"b","headers":{"x-a":"***"}},{"name":"a","headers":{"x-a":"***"}}]})");
  ASSERT_EQ(done.problems.size(), 1U);
  EXPECT_EQ(done.problems[0].code, "masked_secret");
  EXPECT_EQ(done.problems[0].option, "upstreams[0].headers");
  EXPECT_EQ(done.loaded.values.upstreams[1].headers.at("x-a").reveal(), "of-the-file");
}

TEST(config_change, what_is_masked_may_be_sent_back_as_it_is) {
  const std::string document =
      R"({"pool":{"cooldown":"9s"},"upstreams":[{"headers":{"x-a":"secret-one"},"name":"g"}]})";
  const auto done = plan_change({}, document, masked_document(document));
  EXPECT_TRUE(done.problems.empty());
  EXPECT_TRUE(done.changes.empty());
  EXPECT_EQ(done.document, document);
}

constexpr const char* with_proxies =
    R"({"egress":{"groups":[{"name":"x","proxies":["http://u:one@h.example:1"]}],)"
    R"("proxies":["http://u:two@h.example:1","socks5://p.example:2","http://v:three@h.example:1"]}})";

TEST(config_change, proxies_are_masked_and_may_be_sent_back_as_they_are) {
  const auto masked = masked_document(with_proxies);
  EXPECT_EQ(
      masked,
      R"({"egress":{"groups":[{"name":"x","proxies":["http://***@h.example:1"]}],)"
      R"("proxies":["http://***@h.example:1","socks5://p.example:2","http://***@h.example:1"]}})");
  const auto done = plan_change({}, with_proxies, masked);
  ASSERT_TRUE(done.problems.empty()) << to_string(done.problems.front());
  EXPECT_TRUE(done.changes.empty());
  EXPECT_EQ(done.document, with_proxies);
}

TEST(config_change, a_masked_proxy_may_move_while_it_is_clear_which_one_it_is) {
  const auto done = plan_change(
      {}, with_proxies,
      R"({"egress":{"proxies":["http://***@h.example:1","http://***@h.example:1","http://n:4"]}})");
  ASSERT_TRUE(done.problems.empty()) << to_string(done.problems.front());
  EXPECT_EQ(done.loaded.values.egress.proxies,
            (std::vector{secret{"http://u:two@h.example:1"}, secret{"http://v:three@h.example:1"},
                         secret{"http://n:4"}}));
  ASSERT_EQ(done.changes.size(), 1U);
  EXPECT_EQ(done.changes[0].path, "egress.proxies");
  EXPECT_EQ(done.changes[0].after,
            R"(["http://***@h.example:1","http://***@h.example:1","http://n:4"])");
}

TEST(config_change, a_masked_proxy_that_is_none_or_one_of_several_is_a_problem) {
  for (const auto* patch : {R"({"egress":{"proxies":["http://***@h.example:1"]}})",
                            R"({"egress":{"proxies":["http://***@other.example:1"]}})",
                            R"({"egress":{"proxies":["***"]}})"}) {
    const auto done = plan_change({}, with_proxies, patch);
    ASSERT_FALSE(done.problems.empty()) << patch;
    EXPECT_EQ(done.problems[0].code, "masked_secret") << patch;
    EXPECT_EQ(done.problems[0].option, "egress.proxies") << patch;
  }
}

TEST(config_change, aliases_are_patched_one_by_one) {
  const auto done = plan_change({}, R"({"models":{"aliases":{"a":"m","b":"n"}}})",
                                R"({"models":{"aliases":{"b":null,"gemini-2.5":"o"}}})");
  ASSERT_TRUE(done.problems.empty()) << to_string(done.problems.front());
  EXPECT_EQ(done.document, R"({"models":{"aliases":{"a":"m","gemini-2.5":"o"}}})");
  ASSERT_EQ(done.changes.size(), 1U);
  EXPECT_EQ(done.changes[0].path, "models.aliases");
  EXPECT_EQ(done.changes[0].after, R"({"a":"m","gemini-2.5":"o"})");
}

TEST(config_change, routes_and_limits_are_changed_like_every_list) {
  const auto done = plan_change({}, {}, R"({"models":{"routes":[{"models":["a"]}]},
      "upstreams":[{"name":"g","limits":{"rpm":10}}]})");
  ASSERT_TRUE(done.problems.empty()) << to_string(done.problems.front());
  std::vector<std::string> changed;
  for (const auto& c : done.changes)
    changed.push_back(c.path + ": " + c.before + " to " + c.after);
  EXPECT_NE(std::ranges::find(changed, R"(models.routes[0].models: null to ["a"])"), changed.end());
  EXPECT_NE(std::ranges::find(changed, R"(upstreams[0].limits: {} to {"rpm":10})"), changed.end());
}

TEST(config_change, what_the_database_says_below_a_stronger_layer_is_a_change_without_effect) {
  config_sources sources;
  sources.environment = {{"TROUPE_LOOPS", "2"}};
  const auto done = plan_document(sources, R"({"loops":3})", R"({"loops":4})");
  ASSERT_TRUE(done.problems.empty());
  ASSERT_EQ(done.changes.size(), 1U);
  EXPECT_EQ(done.changes[0].path, "loops");
  EXPECT_EQ(done.changes[0].before, "2");
  EXPECT_EQ(done.changes[0].after, "2");
  EXPECT_EQ(done.changes[0].layer_after, config_layer::environment);
  EXPECT_EQ(done.document, R"({"loops":4})");
}

TEST(config_change, an_upstream_that_comes_or_goes_changes_each_of_its_options) {
  const auto done = plan_change({}, {}, R"({"upstreams":[{"name":"gemini"},{"name":"second"}]})");
  ASSERT_TRUE(done.problems.empty());
  const auto of = [](const settings_change& c, std::string_view path) {
    const auto at = std::ranges::find(c.changes, path, &setting_change::path);
    return at == c.changes.end() ? std::string{"unchanged"} : at->before + " to " + at->after;
  };
  EXPECT_EQ(of(done, "upstreams[1].name"), R"(null to "second")");
  EXPECT_EQ(of(done, "upstreams[1].verify"), "null to true");
  EXPECT_EQ(of(done, "upstreams[0].verify"), "unchanged");
  const auto back = plan_change({}, done.document, R"({"upstreams":null})");
  EXPECT_EQ(back.document, "");
  EXPECT_EQ(of(back, "upstreams[1].name"), R"("second" to null)");
}

TEST(config_change, a_section_given_up_falls_back_whole) {
  const auto done =
      plan_change(with_file(R"({"pool":{"strikes_max":5}})"),
                  R"({"loops":2,"pool":{"cooldown":"9s","strikes_max":6}})", R"({"pool":null})");
  EXPECT_EQ(done.document, R"({"loops":2})");
  EXPECT_EQ(done.loaded.values.pool.strikes_max, 5U);
  EXPECT_EQ(done.loaded.values.pool.cooldown, 60s);
  EXPECT_EQ(done.changes.size(), 2U);
}

TEST(config_change, a_problem_of_the_patch_leaves_no_change_to_use) {
  const auto done = plan_change({}, {}, R"({"loops":2,"pool":{"cooldown":"soon"}})");
  EXPECT_FALSE(done.problems.empty());
  EXPECT_TRUE(done.changes.empty());
}

TEST(config_change, a_syntax_error_names_line_and_column) {
  const auto done = plan_change({}, {}, "{\n  \"loops\": 1,\n  oops\n}");
  ASSERT_EQ(done.problems.size(), 1U);
  EXPECT_EQ(done.problems[0].text, "line 3, column 3: this is not JSON");
}

TEST(config_change, patches_are_bounded_in_size_and_depth_and_so_is_what_they_add_up_to) {
  const std::string spaces(1024 * 1024, ' ');
  EXPECT_EQ(plan_change({}, {}, '{' + spaces + '}').problems.at(0).text, "longer than 1MiB");
  std::string deep;
  for (int i = 0; i < 40; ++i)
    deep += R"({"a":)";
  EXPECT_EQ(plan_change({}, {}, deep + '1' + std::string(40, '}')).problems.at(0).code,
            "invalid_json");
  const auto lists = [](const std::vector<std::string>& names) {
    std::string list;
    for (int i = 0; i < 1'000; ++i)
      list += (list.empty() ? "\"" : ",\"") + std::to_string(i) + std::string(240, 'm') + '"';
    std::string patch;
    for (const auto& name : names)
      patch += (patch.empty() ? "\"" : ",\"") + name + "\":[" + list + ']';
    return patch;
  };
  const auto first = plan_change({}, {}, R"({"models":{)" + lists({"known", "hidden"}) + "}}");
  ASSERT_TRUE(first.problems.empty());
  const auto second =
      plan_change({}, first.document,
                  R"({"translation":{)"
                      + lists({"search_models", "image_models", "non_thinking_models"}) + "}}");
  // Five lists of 247 KB each are more than the layer may hold.
  ASSERT_EQ(second.problems.size(), 1U);
  EXPECT_EQ(second.problems[0].code, "out_of_range");
}

TEST(config_change, of_very_many_wrong_names_some_are_told) {
  std::string patch;
  for (int i = 0; i < 50'000; ++i)
    patch += (patch.empty() ? "\"n" : ",\"n") + std::to_string(i) + "\":1";
  const auto done = plan_change({}, {}, '{' + patch + '}');
  ASSERT_GE(done.problems.size(), 101U);
  EXPECT_LE(done.problems.size(), 201U);
  EXPECT_EQ(done.problems.front().code, "unknown_option");
  EXPECT_EQ(done.problems.back().code, "more");
}

TEST(config_change, options_of_a_later_version_do_not_keep_this_one_from_changing_others) {
  const auto done = plan_change({}, R"({"future":{"x":1},"loops":2})", R"({"loops":3})");
  ASSERT_TRUE(done.problems.empty()) << to_string(done.problems.front());
  EXPECT_EQ(done.document, R"({"loops":3})");
  EXPECT_TRUE(std::ranges::any_of(done.loaded.warnings, [](const std::string& w) {
    return w.find("future.x is") != std::string::npos;
  }));
  for (const auto* patch : {R"({"future":{"x":null}})", R"({"future":null})"})
    EXPECT_TRUE(plan_change({}, R"({"future":{"x":1},"loops":2})", patch).problems.empty());
  EXPECT_FALSE(plan_change({}, R"({"loops":2})", R"({"future":null})").problems.empty());
}

TEST(config_change, restoring_a_version_is_applying_its_document) {
  const std::string old = R"({"loops":2,"pool":{"cooldown":"9s"}})";
  const std::string present = R"({"drain_timeout":"7s","pool":{"cooldown":"8s"}})";
  const auto restored = plan_document({}, present, old);
  const auto anew = plan_document({}, {}, old);
  ASSERT_TRUE(restored.problems.empty());
  EXPECT_EQ(restored.document, old);
  EXPECT_EQ(restored.document, anew.document);
  EXPECT_TRUE(differing_options(restored.loaded, anew.loaded, applies::live).empty());
  EXPECT_TRUE(differing_options(restored.loaded, anew.loaded, applies::restart).empty());
  std::vector<std::string> paths;
  for (const auto& c : restored.changes)
    paths.push_back(c.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"loops", "drain_timeout", "pool.cooldown"}));
  EXPECT_EQ(plan_document({}, present, {}).document, "");
}

TEST(config_change, a_document_that_does_not_load_is_not_restored) {
  const auto done = plan_document({}, {}, R"({"loops":"many","x":1})");
  EXPECT_EQ(done.problems.size(), 2U);
  EXPECT_EQ(plan_document({}, {}, "{").problems.at(0).code, "invalid_json");
}

TEST(config_change, options_that_differ_are_told_by_how_they_apply) {
  config_sources other;
  other.database = config_text{"database", R"({"loops":2,"pool":{"cooldown":"1s"},
      "upstreams":[{"name":"gemini","headers":{"x-a":"one"}}]})"};
  const auto a = load_settings({}), b = load_settings(other);
  EXPECT_EQ(differing_options(a, b, applies::restart), std::vector<std::string>{"loops"});
  EXPECT_EQ(differing_options(a, b, applies::live),
            (std::vector<std::string>{"upstreams[0].headers", "pool.cooldown"}));
}

} // namespace
} // namespace troupe
