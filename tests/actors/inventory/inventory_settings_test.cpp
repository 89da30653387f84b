#include "tests/actors/inventory/inventory_stage.hpp"
#include "tests/support/full_disk.hpp"

namespace troupe {

using inventory_settings = inventory_stage;
using namespace std::chrono_literals;

TEST_F(inventory_settings, a_change_is_in_force_and_outlives_a_restart) {
  const auto done = tables_->ask(change_settings{by_, {}, R"({"pool":{"cooldown":"90s"}})", false});
  ASSERT_TRUE(done) << done.no->text;
  EXPECT_EQ(done.yes.revision, 1U);
  ASSERT_EQ(done.yes.changes.size(), 1U);
  EXPECT_EQ(done.yes.changes[0].path, "pool.cooldown");
  EXPECT_TRUE(done.yes.changes[0].live);
  EXPECT_EQ(node_.settings.pool.cooldown, 90s);
  EXPECT_EQ(node_.policy.health.cooldown, 90s);
  restart();
  EXPECT_EQ(tables_->settings().loaded()->values.pool.cooldown, 90s);
}

TEST_F(inventory_settings, the_whole_policy_of_the_pool_follows_its_settings) {
  ASSERT_TRUE(tables_->ask(change_settings{
      by_,
      {},
      R"({"pool":{"strategy":"weighted","quota_margin":"1s","waiting_max":7,"recheck_min":"1m",
                  "rechecks_per_minute":2},"egress":{"proxies":["http://10.0.0.1:3128"]}})",
      false}));
  EXPECT_EQ(node_.policy.strategy, pool_strategy::weighted);
  EXPECT_EQ(node_.policy.quota.margin, 1s);
  EXPECT_EQ(node_.policy.waiting_max, 7U);
  EXPECT_EQ(node_.policy.recheck.min, 1min);
  EXPECT_EQ(node_.policy.recheck.per_minute, 2U);
  EXPECT_EQ(node_.policy.proxies.proxies.size(), 1U);
}

TEST_F(inventory_settings, a_zone_that_is_not_known_here_is_refused_also_on_trial) {
  for (const bool dry_run : {true, false}) {
    const auto no = tables_->ask(
        change_settings{by_, {}, R"({"pool":{"day_zone":"Mars/Olympus_Mons"}})", dry_run});
    ASSERT_FALSE(no);
    EXPECT_EQ(no.no->reason, "invalid_request");
    ASSERT_EQ(no.no->fields.size(), 1U);
    EXPECT_EQ(no.no->fields[0].field, "pool.day_zone");
  }
  EXPECT_EQ(node_.settings_used, 0);
}

TEST_F(inventory_settings, a_start_with_a_zone_that_is_not_known_tells_where_it_is_from) {
  close();
  file(R"({"pool":{"day_zone":"Mars/Olympus_Mons"}})");
  auto db = storage::store::open({.directory = where_.path()});
  ASSERT_TRUE(db);
  storage::master_key_source master;
  master.file = where_.path() + "/master.key";
  auto vault = storage::vault::open(**db, master);
  ASSERT_TRUE(vault);
  auto tables = inventory::open({**db, *std::move(vault), master, sources_, [this] { return now_; },
                                 jobs_, log_, where_.path()},
                                warnings_);
  ASSERT_FALSE(tables);
  EXPECT_NE(tables.error().text.find("pool.day_zone (troupe.json:1)"), std::string::npos)
      << tables.error().text;
}

TEST_F(inventory_settings, what_needs_a_restart_is_named_until_there_was_one) {
  const auto done =
      tables_->ask(change_settings{by_, {}, R"({"server":{"connections_max":77}})", false});
  ASSERT_TRUE(done) << done.no->text;
  EXPECT_FALSE(done.yes.changes[0].live);
  EXPECT_EQ(tables_->ask(get_settings{}).yes.awaiting_restart,
            std::vector<std::string>{"server.connections_max"});
  restart();
  EXPECT_TRUE(tables_->ask(get_settings{}).yes.awaiting_restart.empty());
  EXPECT_EQ(tables_->settings().loaded()->values.server.connections_max, 77U);
}

TEST_F(inventory_settings, a_change_with_anything_wrong_changes_nothing) {
  const auto no = tables_->ask(change_settings{
      by_, {}, R"({"pool":{"cooldown":"1s","attempts_max":9999,"nonsense":1}})", false});
  ASSERT_FALSE(no);
  EXPECT_EQ(no.no->reason, "invalid_request");
  EXPECT_EQ(no.no->fields.size(), 2U);
  EXPECT_EQ(node_.settings_used, 0);
  EXPECT_EQ(tables_->ask(get_settings{}).yes.revision, 0U);
}

TEST_F(inventory_settings, what_the_environment_fixes_is_refused_by_its_name) {
  close();
  sources_.environment = {{"TROUPE_POOL_COOLDOWN", "45s"}};
  open();
  const auto no = tables_->ask(change_settings{by_, {}, R"({"pool":{"cooldown":"1s"}})", false});
  ASSERT_FALSE(no);
  EXPECT_EQ(no.no->reason, "fixed");
  ASSERT_EQ(no.no->fields.size(), 1U);
  EXPECT_NE(no.no->fields[0].message.find("TROUPE_POOL_COOLDOWN"), std::string::npos);
}

TEST_F(inventory_settings, of_two_admins_with_the_same_revision_one_is_told) {
  EXPECT_TRUE(tables_->ask(change_settings{by_, 0, R"({"pool":{"cooldown":"10s"}})", false}));
  const auto late = tables_->ask(change_settings{by_, 0, R"({"pool":{"cooldown":"20s"}})", false});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.no->reason, "revision_mismatch");
  EXPECT_EQ(late.no->revision, 1U);
}

TEST_F(inventory_settings, versions_are_kept_compared_and_restored_as_new_ones) {
  tables_->ask(change_settings{by_, {}, R"({"pool":{"cooldown":"10s"}})", false});
  tables_->ask(
      change_settings{by_, {}, R"({"pool":{"cooldown":"20s"},"drain_timeout":"7s"})", false});
  auto history = tables_->ask(get_settings_history{}).yes;
  ASSERT_EQ(history.versions.size(), 2U);
  EXPECT_EQ(history.versions[0].revision, 2U);
  EXPECT_EQ(history.versions[0].who, "admin:root");
  EXPECT_NE(history.versions[1].document.find("10s"), std::string::npos);
  const auto differences = tables_->ask(diff_settings{1, 2}).yes.differences;
  ASSERT_EQ(differences.size(), 2U);
  const auto restored = tables_->ask(restore_settings{by_, {}, 1, false});
  ASSERT_TRUE(restored) << restored.no->text;
  EXPECT_EQ(restored.yes.revision, 3U);
  EXPECT_EQ(node_.settings.pool.cooldown, 10s);
  EXPECT_EQ(node_.settings.drain_timeout, 30s);
  const auto first = tables_->ask(restore_settings{by_, {}, 0, false});
  EXPECT_EQ(first.yes.revision, 4U);
  EXPECT_EQ(node_.settings.pool.cooldown, 60s);
  EXPECT_EQ(tables_->ask(restore_settings{by_, {}, 99, false}).no->reason, "not_found");
}

TEST_F(inventory_settings, a_dry_run_says_what_would_be_and_does_nothing) {
  const auto done = tables_->ask(change_settings{by_, {}, R"({"pool":{"cooldown":"10s"}})", true});
  EXPECT_EQ(done.yes.changes.size(), 1U);
  EXPECT_EQ(done.yes.revision, 0U);
  EXPECT_EQ(node_.settings_used, 0);
  EXPECT_TRUE(tables_->ask(get_settings_history{}).yes.versions.empty());
}

TEST_F(inventory_settings, headers_of_upstreams_are_sealed_masked_and_kept) {
  const auto set = [&](const std::string& value) {
    return tables_->ask(change_settings{by_,
                                        {},
                                        R"({"upstreams":[{"name":"gemini","headers":{"x-team":")"
                                            + value + R"("}}]})",
                                        false});
  };
  ASSERT_TRUE(set("very-secret-header"));
  EXPECT_EQ(tables_->ask(get_settings{}).yes.document.find("very-secret-header"),
            std::string::npos);
  ASSERT_TRUE(tables_->ask(change_settings{
      by_,
      {},
      R"({"upstreams":[{"name":"gemini","idle_timeout":"9s","headers":{"x-team":"***"}}]})",
      false}));
  EXPECT_EQ(node_.settings.upstreams[0].headers.at("x-team").reveal(), "very-secret-header");
  for (const auto& e : tables_->ask(list_audit{}).yes.entries)
    EXPECT_EQ(e.entry.changes.find("very-secret-header"), std::string::npos);
  close();
  EXPECT_TRUE(files_with("very-secret-header").empty());
}

TEST_F(inventory_settings, an_upstream_that_keys_are_for_cannot_go) {
  ASSERT_TRUE(tables_->ask(
      change_settings{by_, {}, R"({"upstreams":[{"name":"gemini"},{"name":"other"}]})", false}));
  key_fields f;
  f.upstream = "other";
  const auto id = add("AIzaSy-for-the-other-0001", f).yes.id;
  const auto without = change_settings{by_, {}, R"({"upstreams":[{"name":"gemini"}]})", false};
  const auto no = tables_->ask(without);
  ASSERT_FALSE(no);
  EXPECT_EQ(no.no->reason, "in_use");
  EXPECT_NE(no.no->fields.front().message.find("1 keys are for \"other\""), std::string::npos);
  tables_->ask(delete_key{by_, {}, id});
  EXPECT_TRUE(tables_->ask(without));
}

TEST_F(inventory_settings, keys_of_the_file_stay_when_its_upstream_is_changed) {
  close();
  file(R"({"upstreams":[{"name":"g","keys":["AIzaSy-in-the-file-00001"]}]})");
  open();
  ASSERT_TRUE(tables_->ask(
      change_settings{by_, {}, R"({"upstreams":[{"name":"g","idle_timeout":"3s"}]})", false}));
  EXPECT_EQ(node_.pool.size(), 1U);
  restart();
  EXPECT_EQ(node_.pool.size(), 1U);
  EXPECT_EQ(all_keys().front().item.upstream, "g");
}

TEST_F(inventory_settings, a_full_disk_changes_nothing) {
  const full_disk full;
  const auto no = tables_->ask(change_settings{by_, {}, R"({"pool":{"cooldown":"10s"}})", false});
  ASSERT_FALSE(no);
  EXPECT_EQ(no.no->reason, "storage_full");
  EXPECT_EQ(node_.settings_used, 0);
  EXPECT_EQ(tables_->settings().loaded()->values.pool.cooldown, 60s);
}

} // namespace troupe
