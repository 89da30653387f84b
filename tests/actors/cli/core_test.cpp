#include "actors/cli/core/answer_tree.hpp"
#include "actors/cli/core/display.hpp"
#include "actors/cli/core/json_text.hpp"
#include "actors/cli/core/key_arguments.hpp"
#include "actors/cli/core/query.hpp"
#include "actors/cli/core/settings_patch.hpp"
#include "actors/cli/core/table.hpp"
#include "actors/cli/job_run.hpp"
#include "actors/cli/moments.hpp"

#include <gtest/gtest.h>

namespace troupe::cli {
namespace {

using namespace std::chrono_literals;

config::node tree(std::string_view text) {
  config_problems problems;
  auto read = config::read_document(text, {}, problems);
  EXPECT_TRUE(read && problems.empty()) << text;
  return read ? *read : config::node{};
}

TEST(cli_display, what_a_terminal_would_obey_is_shown_escaped) {
  EXPECT_EQ(shown("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(shown("a\nb\rc\td"), "a\\nb\\rc\\td");
  EXPECT_EQ(shown("\x07\x7f"), "\\x07\\x7f");
  EXPECT_EQ(shown(std::string_view{"\0", 1}), "\\x00");
  EXPECT_EQ(shown("\xc2\x9b"), "\\u009b") << "CSI in one character";
  EXPECT_EQ(shown("\xe2\x80\xae"), "\\u202e") << "turns the direction of what follows";
  EXPECT_EQ(shown("\xe2\x80\xa8"), "\\u2028");
  EXPECT_EQ(shown("\xf3\xa0\x81\x81"), "\\U000e0041");
}

TEST(cli_display, what_is_no_utf8_is_shown_as_bytes) {
  EXPECT_EQ(shown("\xff"), "\\xff");
  EXPECT_EQ(shown("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(shown("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(shown("\xe4\xb8"), "\\xe4\\xb8") << "cut off";
  EXPECT_EQ(shown("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
}

TEST(cli_display, names_of_any_script_stay_as_they_are) {
  for (const auto* text : {"plain", "Ключ", "主密钥", "مفتاح", "🔑", "e\u0301"})
    EXPECT_EQ(shown(text), text);
}

TEST(cli_display, east_asian_characters_take_two_columns_and_marks_none) {
  EXPECT_EQ(width_of("abc"), 3U);
  EXPECT_EQ(width_of("主密钥"), 6U);
  EXPECT_EQ(width_of("한글"), 4U);
  EXPECT_EQ(width_of("ｶﾅ"), 2U) << "half width";
  EXPECT_EQ(width_of("🔑"), 2U);
  EXPECT_EQ(width_of("e\u0301"), 1U);
  EXPECT_EQ(width_of("Ключ"), 4U);
}

TEST(cli_display, a_cut_text_says_so_and_never_takes_more_than_it_may) {
  EXPECT_EQ(cut_to("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to("abcdef", 5), "abcd…");
  EXPECT_EQ(cut_to("主密钥", 6), "主密钥");
  EXPECT_EQ(cut_to("主密钥", 5), "主密…");
  EXPECT_EQ(cut_to("主密钥", 4), "主…");
  EXPECT_EQ(cut_to("主密钥", 1), "…");
  EXPECT_EQ(cut_to("abc", 0), "");
}

TEST(cli_table, columns_stand_below_each_other) {
  table t{{{"ID"}, {"NAME"}, {"N", true}}};
  t.add({"k1", "主", "5"});
  t.add({"k22", "", "1,000"});
  EXPECT_EQ(t.draw({}), "ID   NAME      N\n"
                        "k1   主        5\n"
                        "k22        1,000\n");
}

TEST(cli_table, values_cannot_break_out_of_their_cell) {
  table t{{{"NAME"}, {"X"}}};
  t.add({"a\n\x1b[2Jb", "1"});
  const auto drawn = t.draw({});
  EXPECT_EQ(drawn, "NAME         X\n"
                   "a\\n\\x1b[2Jb  1\n");
}

TEST(cli_table, the_widest_columns_that_may_shrink_give_way_to_the_terminal) {
  table t{{{"ID"}, {"NAME", false, true}, {"NOTE", false, true}}};
  t.add({"key_0123", "a rather long name", "short"});
  EXPECT_EQ(t.draw({26, false}), "ID        NAME       NOTE\n"
                                 "key_0123  a rather…  short\n");
  EXPECT_EQ(t.draw({0, false}), "ID        NAME                NOTE\n"
                                "key_0123  a rather long name  short\n");
}

TEST(cli_table, no_line_is_ever_wider_than_the_terminal) {
  table t{{{"ID"}, {"NAME", false, true}, {"N", true}}};
  t.add({"key_0123456789abcdef", "主密钥主密钥主密钥", "12,345"});
  for (std::size_t columns = 1; columns < 60; ++columns) {
    const auto drawn = t.draw({columns, false});
    for (std::size_t at = 0; at < drawn.size();) {
      const auto end = drawn.find('\n', at);
      EXPECT_LE(width_of(drawn.substr(at, end - at)), columns) << drawn;
      at = end + 1;
    }
  }
}

TEST(cli_table, colours_are_drawn_only_where_they_are_wanted) {
  table t{{{"STATE"}, {"X"}}};
  t.add({cell{"ready", tone::good}, "1"});
  EXPECT_EQ(t.draw({0, true}), "\x1b[2mSTATE\x1b[0m  \x1b[2mX\x1b[0m\n"
                               "\x1b[32mready\x1b[0m  1\n");
  EXPECT_EQ(t.draw({}), "STATE  X\nready  1\n");
}

TEST(cli_table, sheets_leave_out_what_is_not_there_when_asked) {
  sheet s;
  s.add("id", "k");
  s.add_if_any("name", "");
  s.add_if_any("a note", "x\ny");
  EXPECT_EQ(s.draw({}), "id      k\n"
                        "a note  x\\ny\n");
}

TEST(cli_table, numbers_are_grouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
  EXPECT_EQ(counted(1, "key"), "1 key");
  EXPECT_EQ(counted(2000, "key"), "2,000 keys");
}

TEST(cli_table, sizes_have_three_figures_or_so) {
  EXPECT_EQ(size_text(1), "1 byte");
  EXPECT_EQ(size_text(1023), "1,023 bytes");
  EXPECT_EQ(size_text(46905), "45.8 KiB");
  EXPECT_EQ(size_text(1024 * 1024), "1.0 MiB");
  EXPECT_EQ(size_text(std::int64_t{5} << 40), "5.0 TiB");
}

TEST(cli_json, pretty_text_has_a_member_a_line_and_keeps_every_value) {
  EXPECT_EQ(pretty_json(R"({"a":[1,2.50,{"b":"x, y: {}"}],"c":{},"d":[ ],"e":null})"),
            "{\n"
            "  \"a\": [\n"
            "    1,\n"
            "    2.50,\n"
            "    {\n"
            "      \"b\": \"x, y: {}\"\n"
            "    }\n"
            "  ],\n"
            "  \"c\": {},\n"
            "  \"d\": [],\n"
            "  \"e\": null\n"
            "}");
}

TEST(cli_json, pretty_text_shows_no_control_characters_even_of_what_is_no_json) {
  EXPECT_EQ(pretty_json("\"a\xc2\x9b"
                        "31m\""),
            "\"a\\u009b31m\"");
  for (const auto* text : {"\x1b[2J", "\"\x1b[2J", "{\"a\":\x1b", "\"\\\x1b", "\"\\"})
    EXPECT_EQ(pretty_json(text).find('\x1b'), std::string::npos);
}

TEST(cli_json, pages_become_one_document) {
  EXPECT_EQ(joined_pages({R"({"keys":[1,2],"next":"b","total":4})", R"({"keys":[],"next":"c"})",
                          R"({"keys":[ 3 ],"next":null,"total":4})"},
                         "keys"),
            R"({"keys":[1,2, 3 ],"next":null,"total":4})");
  EXPECT_EQ(joined_pages({R"({"keys":[]})", R"({"keys":[]})"}, "keys"), R"({"keys":[]})");
}

TEST(cli_json, pages_that_are_not_what_they_should_be_are_refused) {
  for (const auto* page : {"", "[]", "{}", R"({"keys":5})", R"({"keys":[1)", R"({"keys":[1]} x)",
                           R"({"keys":/* */[1]})"})
    EXPECT_EQ(joined_pages({page, page}, "keys"), std::nullopt) << page;
}

TEST(cli_limits, flags_change_only_what_they_name) {
  auto limits = read_limits(tree(R"({"rpm":10,"tpm":1000,"models":{"pro":{"rpm":5}}})"));
  ASSERT_TRUE(apply_limit_flags(limits, {"rpm=20", "pro:rpd=7", "ft:gpt-4:org:rpm=1"}));
  EXPECT_EQ(limits_text(limits), "rpm 20, tpm 1,000; ft:gpt-4:org: rpm 1; pro: rpm 5, rpd 7");
  ASSERT_TRUE(apply_limit_flags(limits, {"tpm=none", "pro:rpm=none", "pro:rpd=none"}));
  EXPECT_EQ(limits_text(limits), "rpm 20; ft:gpt-4:org: rpm 1");
  std::string body;
  json::writer out{body};
  write_limits(out, limits);
  EXPECT_EQ(body, R"({"rpm":20,"models":{"ft:gpt-4:org":{"rpm":1}}})");
}

TEST(cli_limits, none_takes_away_all_that_was_there) {
  auto limits = read_limits(tree(R"({"rpm":10,"models":{"pro":{"rpm":5}}})"));
  ASSERT_TRUE(apply_limit_flags(limits, {"none", "concurrency=3"}));
  EXPECT_EQ(limits_text(limits), "concurrency 3");
  std::string body;
  json::writer out{body};
  write_limits(out, {});
  EXPECT_EQ(body, "{}");
}

TEST(cli_limits, what_makes_no_sense_is_refused_and_named) {
  for (const auto* flag :
       {"rpm", "rpm=", "rpm=0", "rpm=-1", "rpm=1.5", "rpm=10x", "rmp=1", ":rpm=1", "pro:=1", "="}) {
    limit_set limits;
    const auto applied = apply_limit_flags(limits, {flag});
    ASSERT_FALSE(applied) << flag;
    EXPECT_EQ(applied.error().text.rfind("--limit " + std::string{flag} + ": ", 0), 0U);
    EXPECT_TRUE(limits.empty());
  }
}

TEST(cli_key_arguments, only_what_was_given_is_sent) {
  EXPECT_EQ(*key_patch_body({}, {}), "{}");
  key_fields f;
  f.weight = "5";
  f.tier = "-2";
  f.tags = {"a", "b\"c"};
  f.note = "";
  f.enabled = "no";
  EXPECT_EQ(*key_patch_body(f, {}),
            R"({"enabled":false,"tags":["a","b\"c"],"weight":5,"tier":-2,"note":null})");
  f = {};
  f.groups = {"none"};
  f.name = "x";
  EXPECT_EQ(*key_patch_body(f, {}), R"({"name":"x","groups":[]})");
}

TEST(cli_key_arguments, numbers_and_switches_are_checked) {
  for (const auto* text : {"", "x", "1x", "1.5", "99999999999999999999"}) {
    key_fields f;
    f.weight = text;
    EXPECT_FALSE(key_patch_body(f, {})) << text;
  }
  key_fields f;
  f.enabled = "maybe";
  EXPECT_FALSE(key_patch_body(f, {}));
}

TEST(cli_key_arguments, filters_are_pairs_with_commas_between_them) {
  const auto filter = read_key_filter({"state=disabled,state=cooling,reason=invalid", "tag=a b"});
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->states, (std::vector<std::string>{"disabled", "cooling"}));
  EXPECT_EQ(filter->reasons, std::vector<std::string>{"invalid"});
  EXPECT_EQ(filter->tag, "a b");
  for (const auto* text : {"", "state", "state=", "stat=x", "state=a,", ",", "ids=key_1"})
    EXPECT_FALSE(read_key_filter({text})) << text;
}

TEST(cli_key_arguments, limits_of_many_are_replaced_only_if_that_is_said) {
  bulk_change change{"edit", {}, true, {}, {}};
  change.fields.limits = {"rpm=5"};
  EXPECT_FALSE(bulk_body(change));
  change.fields.limits = {"none", "rpm=5"};
  EXPECT_EQ(*bulk_body(change),
            R"({"action":"edit","filter":{},"all":true,"fields":{"limits":{"rpm":5}}})");
}

TEST(cli_query, values_are_encoded_and_empty_ones_left_out) {
  EXPECT_EQ(query_text({}), "");
  EXPECT_EQ(query_text({{"a", ""}, {"q", "x y&z=#%"}, {"s", "a,b"}}),
            "?q=x%20y%26z%3D%23%25&s=a,b");
  EXPECT_EQ(query_text({{"q", "主"}}), "?q=%E4%B8%BB");
  EXPECT_EQ(encoded_segment("../a?b"), "..%2Fa%3Fb");
  EXPECT_EQ(encoded_segment(".."), "%2E%2E");
}

TEST(cli_settings_patch, texts_become_what_the_option_takes) {
  EXPECT_EQ(*patch_of({{"pool.attempts_max", "5"}, {"drain_timeout", "10s"}}),
            R"({"pool":{"attempts_max":5},"drain_timeout":"10s"})");
  EXPECT_EQ(*patch_of({{"server.body_bytes_max", "1MiB"}, {"server.idle_timeout", "5s"}}),
            R"({"server":{"body_bytes_max":"1MiB","idle_timeout":"5s"}})");
  EXPECT_EQ(*patch_without({"pool.attempts_max", "loops"}),
            R"({"pool":{"attempts_max":null},"loops":null})");
}

TEST(cli_settings_patch, options_of_a_newer_node_are_json_if_they_can_be) {
  EXPECT_EQ(*patch_of({{"new.a", "5"}, {"new.b", "five"}, {"new.c", "[1,\"x\"]"}, {"d", "true"}}),
            R"({"new":{"a":5,"b":"five","c":[1,"x"]},"d":true})");
}

TEST(cli_settings_patch, paths_that_contradict_each_other_are_refused) {
  for (const auto& paths : std::vector<std::vector<std::string>>{
           {"a", "a"}, {"a", "a.b"}, {"a.b", "a"}, {"a..b"}, {""}, {".a"}, {"a."}, {"a[0].b"}})
    EXPECT_FALSE(patch_without(paths)) << paths.back();
}

TEST(cli_moments, are_told_from_now) {
  const wall_time now{std::chrono::milliseconds{1'795'593'600'000}};
  EXPECT_EQ(relative_moment("2026-11-25T08:00:00.000Z", now), "now");
  EXPECT_EQ(relative_moment("2026-11-25T07:59:48.000Z", now), "12 s ago");
  EXPECT_EQ(relative_moment("2026-11-25T08:05:00Z", now), "in 5 min");
  EXPECT_EQ(relative_moment("2026-11-25T03:00:00Z", now), "5 h ago");
  EXPECT_EQ(relative_moment("2026-11-20T03:00:00Z", now), "5 d ago");
  EXPECT_EQ(relative_moment("", now), "");
  EXPECT_EQ(relative_moment("soon", now), "soon");
  EXPECT_EQ(full_moment("2026-11-25T07:57:00.123Z", now), "2026-11-25 07:57:00 UTC (2 min ago)");
  EXPECT_EQ(full_moment("", now), "");
}

TEST(cli_moments, an_expiry_is_a_span_a_day_an_instant_or_never) {
  const wall_time now{std::chrono::milliseconds{1'795'593'600'000}};
  EXPECT_EQ(*read_expiry("30d", now), "2026-12-25T08:00:00.000Z");
  EXPECT_EQ(*read_expiry("2027-01-01", now), "2027-01-01T00:00:00.000Z");
  EXPECT_EQ(*read_expiry("2027-01-01T12:00:00+01:00", now), "2027-01-01T11:00:00.000Z");
  EXPECT_EQ(*read_expiry("never", now), "");
  for (const auto* text : {"", "tomorrow", "2027-13-01", "30", "2027"})
    EXPECT_FALSE(read_expiry(text, now)) << text;
}

TEST(cli_jobs, progress_shows_how_far_it_is) {
  EXPECT_EQ(progress_line(0, 10, 0), "[                              ] 0 of 10");
  EXPECT_EQ(progress_line(5000, 10000, 0), "[###############               ] 5,000 of 10,000");
  EXPECT_EQ(progress_line(12, 10, 0), "[##############################] 12 of 10");
  EXPECT_EQ(progress_line(1200, 0, 0), "1,200 done");
  EXPECT_EQ(width_of(progress_line(5, 10, 20)), 19U);
}

} // namespace
} // namespace troupe::cli
