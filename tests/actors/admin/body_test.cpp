#include "actors/admin/body.hpp"

#include "actors/admin/credential_body.hpp"
#include "actors/admin/key_body.hpp"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace troupe {
namespace {

using problems = std::vector<field_problem>;

json::tree tree(std::string_view text) {
  auto read = json::read_tree(text);
  EXPECT_TRUE(std::holds_alternative<json::tree>(read)) << text;
  return std::get<json::tree>(std::move(read));
}

/// `limits.rpm out_of_range, ...`
std::string told(const problems& all) {
  std::string text;
  for (const auto& p : all)
    text += (text.empty() ? "" : ", ") + p.field + ' ' + p.code;
  return text;
}

template <class Read>
std::string faults(Read read, std::string_view text) {
  problems all;
  (void)read(tree(text), all);
  return told(all);
}

TEST(key_body, reads_every_field) {
  problems all;
  const auto q = read_new_key(tree(R"({"secret":"AIzaSyA1","enabled":false,"upstream":"gemini",
    "kind":"vertex","name":"n","domain":"d","groups":["a","b"],"tags":["t"],"weight":3,"tier":-2,
    "limits":{"rpm":10,"tpd":5,"models":{"gemini-2.5-pro":{"rpm":2}}},
    "proxy":"http://u:p@h:1","note":"words"})"),
                              all);
  ASSERT_EQ(told(all), "");
  EXPECT_EQ(q.characters.reveal(), "AIzaSyA1");
  EXPECT_EQ(q.fields.enabled, false);
  EXPECT_EQ(q.fields.upstream, "gemini");
  EXPECT_EQ(q.fields.kind, "vertex");
  EXPECT_EQ(q.fields.name, "n");
  EXPECT_EQ(q.fields.domain, "d");
  EXPECT_EQ(q.fields.groups, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(q.fields.tags, std::vector<std::string>{"t"});
  EXPECT_EQ(q.fields.weight, 3U);
  EXPECT_EQ(q.fields.tier, -2);
  const std::vector<storage::limit> limits{{"", storage::limit_kind::rpm, 10},
                                           {"", storage::limit_kind::tpd, 5},
                                           {"gemini-2.5-pro", storage::limit_kind::rpm, 2}};
  EXPECT_EQ(q.fields.limits, limits);
  EXPECT_EQ(q.fields.proxy->reveal(), "http://u:p@h:1");
  EXPECT_EQ(q.fields.note, "words");
}

TEST(key_body, what_is_absent_is_not_said) {
  problems all;
  const auto q = read_key_edit(tree("{}"), all);
  EXPECT_EQ(told(all), "");
  const auto& f = q.fields;
  EXPECT_FALSE(f.enabled || f.upstream || f.kind || f.name || f.domain || f.proxy || f.note);
  EXPECT_FALSE(f.groups || f.tags || f.weight || f.tier || f.limits);
}

TEST(key_body, null_empties_texts_and_lists) {
  problems all;
  const auto q = read_key_edit(
      tree(R"({"name":null,"domain":null,"proxy":null,"groups":null,"limits":null})"), all);
  EXPECT_EQ(told(all), "");
  EXPECT_EQ(q.fields.name, "");
  EXPECT_EQ(q.fields.domain, "");
  EXPECT_TRUE(q.fields.proxy && q.fields.proxy->empty());
  EXPECT_EQ(q.fields.groups, std::vector<std::string>{});
  EXPECT_TRUE(q.fields.limits && q.fields.limits->empty());
}

TEST(key_body, tells_everything_wrong_at_once_with_its_path) {
  EXPECT_EQ(faults(read_key_edit, R"({"enabled":"yes","weight":1.5,"groups":["a",1],
    "limits":{"rpm":0,"tpm":"x","models":{"m":{"rpd":-1,"what":1}},"day":1},"colour":"red",
    "secret":"AIza"})"),
            "enabled wrong_type, groups[1] wrong_type, weight wrong_type, limits.rpm out_of_range, "
            "limits.tpm wrong_type, limits.models.m.rpd out_of_range, "
            "limits.models.m.what unknown_field, limits.day unknown_field, colour unknown_field, "
            "secret unknown_field");
  EXPECT_EQ(faults(read_key_edit, "[]"), " wrong_type");
}

TEST(key_body, a_masked_secret_is_never_taken) {
  EXPECT_EQ(faults(read_new_key, R"({"secret":"***"})"), "secret masked_secret");
  EXPECT_EQ(faults(read_new_key, R"({"secret":"AIza***xyz"})"), "secret masked_secret");
  EXPECT_EQ(faults(read_key_edit, R"({"proxy":"http://***@host"})"), "proxy masked_secret");
}

TEST(key_body, a_new_key_needs_its_characters) {
  EXPECT_EQ(faults(read_new_key, "{}"), "secret missing");
  EXPECT_EQ(faults(read_new_key, R"({"secret":""})"), "secret missing");
  EXPECT_EQ(faults(read_new_key, R"({"secret":null})"), "secret missing");
  EXPECT_EQ(faults(read_new_key, R"({"secret":7})"), "secret wrong_type");
}

TEST(key_body, no_problem_repeats_what_was_sent) {
  problems all;
  (void)read_new_key(tree(R"({"secret":{"AIzaSyHiddenHiddenHiddenHiddenHidden123":1},
    "AIzaSyHiddenHiddenHiddenHiddenHidden123":1,"upstream":["AIzaSyHiddenHiddenHiddenHidden"],
    "limits":{"models":{"AIzaSyHiddenHiddenHiddenHiddenHidden123":{"rpm":0}}}})"),
                     all);
  EXPECT_EQ(all.size(), 4U);
  for (const auto& p : all) {
    EXPECT_EQ((p.field + p.message).find("Hidden"), std::string::npos) << p.field;
  }
}

TEST(key_body, a_pause_is_a_span) {
  problems all;
  EXPECT_EQ(read_pause(tree(R"({"for":"10m"})"), all), 600'000);
  EXPECT_EQ(told(all), "");
  EXPECT_EQ(faults(read_pause, "{}"), "for missing");
  EXPECT_EQ(faults(read_pause, R"({"for":"soon"})"), "for invalid_value");
  EXPECT_EQ(faults(read_pause, R"({"for":600})"), "for wrong_type");
  EXPECT_EQ(faults(read_pause, R"({"for":"0"})"), "for out_of_range");
  EXPECT_EQ(faults(read_pause, R"({"for":"1m","more":1})"), "more unknown_field");
}

import_keys import_of(std::string_view text, problems& all) {
  return read_import(tree(text), all);
}

TEST(key_body, an_import_takes_keys_or_text) {
  problems all;
  const auto list =
      import_of(R"({"keys":["k1","k2"],"fields":{"tags":["t"]},"dry_run":true})", all);
  EXPECT_EQ(list.text.reveal(), "k1\nk2\n");
  EXPECT_EQ(list.fields.tags, std::vector<std::string>{"t"});
  EXPECT_TRUE(list.dry_run);
  EXPECT_EQ(import_of(R"({"text":"k1, k2"})", all).text.reveal(), "k1, k2");
  EXPECT_EQ(told(all), "");
  (void)import_of("{}", all);
  (void)import_of(R"({"keys":[],"text":""})", all);
  (void)import_of(R"({"keys":["a"],"fields":{"weight":"x"}})", all);
  EXPECT_EQ(told(all), "keys missing, text invalid_value, fields.weight wrong_type");
}

TEST(key_body, an_import_of_plain_text_has_its_fields_in_the_query) {
  problems all;
  query_reader query("upstream=g&group=a,b&tag=t&dry_run=true", all);
  const auto q = read_import(query, "AIza1\nAIza2");
  EXPECT_EQ(told(all), "");
  EXPECT_EQ(q.text.reveal(), "AIza1\nAIza2");
  EXPECT_EQ(q.fields.upstream, "g");
  EXPECT_EQ(q.fields.groups, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(q.fields.tags, std::vector<std::string>{"t"});
  EXPECT_TRUE(q.dry_run);
}

TEST(key_body, bulk_words_mean_what_they_say) {
  const auto action = [](std::string_view word) {
    problems all;
    const auto more = word == "pause" ? R"(,"for":"1m")" : word == "edit" ? R"(,"fields":{})" : "";
    const auto order =
        read_bulk(tree(R"({"action":")" + std::string{word} + R"(","all":true)" + more + "}"), all);
    EXPECT_EQ(told(all), "") << word;
    return order;
  };
  EXPECT_EQ(action("enable").change.action, bulk_action::enable);
  EXPECT_EQ(action("disable").change.action, bulk_action::disable);
  EXPECT_EQ(action("pause").change.action, bulk_action::pause);
  EXPECT_EQ(action("pause").change.pause_ms, 60'000);
  EXPECT_EQ(action("reset").change.action, bulk_action::reset);
  EXPECT_EQ(action("delete").change.action, bulk_action::erase);
  EXPECT_EQ(action("edit").change.action, bulk_action::edit);
  EXPECT_FALSE(action("edit").check);
  EXPECT_TRUE(action("check").check);
}

TEST(key_body, a_bulk_change_of_every_key_must_be_meant) {
  EXPECT_EQ(faults(read_bulk, R"({"action":"delete"})"), "filter missing");
  EXPECT_EQ(faults(read_bulk, R"({"action":"delete","filter":{}})"), "filter missing");
  EXPECT_EQ(faults(read_bulk, R"({"action":"delete","filter":{"ids":[]}})"), "filter missing");
  EXPECT_EQ(faults(read_bulk, R"({"action":"delete","filter":{"q":""},"all":false})"),
            "filter missing");
  EXPECT_EQ(faults(read_bulk, R"({"action":"delete","filter":{"q":"x"},"all":true})"),
            "all relation");
  EXPECT_EQ(faults(read_bulk, R"({"action":"delete","filter":{"q":"x"}})"), "");
}

TEST(key_body, a_bulk_filter_is_checked) {
  problems all;
  const auto q = read_bulk(tree(R"({"action":"reset","filter":{"q":"a","state":["ready"],
    "reason":["quota_day"],"upstream":"u","group":"g","tag":"t",
    "ids":["key_00000000000000ff"]}})"),
                           all)
                     .change;
  EXPECT_EQ(told(all), "");
  EXPECT_EQ(q.filter.text, "a");
  EXPECT_EQ(q.filter.states, std::vector<std::string>{"ready"});
  EXPECT_EQ(q.filter.reasons, std::vector<std::string>{"quota_day"});
  EXPECT_EQ(q.filter.upstream + q.filter.group + q.filter.tag, "ugt");
  EXPECT_EQ(q.filter.ids, std::vector<std::uint64_t>{255});
  EXPECT_EQ(faults(read_bulk, R"({"action":"reset","filter":{"state":["up"],"reason":["bad"],
    "ids":["key_1"],"colour":1}})"),
            "filter.state invalid_value, filter.reason invalid_value, "
            "filter.ids[0] invalid_value, filter.colour unknown_field");
}

TEST(key_body, bulk_members_go_with_their_action) {
  EXPECT_EQ(faults(read_bulk, R"({"all":true})"), "action missing");
  EXPECT_EQ(faults(read_bulk, R"({"action":"explode","all":true})"), "action invalid_value");
  EXPECT_EQ(faults(read_bulk, R"({"action":"pause","all":true})"), "for missing");
  EXPECT_EQ(faults(read_bulk, R"({"action":"enable","all":true,"for":"1m"})"), "for relation");
  EXPECT_EQ(faults(read_bulk, R"({"action":"enable","all":true,"fields":{}})"), "fields relation");
  EXPECT_EQ(faults(read_bulk, R"({"action":"edit","all":true})"), "fields missing");
}

TEST(key_query, reads_filter_order_and_page) {
  problems all;
  query_reader query("q=some+words&state=ready,cooling&reason=quota_day&upstream=u&group=g&tag=t"
                     "&sort=-last_used&limit=7&after=1.x%2By&key=sk-secret",
                     all);
  const auto q = read_key_list(query);
  EXPECT_EQ(told(all), "");
  EXPECT_EQ(q.filter.text, "some words");
  EXPECT_EQ(q.filter.states, (std::vector<std::string>{"ready", "cooling"}));
  EXPECT_EQ(q.filter.reasons, std::vector<std::string>{"quota_day"});
  EXPECT_EQ(q.filter.upstream + q.filter.group + q.filter.tag, "ugt");
  EXPECT_EQ(q.sort, key_sort::last_used);
  EXPECT_TRUE(q.descending);
  EXPECT_EQ(q.limit, 7U);
  EXPECT_EQ(q.after, "1.x+y");
}

TEST(key_query, has_sensible_defaults) {
  problems all;
  query_reader query("", all);
  const auto q = read_key_list(query);
  EXPECT_EQ(q.sort, key_sort::created);
  EXPECT_FALSE(q.descending);
  EXPECT_EQ(q.limit, 100U);
}

TEST(key_query, tells_everything_wrong_at_once) {
  problems all;
  query_reader query("state=up&sort=colour&limit=1001&limit=2&page=3&reason=x", all);
  (void)read_key_list(query);
  EXPECT_EQ(told(all), "limit duplicate, state invalid_value, reason invalid_value, "
                       "sort invalid_value, limit out_of_range, page unknown_parameter");
  all.clear();
  query_reader words("limit=ten", all);
  (void)read_key_list(words);
  EXPECT_EQ(told(all), "limit wrong_type");
}

TEST(credential_body, reads_every_field) {
  problems all;
  const auto q = read_new_credential(
      tree(R"({"name":"n","role":"client","note":"w","expires":"2026-11-25T08:00:00Z",
        "models":["gemini-*"],"groups":["g"],"limits":{"rpm":1}})"),
      all);
  EXPECT_EQ(told(all), "");
  EXPECT_EQ(q.what, storage::role::client);
  EXPECT_EQ(q.fields.name, "n");
  EXPECT_EQ(q.fields.note, "w");
  EXPECT_EQ(q.fields.expires_at_ms, 1'795'593'600'000);
  EXPECT_EQ(q.fields.models, std::vector<std::string>{"gemini-*"});
  EXPECT_EQ(q.fields.groups, std::vector<std::string>{"g"});
  EXPECT_EQ(q.fields.limits->size(), 1U);
  EXPECT_EQ(read_new_credential(tree(R"({"name":"n","role":"viewer"})"), all).what,
            storage::role::viewer);
  EXPECT_EQ(read_new_credential(tree(R"({"name":"n","role":"operator"})"), all).what,
            storage::role::operator_);
}

TEST(credential_body, tells_everything_wrong_at_once) {
  EXPECT_EQ(faults(read_new_credential, "{}"), "role missing, name missing");
  EXPECT_EQ(
      faults(read_new_credential, R"({"name":1,"role":"root","expires":"tomorrow","secret":"x"})"),
      "role invalid_value, name wrong_type, expires invalid_value, secret unknown_field");
  EXPECT_EQ(faults(read_credential_edit, R"({"role":"operator","expires":5})"),
            "expires wrong_type, role unknown_field");
}

TEST(credential_body, null_means_never) {
  problems all;
  EXPECT_EQ(read_credential_edit(tree(R"({"expires":null})"), all).fields.expires_at_ms, 0);
  EXPECT_FALSE(read_credential_edit(tree("{}"), all).fields.expires_at_ms);
}

TEST(credential_query, matches_by_role_and_words) {
  problems all;
  query_reader query("role=viewer&q=DASH", all);
  const auto f = read_credential_list(query);
  EXPECT_EQ(told(all), "");
  credential_view v;
  v.item.what = storage::role::viewer;
  v.item.name = "dashboard";
  EXPECT_TRUE(matches(f, v));
  v.item.name = "other";
  EXPECT_FALSE(matches(f, v));
  v.item.note = "for the dashboard";
  EXPECT_TRUE(matches(f, v));
  v.item.what = storage::role::operator_;
  EXPECT_FALSE(matches(f, v));
}

} // namespace
} // namespace troupe
