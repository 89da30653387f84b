#include "tests/actors/inventory/inventory_stage.hpp"
#include "tests/support/full_disk.hpp"

namespace troupe {

using inventory_keys = inventory_stage;

const std::string one = "AIzaSy-sandbox-key-000000000000000001";
const std::string two = "AIzaSy-sandbox-key-000000000000000002";

TEST_F(inventory_keys, an_added_key_is_in_the_pool_before_it_is_answered) {
  key_fields f;
  f.name = "first";
  f.weight = 7;
  const auto added = add(one, f);
  ASSERT_TRUE(added) << added.no->text;
  EXPECT_EQ(added.yes.header.revision, 1U);
  EXPECT_EQ(added.yes.item.upstream, "gemini");
  ASSERT_TRUE(node_.pool.contains(added.yes.id));
  EXPECT_EQ(node_.pool[added.yes.id].secret_text.reveal(), one);
  EXPECT_EQ(node_.pool[added.yes.id].name, "first");
}

TEST_F(inventory_keys, an_added_key_outlives_a_restart_and_is_written_sealed) {
  key_fields f;
  f.groups = {{"team-a"}};
  f.limits = {
      {{"gemini-2.5-pro", storage::limit_kind::rpm, 5}, {"", storage::limit_kind::rpd, 500}}};
  f.proxy = secret{"socks5://user:hidden-password@10.0.0.1:1080"};
  const auto id = add(one, f).yes.id;
  close();
  EXPECT_EQ(files_with(one), std::vector<std::string>{});
  EXPECT_EQ(files_with("hidden-password"), std::vector<std::string>{});
  open();
  EXPECT_EQ(node_.pool.at(id).secret_text.reveal(), one);
  const auto kept = tables_->ask(get_key{id}).yes;
  EXPECT_EQ(kept.item.groups, *f.groups);
  EXPECT_EQ(kept.item.limits, *f.limits);
  EXPECT_EQ(kept.proxy_shown, "socks5://10.0.0.1:1080");
}

TEST_F(inventory_keys, the_same_key_twice_is_refused) {
  add(one);
  const auto again = add(one);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.no->reason, "already_exists");
  EXPECT_EQ(again.no->text.find(one), std::string::npos);
}

TEST_F(inventory_keys, masked_and_hopeless_texts_are_no_keys) {
  for (const auto* text :
       {"***", "AIza***1234567", "short", "has a space in it", "your-api-key-here"}) {
    const auto added = add(text);
    ASSERT_FALSE(added) << text;
    ASSERT_EQ(added.no->fields.size(), 1U);
    EXPECT_EQ(added.no->fields[0].field, "secret");
    EXPECT_EQ(added.no->text.find(text), std::string::npos);
  }
  EXPECT_TRUE(node_.pool.empty());
}

TEST_F(inventory_keys, everything_wrong_with_a_key_is_told_at_once) {
  key_fields f;
  f.upstream = "nowhere";
  f.weight = 0;
  f.tier = 1'000;
  f.tags = {{"a", "a", "b c"}};
  f.limits = {{{"", storage::limit_kind::rpm, 0}}};
  f.proxy = secret{"ftp://x"};
  const auto added = add(one, f);
  ASSERT_FALSE(added);
  std::set<std::string> fields;
  for (const auto& p : added.no->fields)
    fields.insert(p.field);
  EXPECT_EQ(fields, (std::set<std::string>{"upstream", "weight", "tier", "tags[1]", "tags[2]",
                                           "limits.rpm", "proxy"}));
}

TEST_F(inventory_keys, an_edit_leaves_untouched_what_it_does_not_name) {
  key_fields f;
  f.note = "bought in May";
  f.weight = 3;
  const auto id = add(one, f).yes.id;
  edit_key edit{by_, {}, id, {}};
  edit.fields.tier = 2;
  const auto after = tables_->ask(edit);
  ASSERT_TRUE(after) << after.no->text;
  EXPECT_EQ(after.yes.item.note, "bought in May");
  EXPECT_EQ(after.yes.item.weight, 3U);
  EXPECT_EQ(after.yes.item.tier, 2);
  EXPECT_EQ(after.yes.header.revision, 2U);
}

TEST_F(inventory_keys, an_edit_that_changes_nothing_makes_no_revision) {
  const auto id = add(one).yes.id;
  edit_key edit{by_, {}, id, {}};
  edit.fields.weight = 1;
  EXPECT_EQ(tables_->ask(edit).yes.header.revision, 1U);
  EXPECT_EQ(actions().back(), "keys.add");
}

TEST_F(inventory_keys, of_two_admins_with_the_same_revision_one_is_told) {
  const auto id = add(one).yes.id;
  edit_key first{by_, 1, id, {}};
  first.fields.note = "mine";
  edit_key second{by_, 1, id, {}};
  second.fields.note = "no, mine";
  EXPECT_TRUE(tables_->ask(first));
  const auto late = tables_->ask(second);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.no->reason, "revision_mismatch");
  EXPECT_EQ(late.no->revision, 2U);
  EXPECT_EQ(tables_->ask(get_key{id}).yes.item.note, "mine");
  EXPECT_FALSE(tables_->ask(delete_key{by_, 1, id}));
  EXPECT_TRUE(tables_->ask(delete_key{by_, 2, id}));
}

TEST_F(inventory_keys, a_deleted_key_is_gone_from_pool_and_disk_and_counts_on_when_it_comes_back) {
  const auto id = add(one).yes.id;
  EXPECT_TRUE(tables_->ask(delete_key{by_, {}, id}));
  EXPECT_FALSE(node_.pool.contains(id));
  restart();
  EXPECT_FALSE(node_.pool.contains(id));
  EXPECT_EQ(tables_->ask(get_key{id}).no->reason, "not_found");
  EXPECT_EQ(add(one).yes.header.revision, 3U) << "the tombstone was revision 2";
}

TEST_F(inventory_keys, a_key_of_the_file_that_was_deleted_stays_away) {
  close();
  file(R"({"upstreams":[{"name":"g","keys":[")" + one + R"(",")" + two + R"("]}]})");
  open();
  const auto keys = all_keys();
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].origin, item_origin::file);
  EXPECT_EQ(keys[0].origin_text, "troupe.json:1");
  EXPECT_EQ(keys[0].header.revision, 0U);
  const auto id = keys[0].id;
  EXPECT_TRUE(tables_->ask(delete_key{by_, {}, id}));
  restart();
  EXPECT_EQ(all_keys().size(), 1U);
  EXPECT_EQ(warnings_.size(), 1U);
  EXPECT_NE(warnings_.front().find("stay away"), std::string::npos);
}

TEST_F(inventory_keys, a_key_of_the_environment_is_edited_but_not_deleted_and_never_written) {
  close();
  sources_.environment = {{"GEMINI_API_KEYS", one}};
  open();
  const auto id = all_keys().front().id;
  const auto refused = tables_->ask(delete_key{by_, {}, id});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.no->reason, "fixed");
  EXPECT_NE(refused.no->text.find("GEMINI_API_KEYS"), std::string::npos);
  edit_key edit{by_, {}, id, {}};
  edit.fields.note = "from the environment";
  edit.fields.enabled = false;
  EXPECT_TRUE(tables_->ask(edit));
  EXPECT_FALSE(node_.pool[id].enabled);
  restart();
  EXPECT_FALSE(node_.pool[id].enabled);
  EXPECT_EQ(tables_->ask(get_key{id}).yes.item.note, "from the environment");
  close();
  EXPECT_TRUE(files_with(one).empty());
  sources_.environment.clear();
  open();
  EXPECT_TRUE(node_.pool.empty()) << "without its variable there is no such key";
}

TEST_F(inventory_keys, an_import_takes_any_separators_and_reports) {
  add(one);
  const auto text = "keys = [\"" + one + "\", '" + two + "';\n# a comment AIzaSyNOTTHISONE12345\n"
                    + two + "\tAIzaSy-third-000000000003|words only\n";
  const auto job = finish(tables_->ask(import_keys{by_, secret{text}, {}, false}));
  EXPECT_EQ(job.state, job_state::done);
  EXPECT_EQ(
      job.report,
      R"({"added":2,"already_there":1,"repeated":1,"refused":4,"refusals":[)"
      R"({"line":1,"reason":"is too short for a key"},{"line":1,"reason":"is too short for a key"},)"
      R"({"line":3,"reason":"is too short for a key"},{"line":3,"reason":"is too short for a key"}],)"
      R"("dry_run":false})");
  EXPECT_EQ(node_.pool.size(), 3U);
  EXPECT_EQ(actions(), (std::vector<std::string>{"credentials.add", "credentials.add", "keys.add",
                                                 "keys.import"}));
}

std::string many_keys(int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += "AIzaSy-imported-" + std::to_string(1'000'000 + i) + '\n';
  return text;
}

TEST_F(inventory_keys, a_dry_run_changes_nothing) {
  const auto job = finish(tables_->ask(import_keys{by_, secret{many_keys(1'200)}, {}, true}));
  EXPECT_NE(job.report.find(R"("added":1200)"), std::string::npos);
  EXPECT_TRUE(node_.pool.empty());
}

TEST_F(inventory_keys, an_import_can_be_stopped_and_keeps_what_it_has) {
  const auto begun = tables_->ask(import_keys{by_, secret{many_keys(1'200)}, {}, false});
  tables_->step();
  EXPECT_TRUE(jobs_.cancel(begun.yes.job));
  const auto job = finish(begun);
  EXPECT_EQ(job.state, job_state::cancelled);
  EXPECT_GE(node_.pool.size(), 500U);
  EXPECT_LT(node_.pool.size(), 1'200U);
}

TEST_F(inventory_keys, an_import_that_a_stop_cuts_is_told) {
  tables_->ask(import_keys{by_, secret{many_keys(1'200)}, {}, false});
  tables_->step();
  close();
  EXPECT_TRUE(log_.has("keys.import was cut by the stop after 500 of 1200"));
}

TEST_F(inventory_keys, pages_hold_each_key_once_in_every_order) {
  finish(tables_->ask(import_keys{by_, secret{many_keys(250)}, {}, false}));
  for (const auto sort : {key_sort::created, key_sort::name, key_sort::id, key_sort::state,
                          key_sort::upstream, key_sort::tier, key_sort::last_used})
    for (const bool descending : {false, true}) {
      list_keys q;
      q.sort = sort;
      q.descending = descending;
      q.limit = 30;
      std::set<std::uint64_t> seen;
      std::size_t pages = 0;
      do {
        const auto page = tables_->ask(q);
        ASSERT_TRUE(page) << page.no->text;
        EXPECT_EQ(page.yes.matched, 250U);
        for (const auto& k : page.yes.keys)
          EXPECT_TRUE(seen.insert(k.id).second);
        q.after = page.yes.next;
        ++pages;
      } while (!q.after.empty());
      EXPECT_EQ(seen.size(), 250U);
      EXPECT_EQ(pages, 9U);
    }
}

TEST_F(inventory_keys, a_page_goes_on_where_it_was_while_keys_come_and_go) {
  for (const auto* name : {"a", "b", "d", "e"}) {
    key_fields f;
    f.name = name;
    add("AIzaSy-named-000000000-" + std::string{name} + "1", f);
  }
  list_keys q;
  q.sort = key_sort::name;
  q.limit = 2;
  auto page = tables_->ask(q).yes;
  EXPECT_EQ(page.keys[1].item.name, "b");
  tables_->ask(delete_key{by_, {}, page.keys[1].id});
  key_fields f;
  f.name = "c";
  add("AIzaSy-named-000000000-c1", f);
  q.after = page.next;
  EXPECT_EQ(names(q), (std::vector<std::string>{"c", "d"}));
  q.after = "nonsense";
  EXPECT_EQ(tables_->ask(q).no->reason, "invalid_request");
}

TEST_F(inventory_keys, filters_find_by_text_state_reason_and_labels) {
  key_fields f;
  f.name = "Berlin";
  f.tags = {{"paid"}};
  f.groups = {{"eu"}};
  const auto berlin = add(one, f).yes.id;
  f.name = "Oslo";
  f.tags = {{"free"}};
  const auto oslo = add(two, f).yes.id;
  node_.states[oslo] = key_state::disabled;
  node_.reasons[oslo] = key_reason::invalid;
  const auto found = [&](key_filter filter) {
    list_keys q;
    q.filter = std::move(filter);
    q.sort = key_sort::name;
    return names(q);
  };
  key_filter by_text, by_state, by_reason, by_tag, by_group, by_id;
  by_text.text = "BERL";
  by_state.states = {"ready"};
  by_reason.reasons = {"invalid"};
  by_tag.tag = "free";
  by_group.group = "eu";
  by_id.ids = {berlin};
  EXPECT_EQ(found(by_text), std::vector<std::string>{"Berlin"});
  EXPECT_EQ(found(by_state), std::vector<std::string>{"Berlin"});
  EXPECT_EQ(found(by_reason), std::vector<std::string>{"Oslo"});
  EXPECT_EQ(found(by_tag), std::vector<std::string>{"Oslo"});
  EXPECT_EQ(found(by_group), (std::vector<std::string>{"Berlin", "Oslo"}));
  EXPECT_EQ(found(by_id), std::vector<std::string>{"Berlin"});
}

TEST_F(inventory_keys, a_change_in_bulk_reaches_what_the_filter_matches) {
  close();
  sources_.environment = {{"GEMINI_API_KEYS", one}};
  open();
  finish(tables_->ask(import_keys{by_, secret{many_keys(700)}, {}, false}));
  change_keys wanted;
  wanted.by = by_;
  wanted.action = bulk_action::edit;
  wanted.filter.text = "gemini-"; // the configured one has a name
  wanted.fields.tags = {{"configured"}};
  EXPECT_EQ(finish(tables_->ask(wanted)).report,
            R"({"matched":1,"changed":1,"failed":0,"failures":[]})");
  wanted = {};
  wanted.by = by_;
  wanted.action = bulk_action::erase;
  const auto job = finish(tables_->ask(wanted));
  EXPECT_NE(job.report.find(R"("matched":701,"changed":700,"failed":1)"), std::string::npos)
      << job.report;
  EXPECT_EQ(node_.pool.size(), 1U);
}

TEST_F(inventory_keys, an_operators_word_is_kept_with_the_key) {
  const auto id = add(one).yes.id;
  EXPECT_TRUE(tables_->ask(order_key{by_, id, key_order::disable, 0}));
  EXPECT_FALSE(node_.pool[id].enabled);
  restart();
  EXPECT_FALSE(node_.pool[id].enabled);
  EXPECT_TRUE(tables_->ask(order_key{by_, id, key_order::enable, 0}));
  EXPECT_TRUE(node_.pool[id].enabled);
  EXPECT_EQ(node_.orders.back(), (std::pair{key_order::enable, id}));
  EXPECT_TRUE(tables_->ask(order_key{by_, id, key_order::pause, 60'000}));
  EXPECT_GE(node_.flushes, 2) << "what an admin waited for is on the disk";
  EXPECT_FALSE(tables_->ask(order_key{by_, id, key_order::pause, 0}));
}

TEST_F(inventory_keys, a_full_disk_refuses_and_changes_nothing) {
  const auto id = add(one).yes.id;
  const auto before = actions().size();
  {
    const full_disk full;
    const auto refused = add(two);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.no->reason, "storage_full") << refused.no->text;
    EXPECT_FALSE(tables_->ask(delete_key{by_, {}, id}));
    EXPECT_EQ(node_.pool.size(), 1U);
    EXPECT_EQ(all_keys().size(), 1U) << "reading goes on";
  }
  EXPECT_TRUE(add(two)) << "there is room again";
  EXPECT_EQ(actions().size(), before + 1);
  restart();
  EXPECT_EQ(node_.pool.size(), 2U);
}

TEST_F(inventory_keys, revisions_and_audit_go_on_when_the_clock_steps_back) {
  const auto id = add(one).yes.id;
  const auto first = tables_->ask(get_key{id}).yes.header.written;
  now_ -= std::chrono::hours{24};
  edit_key edit{by_, {}, id, {}};
  edit.fields.note = "yesterday";
  const auto after = tables_->ask(edit).yes.header;
  EXPECT_GT(after.written, first);
  EXPECT_EQ(after.revision, 2U);
  restart();
  edit.fields.note = "again";
  EXPECT_GT(tables_->ask(edit).yes.header.written, after.written);
  EXPECT_EQ(actions().back(), "keys.edit");
}

TEST_F(inventory_keys, the_audit_names_who_what_and_both_values_but_no_secret) {
  key_fields f;
  f.proxy = secret{"http://u:p4ssword@proxy.example:8080"};
  const auto id = add(one, f).yes.id;
  edit_key edit{by_, {}, id, {}};
  edit.fields.weight = 9;
  tables_->ask(edit);
  const auto entries = tables_->ask(list_audit{}).yes.entries;
  EXPECT_EQ(entries[0].entry.who, "admin:root");
  EXPECT_EQ(entries[0].entry.from, "127.0.0.1");
  EXPECT_EQ(entries[0].entry.target, id_text(id));
  EXPECT_EQ(entries[0].entry.changes, R"({"weight":{"before":1,"after":9}})");
  EXPECT_EQ(entries[1].entry.changes.find("p4ssword"), std::string::npos);
  EXPECT_NE(entries[1].entry.changes.find("proxy.example"), std::string::npos);
}

TEST_F(inventory_keys, keys_of_every_kind_of_upstream_are_in_the_pool_together) {
  close();
  file(R"({"upstreams":[{"name":"g"},{"name":"v","kind":"vertex"},{"name":"o","kind":"openai"},
                        {"name":"a","kind":"anthropic"}]})");
  open();
  std::set<std::uint32_t> upstreams;
  int number = 0;
  for (const auto* upstream : {"g", "v", "o", "a"}) {
    key_fields f;
    f.upstream = upstream;
    const auto added = add("sk-of-some-kind-000000000" + std::to_string(++number), f);
    ASSERT_TRUE(added) << added.no->text;
    EXPECT_TRUE(added.yes.served);
    upstreams.insert(node_.pool.at(added.yes.id).upstream);
  }
  EXPECT_EQ(upstreams.size(), 4U);
  EXPECT_EQ(node_.settings_used, 0) << "a key changes no settings";
}

TEST_F(inventory_keys, a_change_of_an_upstreams_kind_moves_no_key) {
  ASSERT_TRUE(tables_->ask(change_settings{by_, {}, R"({"upstreams":[{"name":"a"}]})", false}));
  const auto id = add(one).yes.id;
  const auto before = node_.added;
  ASSERT_TRUE(tables_->ask(
      change_settings{by_, {}, R"({"upstreams":[{"name":"a","kind":"vertex"}]})", false}));
  EXPECT_TRUE(node_.pool.contains(id));
  EXPECT_EQ(node_.added, before);
}

TEST_F(inventory_keys, a_key_whose_upstream_is_gone_comes_back_with_it) {
  ASSERT_TRUE(tables_->ask(
      change_settings{by_, {}, R"({"upstreams":[{"name":"a"},{"name":"b"}]})", false}));
  key_fields f;
  f.upstream = "b";
  const auto id = add(one, f).yes.id;
  close();
  file(R"({"upstreams":[{"name":"a"}]})");
  {
    auto db = storage::store::open({.directory = where_.path()});
    ASSERT_TRUE(db);
    ASSERT_TRUE((*db)->erase(storage::column::settings, "document", storage::durability::power));
  }
  open();
  EXPECT_FALSE(node_.pool.contains(id));
  EXPECT_FALSE(tables_->ask(get_key{id}).yes.served);
  close();
  file(R"({})");
  open();
  ASSERT_TRUE(tables_->ask(
      change_settings{by_, {}, R"({"upstreams":[{"name":"a"},{"name":"b"}]})", false}));
  ASSERT_TRUE(node_.pool.contains(id));
  EXPECT_TRUE(node_.pool[id].returning) << "what is kept of its state counts";
  EXPECT_TRUE(tables_->ask(get_key{id}).yes.served);
}

TEST_F(inventory_keys, what_is_said_of_a_key_goes_to_the_pool_with_it) {
  key_fields f;
  f.tier = 2;
  f.weight = 7;
  f.domain = "project-1";
  f.groups = {{"team-a"}};
  f.limits = {{{"gemini-2.5-pro", limit_kind::rpm, 5}}};
  f.proxy = secret{"socks5://user:p4ssword@10.0.0.1:1080"};
  const auto& k = node_.pool.at(add(one, f).yes.id);
  EXPECT_EQ(k.tier, 2);
  EXPECT_EQ(k.weight, 7U);
  EXPECT_EQ(k.domain, "project-1");
  EXPECT_EQ(k.groups, *f.groups);
  EXPECT_EQ(k.limits, *f.limits);
  EXPECT_EQ(k.proxy.reveal(), "socks5://user:p4ssword@10.0.0.1:1080");
}

TEST_F(inventory_keys, an_upstreams_limits_are_those_of_keys_that_say_nothing_of_the_same) {
  close();
  file(R"({"upstreams":[{"name":"g","limits":{"rpm":10,"rpd":500,"models":{"m":{"rpm":5}}}}]})");
  open();
  key_fields f;
  f.limits = {{{"", limit_kind::rpm, 99}, {"n", limit_kind::rpm, 1}}};
  const auto own = node_.pool.at(add(one, f).yes.id).limits;
  const std::vector<limit> wanted{{"", limit_kind::rpm, 99},
                                  {"n", limit_kind::rpm, 1},
                                  {"", limit_kind::rpd, 500},
                                  {"m", limit_kind::rpm, 5}};
  EXPECT_TRUE(std::ranges::is_permutation(own, wanted));
  const auto none = add(two).yes;
  EXPECT_EQ(node_.pool.at(none.id).limits.size(), 3U);
  EXPECT_TRUE(none.item.limits.empty()) << "they stay the upstream's";
}

TEST_F(inventory_keys, a_change_of_an_upstreams_limits_reaches_the_keys_that_it_concerns) {
  ASSERT_TRUE(tables_->ask(change_settings{
      by_, {}, R"({"upstreams":[{"name":"g","limits":{"rpm":10}},{"name":"h"}]})", false}));
  key_fields f;
  f.upstream = "g";
  const auto follows = add(one, f).yes.id;
  f.limits = {{{"", limit_kind::rpm, 99}}};
  const auto has_its_own = add(two, f).yes.id;
  f = {};
  f.upstream = "h";
  add("AIzaSy-sandbox-key-000000000000000003", f);
  const auto before = node_.added;
  ASSERT_TRUE(tables_->ask(change_settings{
      by_, {}, R"({"upstreams":[{"name":"g","limits":{"rpm":3}},{"name":"h"}]})", false}));
  EXPECT_EQ(node_.added, before + 1);
  EXPECT_EQ(node_.pool.at(follows).limits, (std::vector<limit>{{"", limit_kind::rpm, 3}}));
  EXPECT_FALSE(node_.pool.at(follows).returning) << "it never went";
  EXPECT_EQ(node_.pool.at(has_its_own).limits, (std::vector<limit>{{"", limit_kind::rpm, 99}}));
}

TEST_F(inventory_keys, a_check_is_told_by_which_proxy_a_key_goes_out) {
  key_fields f;
  f.proxy = secret{"http://10.0.0.1:3128"};
  const auto id = add(one, f).yes.id;
  EXPECT_EQ(tables_->ask(reveal_key{id}).yes.proxy.reveal(), "http://10.0.0.1:3128");
  EXPECT_TRUE(tables_->ask(reveal_key{add(two).yes.id}).yes.proxy.empty());
}

TEST_F(inventory_keys, a_key_that_shall_not_be_seen_without_a_proxy_is_not_checked_without_one) {
  ASSERT_TRUE(tables_->ask(change_settings{by_,
                                           {},
                                           R"({"egress":{"proxies":["http://10.0.0.1:1"],
                    "groups":[{"name":"g","groups":["team-a"],"proxies":["http://10.0.0.2:2"]}]}})",
                                           false}));
  EXPECT_EQ(tables_->ask(reveal_key{add(one).yes.id}).yes.proxy.reveal(), "http://10.0.0.1:1");
  key_fields f;
  f.groups = {{"team-a"}};
  EXPECT_EQ(tables_->ask(reveal_key{add(two, f).yes.id}).yes.proxy.reveal(), "http://10.0.0.2:2");
}

TEST_F(inventory_keys, upstreams_are_listed_with_their_keys_by_state) {
  close();
  file(R"({"upstreams":[{"name":"g","limits":{"rpm":10}},{"name":"o","kind":"openai"}]})");
  open();
  add(one);
  const auto cooling = add(two).yes.id;
  node_.states[cooling] = key_state::cooling;
  const auto list = tables_->ask(list_upstreams{}).yes;
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].name, "g");
  EXPECT_EQ(list[0].keys, 2U);
  EXPECT_EQ(list[0].by_state, (std::array<std::uint64_t, 4>{1, 1, 0, 0}));
  EXPECT_EQ(list[0].limits, (std::vector<limit>{{"", limit_kind::rpm, 10}}));
  EXPECT_EQ(list[1].kind, upstream_kind::openai);
  EXPECT_EQ(list[1].keys, 0U);
}

TEST_F(inventory_keys, a_refused_write_that_happened_all_the_same_is_undone) {
  const auto id = add(one).yes.id;
  {
    const full_disk full;
    EXPECT_FALSE(add(two));
    EXPECT_FALSE(tables_->ask(delete_key{by_, {}, id}));
  }
  restart();
  EXPECT_TRUE(node_.pool.contains(id));
  EXPECT_EQ(node_.pool.size(), 1U);
}

TEST_F(inventory_keys, a_page_of_one_order_is_none_of_another) {
  add(one);
  add(two);
  list_keys q;
  q.limit = 1;
  q.after = tables_->ask(q).yes.next;
  ASSERT_FALSE(q.after.empty());
  q.sort = key_sort::name;
  EXPECT_EQ(tables_->ask(q).no->reason, "invalid_request");
}

} // namespace troupe
