#include "tests/actors/inventory/inventory_stage.hpp"

namespace troupe {

using inventory_whole = inventory_stage;
using namespace std::chrono_literals;

TEST_F(inventory_whole, a_backup_brings_back_settings_keys_and_credentials) {
  temporary_directory elsewhere;
  const auto backup = elsewhere.path() + "/backup";
  const auto kept = add("AIzaSy-kept-0000000000001").yes.id;
  const auto deleted = add("AIzaSy-deleted-00000000001").yes.id;
  add_credential wanted;
  wanted.by = by_;
  wanted.fields.name = "app";
  const auto app = tables_->ask(wanted).yes;
  tables_->ask(change_settings{by_, {}, R"({"pool":{"cooldown":"10s"}})", false});
  const auto done = finish(tables_->ask(back_up{by_, backup}));
  ASSERT_EQ(done.state, job_state::done) << done.error;

  const auto later = add("AIzaSy-later-0000000000001").yes.id;
  tables_->ask(delete_key{by_, {}, deleted});
  tables_->ask(revoke_credential{by_, {}, app.view.id});
  tables_->ask(change_settings{by_, {}, R"({"pool":{"cooldown":"99s"}})", false});
  edit_key edit{by_, {}, kept, {}};
  edit.fields.weight = 5;
  tables_->ask(edit);

  const auto restored = finish(tables_->ask(restore_from{by_, backup}));
  ASSERT_EQ(restored.state, job_state::done) << restored.error;
  EXPECT_EQ(restored.report,
            R"({"keys_added":1,"keys_changed":1,"keys_deleted":1,"credentials_added":1,)"
            R"("credentials_changed":0,"credentials_revoked":0,"settings_changed":true})");
  EXPECT_TRUE(node_.pool.contains(deleted));
  EXPECT_FALSE(node_.pool.contains(later));
  EXPECT_EQ(tables_->ask(get_key{kept}).yes.item.weight, 1U);
  EXPECT_EQ(tables_->ask(get_key{kept}).yes.header.revision, 3U)
      << "restoring is a change of its own";
  EXPECT_NE(node_.clients.find(app.characters.reveal()), nullptr);
  EXPECT_EQ(node_.settings.pool.cooldown, 10s);
  restart();
  EXPECT_EQ(node_.pool.size(), 2U);
  EXPECT_EQ(node_.pool.at(deleted).secret_text.reveal(), "AIzaSy-deleted-00000000001");
}

TEST_F(inventory_whole, a_backup_that_is_not_there_is_said_and_nothing_changes) {
  const auto id = add("AIzaSy-kept-0000000000001").yes.id;
  const temporary_directory elsewhere;
  const auto job = finish(tables_->ask(restore_from{by_, elsewhere.path() + "/nowhere"}));
  EXPECT_EQ(job.state, job_state::failed);
  EXPECT_NE(job.error.find("nowhere"), std::string::npos) << job.error;
  EXPECT_TRUE(node_.pool.contains(id));
  EXPECT_EQ(tables_->ask(back_up{by_, "relative"}).no->reason, "invalid_request");
  EXPECT_EQ(tables_->ask(back_up{by_, where_.path() + "/db/x"}).no->reason, "invalid_request");
}

TEST_F(inventory_whole, turning_the_secrets_seals_everything_anew) {
  const auto id = add("AIzaSy-sealed-000000000001").yes.id;
  tables_->ask(change_settings{by_, {}, R"({"pool":{"cooldown":"10s"}})", false});
  const auto job = finish(tables_->ask(rotate_secrets{by_}));
  ASSERT_EQ(job.state, job_state::done) << job.error;
  EXPECT_NE(job.report.find(R"("resealed":3,"data_key":2)"), std::string::npos) << job.report;
  restart();
  EXPECT_EQ(node_.pool.at(id).secret_text.reveal(), "AIzaSy-sealed-000000000001");
  EXPECT_EQ(tables_->settings().loaded()->values.pool.cooldown, 10s);
  EXPECT_EQ(tables_->ask(get_key{id}).yes.header.revision, 1U) << "another seal is no change";
}

TEST_F(inventory_whole, every_change_is_in_the_audit_with_its_request) {
  const auto id = add("AIzaSy-audited-00000000001").yes.id;
  tables_->ask(order_key{by_, id, key_order::disable, 0});
  tables_->ask(order_key{by_, id, key_order::reset, 0});
  tables_->ask(change_settings{by_, {}, R"({"pool":{"cooldown":"10s"}})", false});
  tables_->ask(restore_settings{by_, {}, 0, false});
  tables_->ask(delete_key{by_, {}, id});
  EXPECT_EQ(actions(),
            (std::vector<std::string>{"credentials.add", "credentials.add", "keys.add", "keys.edit",
                                      "keys.edit", "keys.reset", "settings.change",
                                      "settings.restore", "keys.delete"}));
  list_audit q;
  q.action = "keys.";
  q.limit = 2;
  auto page = tables_->ask(q).yes;
  ASSERT_EQ(page.entries.size(), 2U);
  EXPECT_EQ(page.entries[0].entry.action, "keys.delete");
  EXPECT_EQ(page.entries[0].entry.request_id, "r-1");
  q.before = page.next;
  EXPECT_EQ(tables_->ask(q).yes.entries.size(), 2U);
  q = {};
  q.target = "settings";
  EXPECT_EQ(tables_->ask(q).yes.entries.size(), 2U);
}

} // namespace troupe
