#include "tests/actors/inventory/inventory_stage.hpp"
#include "tests/support/full_disk.hpp"

namespace troupe {

using inventory_credentials = inventory_stage;

TEST_F(inventory_credentials, the_first_start_makes_one_for_each_port_and_no_later_one_does) {
  ASSERT_TRUE(tables_->made());
  const auto client = tables_->made()->client;
  const auto admin = tables_->made()->admin;
  EXPECT_NE(node_.clients.find(client.reveal()), nullptr);
  EXPECT_EQ(node_.clients.find(admin.reveal()), nullptr);
  EXPECT_NE(node_.admins.find(admin.reveal()), nullptr);
  restart();
  EXPECT_FALSE(tables_->made());
  EXPECT_NE(node_.clients.find(client.reveal()), nullptr);
  close();
  EXPECT_TRUE(files_with(std::string{client.reveal()}).empty())
      << "hashes are kept, characters are not";
}

TEST_F(inventory_credentials, a_port_whose_credentials_were_all_revoked_stays_shut) {
  for (const auto& c : tables_->ask(list_credentials{}).yes)
    EXPECT_TRUE(tables_->ask(revoke_credential{by_, {}, c.id}));
  EXPECT_EQ(node_.clients.size(), 0U);
  restart();
  EXPECT_FALSE(tables_->made());
  EXPECT_EQ(node_.clients.size(), 0U);
  EXPECT_EQ(node_.admins.size(), 0U);
}

TEST_F(inventory_credentials, a_new_one_is_admitted_at_once_and_a_revoked_one_is_not) {
  add_credential wanted;
  wanted.by = by_;
  wanted.fields.name = "app";
  wanted.fields.models = {{"gemini-2.5-*"}};
  wanted.fields.expires_at_ms = 1'790'000'000'000;
  const auto made = tables_->ask(wanted);
  ASSERT_TRUE(made) << made.no->text;
  const auto* found = node_.clients.find(made.yes.characters.reveal());
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->expires_at_ms, 1'790'000'000'000);
  EXPECT_EQ(found->models, std::vector<std::string>{"gemini-2.5-*"});
  EXPECT_TRUE(tables_->ask(revoke_credential{by_, {}, made.yes.view.id}));
  EXPECT_EQ(node_.clients.find(made.yes.characters.reveal()), nullptr);
  restart();
  EXPECT_EQ(node_.clients.find(made.yes.characters.reveal()), nullptr);
}

TEST_F(inventory_credentials, renewing_ends_the_old_characters_and_keeps_the_grants) {
  add_credential wanted;
  wanted.by = by_;
  wanted.fields.name = "app";
  wanted.fields.limits = {{{"", storage::limit_kind::rpm, 10}}};
  const auto old = tables_->ask(wanted);
  const auto fresh = tables_->ask(renew_credential{by_, 1, old.yes.view.id});
  ASSERT_TRUE(fresh) << fresh.no->text;
  EXPECT_NE(fresh.yes.view.id, old.yes.view.id);
  EXPECT_EQ(fresh.yes.view.item.limits, *wanted.fields.limits);
  EXPECT_EQ(node_.clients.find(old.yes.characters.reveal()), nullptr);
  EXPECT_NE(node_.clients.find(fresh.yes.characters.reveal()), nullptr);
  EXPECT_EQ(tables_->ask(list_credentials{}).yes.size(), 3U);
}

TEST_F(inventory_credentials, limits_are_in_the_pool_under_the_id_that_ports_admit) {
  add_credential wanted;
  wanted.by = by_;
  wanted.fields.name = "app";
  wanted.fields.limits = {{{"", limit_kind::rpm, 10}}};
  const auto made = tables_->ask(wanted).yes;
  const auto id = made.view.id;
  EXPECT_EQ(node_.clients.find(made.characters.reveal())->id, id);
  EXPECT_EQ(node_.limits,
            (std::map<std::uint64_t, std::vector<limit>>{{id, {{"", limit_kind::rpm, 10}}}}))
      << "those without limits are not among them";
  edit_credential edit{by_, {}, id, {}};
  edit.fields.limits = {{{"", limit_kind::rpm, 3}}};
  ASSERT_TRUE(tables_->ask(edit));
  EXPECT_EQ(node_.limits.at(id), (std::vector<limit>{{"", limit_kind::rpm, 3}}));
  restart();
  EXPECT_EQ(node_.limits.at(id), (std::vector<limit>{{"", limit_kind::rpm, 3}}));
  ASSERT_TRUE(tables_->ask(revoke_credential{by_, {}, id}));
  EXPECT_TRUE(node_.limits.empty());
  EXPECT_TRUE(node_.limits_before_admission) << "nobody is admitted before his limits are there";
}

TEST_F(inventory_credentials, names_are_unique_per_port) {
  add_credential wanted;
  wanted.by = by_;
  wanted.fields.name = "first";
  EXPECT_EQ(tables_->ask(wanted).no->reason, "already_exists");
  wanted.what = storage::role::viewer;
  EXPECT_EQ(tables_->ask(wanted).no->reason, "already_exists") << "the admin port has a first, too";
  wanted.fields.name = "second";
  const auto made = tables_->ask(wanted);
  ASSERT_TRUE(made);
  EXPECT_EQ(node_.admins.find(made.yes.characters.reveal())->tag,
            static_cast<std::uint32_t>(storage::role::viewer));
}

TEST_F(inventory_credentials, everything_wrong_is_told_at_once) {
  add_credential wanted;
  wanted.by = by_;
  wanted.what = storage::role::operator_;
  wanted.fields.models = {{"", "a b"}};
  wanted.fields.groups = {{"x,y"}};
  wanted.fields.expires_at_ms = -1;
  wanted.fields.limits = {{{"", storage::limit_kind::rpd, 5}}};
  const auto refused = tables_->ask(wanted);
  ASSERT_FALSE(refused);
  std::set<std::string> fields;
  for (const auto& p : refused.no->fields)
    fields.insert(p.field);
  EXPECT_EQ(fields, (std::set<std::string>{"name", "models[0]", "models[1]", "groups[0]", "expires",
                                           "limits"}));
}

TEST_F(inventory_credentials, configured_ones_are_admitted_and_fixed) {
  close();
  file(R"({"credentials":{"clients":[{"name":"file","secret":"sk-of-the-file-0001"}]}})");
  sources_.environment = {{"ALLOWED_TOKENS", R"(["sk-of-the-variable-0001"])"}};
  open();
  EXPECT_NE(node_.clients.find("sk-of-the-variable-0001"), nullptr);
  for (const auto& c : tables_->ask(list_credentials{}).yes) {
    if (c.origin != item_origin::environment)
      continue;
    EXPECT_EQ(tables_->ask(revoke_credential{by_, {}, c.id}).no->reason, "fixed");
    EXPECT_EQ(tables_->ask(renew_credential{by_, {}, c.id}).no->reason, "fixed");
    edit_credential edit{by_, {}, c.id, {}};
    edit.fields.note = "x";
    EXPECT_EQ(tables_->ask(edit).no->reason, "fixed");
  }
}

TEST_F(inventory_credentials, one_of_the_file_that_was_revoked_stays_revoked) {
  close();
  file(R"({"credentials":{"clients":[{"name":"file","secret":"sk-of-the-file-0001"}]}})");
  open();
  ASSERT_NE(node_.clients.find("sk-of-the-file-0001"), nullptr);
  for (const auto& c : tables_->ask(list_credentials{}).yes)
    if (c.origin == item_origin::file) {
      EXPECT_TRUE(tables_->ask(revoke_credential{by_, {}, c.id}));
    }
  EXPECT_EQ(node_.clients.find("sk-of-the-file-0001"), nullptr);
  restart();
  EXPECT_EQ(node_.clients.find("sk-of-the-file-0001"), nullptr);
}

TEST_F(inventory_credentials, a_full_disk_revokes_nothing_and_makes_nothing) {
  const auto client = tables_->made()->client;
  const auto list = tables_->ask(list_credentials{}).yes;
  {
    const full_disk full;
    for (const auto& c : list) {
      EXPECT_EQ(tables_->ask(revoke_credential{by_, {}, c.id}).no->reason, "storage_full");
      EXPECT_FALSE(tables_->ask(renew_credential{by_, {}, c.id}));
    }
  }
  EXPECT_NE(node_.clients.find(client.reveal()), nullptr);
  restart();
  EXPECT_NE(node_.clients.find(client.reveal()), nullptr);
}

TEST_F(inventory_credentials, an_edit_is_checked_against_the_revision) {
  const auto id = tables_->ask(list_credentials{}).yes.front().id;
  edit_credential edit{by_, 7, id, {}};
  edit.fields.note = "n";
  EXPECT_EQ(tables_->ask(edit).no->reason, "revision_mismatch");
  edit.expected = 1;
  EXPECT_EQ(tables_->ask(edit).yes.header.revision, 2U);
}

TEST_F(inventory_credentials, one_secret_may_open_both_ports) {
  close();
  sources_.environment = {{"AUTH_TOKEN", "sk-one-for-both-ports-01"}};
  open();
  EXPECT_NE(node_.clients.find("sk-one-for-both-ports-01"), nullptr);
  EXPECT_NE(node_.admins.find("sk-one-for-both-ports-01"), nullptr);
}

} // namespace troupe
