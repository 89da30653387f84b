#include "storage/vault.hpp"

#include "tests/storage/core/record_support.hpp"
#include "tests/storage/vault_support.hpp"
#include "tests/support/full_disk.hpp"

#include <atomic>
#include <thread>

namespace troupe::storage {
namespace {

class vault_at_work : public testing::Test, protected vault_stage {};

TEST_F(vault_at_work, makes_a_master_key_in_a_file_and_a_data_key_at_the_first_start) {
  const auto v = start(from_file());
  ASSERT_TRUE(v);
  const auto made = parse_key_bytes(file_text(file()));
  ASSERT_TRUE(made);
  EXPECT_EQ(v->master_fingerprint(), fingerprint_of(*made));
  EXPECT_EQ(v->master_origin(), file());
  EXPECT_EQ(v->data_key(), 1U);
  ASSERT_EQ(v->notes().size(), 1U);
  EXPECT_EQ(v->notes()[0], "a master key was made: " + file()
                               + "; no backup of the database contains it, keep a copy elsewhere");
  const auto settings = rows()["settings"];
  EXPECT_EQ(settings.size(), 2U);
  EXPECT_EQ(settings.count("vault/master"), 1U);
  EXPECT_EQ(settings.count("vault/key/1"), 1U);
}

TEST_F(vault_at_work, takes_the_master_key_of_the_environment_and_makes_no_file) {
  const auto k = key_bytes::random();
  const auto v = start(from_environment(k));
  ASSERT_TRUE(v);
  EXPECT_EQ(v->master_fingerprint(), fingerprint_of(k));
  EXPECT_EQ(v->master_origin(), "TROUPE_MASTER_KEY");
  EXPECT_TRUE(v->notes().empty());
  EXPECT_TRUE(key_files().empty());
}

TEST_F(vault_at_work, the_same_key_opens_it_after_a_restart) {
  const auto k = key_bytes::random();
  const auto sealed = start(from_environment(k))->seal(here, plain);
  EXPECT_EQ(opened(*start(from_environment(k)), here, sealed), plain);
}

TEST_F(vault_at_work, the_same_file_opens_it_after_a_restart) {
  const auto sealed = start(from_file())->seal(here, plain);
  const auto before = file_text(file());
  const auto v = start(from_file());
  EXPECT_EQ(opened(*v, here, sealed), plain);
  EXPECT_TRUE(v->notes().empty());
  EXPECT_EQ(file_text(file()), before);
}

TEST_F(vault_at_work, a_start_that_changes_nothing_writes_nothing) {
  start(from_file());
  const auto before = rows();
  start(from_file());
  EXPECT_EQ(rows(), before);
}

TEST_F(vault_at_work, a_sealed_text_is_as_documented) {
  const auto v = start(from_file());
  const auto sealed = v->seal(here, plain);
  EXPECT_EQ(hex(sealed.substr(0, 5)), "0101000000");
  EXPECT_EQ(sealed.size(), 5 + 12 + std::string_view{plain}.size() + 16);
  EXPECT_EQ(sealed.find(std::string_view{plain}.substr(0, 4)), std::string::npos);
}

TEST_F(vault_at_work, a_sealed_value_opens_in_its_own_place_only) {
  const auto v = start(from_file());
  const auto sealed = v->seal(here, plain);
  for (const auto* elsewhere :
       {"keys/0123456789abcdee/secret", "keys/0123456789abcdef/proxy", "", "settings/1"})
    EXPECT_EQ(v->open_sealed(elsewhere, sealed).error().code, errc::corrupt) << elsewhere;
  EXPECT_EQ(opened(*v, here, sealed), plain);
}

TEST_F(vault_at_work, a_sealed_value_with_one_changed_byte_does_not_open) {
  const auto v = start(from_file());
  const auto sealed = v->seal(here, plain);
  for (std::size_t at = 0; at < sealed.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = sealed;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      const auto read = v->open_sealed(here, changed);
      ASSERT_FALSE(read) << at;
      ASSERT_EQ(read.error().code, errc::corrupt);
      ASSERT_EQ(read.error().text.find(plain), std::string::npos);
    }
  for (std::size_t length = 0; length < sealed.size(); ++length)
    EXPECT_FALSE(v->open_sealed(here, sealed.substr(0, length))) << length;
}

TEST_F(vault_at_work, another_vault_opens_nothing_of_it) {
  const auto sealed = start(from_file())->seal(here, plain);
  vault_stage other;
  EXPECT_FALSE(other.start(other.from_file())->open_sealed(here, sealed));
}

TEST_F(vault_at_work, after_a_rotation_new_seals_are_under_a_new_key_and_old_ones_open) {
  for (const auto& from : {from_file(), from_environment(key_bytes::random())}) {
    vault_stage stage;
    const auto v = stage.start(from.from_environment.empty() ? stage.from_file() : from);
    const auto old = v->seal(here, plain);
    EXPECT_FALSE(v->is_stale(old));
    ASSERT_TRUE(v->rotate());
    EXPECT_EQ(v->data_key(), 2U);
    const auto fresh = v->seal(here, plain);
    EXPECT_TRUE(v->is_stale(old));
    EXPECT_FALSE(v->is_stale(fresh));
    EXPECT_EQ(hex(fresh.substr(0, 5)), "0102000000");
    EXPECT_EQ(opened(*v, here, old), plain);
    EXPECT_EQ(opened(*v, here, fresh), plain);
  }
}

TEST_F(vault_at_work, a_rotation_renews_a_master_key_in_a_file) {
  auto v = start(from_file());
  const auto sealed = v->seal(here, plain);
  const auto before = parse_key_bytes(file_text(file()));
  ASSERT_TRUE(v->rotate());
  const auto after = parse_key_bytes(file_text(file()));
  ASSERT_TRUE(after);
  EXPECT_FALSE(*after == *before);
  EXPECT_EQ(v->master_fingerprint(), fingerprint_of(*after));
  EXPECT_EQ(key_files(), std::vector<std::string>{"master.key"});
  v = start(from_file());
  EXPECT_EQ(opened(*v, here, sealed), plain);
  EXPECT_EQ(refused_start(from_environment(*before)).code, errc::permission);
}

TEST_F(vault_at_work, a_rotation_leaves_the_master_key_of_the_environment_and_salts_it_anew) {
  const auto k = key_bytes::random();
  auto v = start(from_environment(k));
  const auto sealed = v->seal(here, plain);
  const auto before = rows()["settings"];
  ASSERT_TRUE(v->rotate());
  const auto after = rows()["settings"];
  EXPECT_EQ(after.size(), 3U);
  EXPECT_NE(after.at("vault/master"), before.at("vault/master"));
  EXPECT_NE(after.at("vault/key/1"), before.at("vault/key/1"));
  EXPECT_TRUE(key_files().empty());
  v = start(from_environment(k));
  EXPECT_EQ(v->data_key(), 2U);
  EXPECT_EQ(opened(*v, here, sealed), plain);
}

TEST_F(vault_at_work, retiring_forgets_all_data_keys_but_the_newest) {
  auto v = start(from_file());
  const auto first = v->seal(here, plain);
  ASSERT_TRUE(v->rotate());
  const auto second = v->seal(here, plain);
  ASSERT_TRUE(v->rotate());
  const auto third = v->seal(here, plain);
  ASSERT_TRUE(v->retire());
  const auto check = [&] {
    EXPECT_EQ(v->open_sealed(here, first).error(),
              failure(errc::corrupt, "a value is sealed under data key 1, which is not here"));
    EXPECT_FALSE(v->open_sealed(here, second));
    EXPECT_EQ(opened(*v, here, third), plain);
    EXPECT_TRUE(v->is_stale(first));
    EXPECT_EQ(v->data_key(), 3U);
  };
  check();
  v = start(from_file());
  check();
  ASSERT_TRUE(v->retire());
  check();
  EXPECT_EQ(rows()["settings"].size(), 2U);
}

TEST_F(vault_at_work, a_number_of_a_data_key_is_never_used_again) {
  auto v = start(from_file());
  ASSERT_TRUE(v->rotate());
  ASSERT_TRUE(v->retire());
  v = start(from_file());
  ASSERT_TRUE(v->rotate());
  EXPECT_EQ(v->data_key(), 3U);
}

TEST_F(vault_at_work, what_is_no_sealed_value_is_not_stale) {
  const auto v = start(from_file());
  EXPECT_FALSE(v->is_stale(""));
  EXPECT_FALSE(v->is_stale("AIzaSy"));
}

TEST_F(vault_at_work, a_full_disk_at_the_first_start_leaves_nothing_half_made) {
  open_store();
  {
    const full_disk now;
    const auto v = vault::open(db(), from_file());
    ASSERT_FALSE(v);
    EXPECT_EQ(v.error().code, errc::storage_full);
  }
  EXPECT_TRUE(key_files().empty());
  EXPECT_TRUE(start(from_file()));
}

TEST_F(vault_at_work, a_rotation_on_a_full_disk_changes_nothing_and_may_be_asked_again) {
  auto v = start(from_file());
  const auto sealed = v->seal(here, plain);
  const auto before = file_text(file());
  {
    const full_disk now;
    EXPECT_EQ(v->rotate().error().code, errc::storage_full);
    EXPECT_EQ(v->data_key(), 1U);
    EXPECT_EQ(opened(*v, here, sealed), plain);
  }
  EXPECT_EQ(file_text(file()), before);
  ASSERT_TRUE(v->rotate());
  EXPECT_EQ(v->data_key(), 2U);
  v = start(from_file());
  EXPECT_EQ(opened(*v, here, sealed), plain);
}

TEST_F(vault_at_work, threads_seal_and_open_while_keys_change) {
  const auto v = start(from_file());
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        const auto sealed = v->seal(here, plain);
        if (opened(*v, here, sealed) != plain || v->data_key() == 0
            || v->master_fingerprint().size() != 8)
          ++refused;
      }
    });
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(v->rotate());
  for (auto& t : threads)
    t.join();
  EXPECT_TRUE(v->retire());
  EXPECT_EQ(refused, 0);
  EXPECT_EQ(v->data_key(), 6U);
}

TEST_F(vault_at_work, a_backup_opens_with_the_same_master_key_and_does_not_contain_it) {
  const auto v = start(from_file());
  const auto master = *parse_key_bytes(file_text(file()));
  ASSERT_TRUE(db().put(column::keys, "row", v->seal(here, plain), durability::power));
  ASSERT_TRUE(db().backup(beside("backup")));
  for (const auto& f : std::filesystem::recursive_directory_iterator(beside("backup"))) {
    const auto bytes = f.is_regular_file() ? file_text(f.path().string()) : std::string{};
    EXPECT_EQ(bytes.find(master.view()), std::string::npos) << f.path();
    EXPECT_EQ(bytes.find(digits_of(master)), std::string::npos) << f.path();
    EXPECT_EQ(bytes.find(plain), std::string::npos) << f.path();
  }
  ASSERT_TRUE(restore_backup(beside("backup"), beside("restored")));
  auto s = store::open({.directory = beside("restored")});
  ASSERT_TRUE(s) << s.error().text;
  const auto sealed = (*s)->get(column::keys, "row");
  ASSERT_TRUE(sealed);
  ASSERT_TRUE(sealed->has_value());
  auto again = vault::open(**s, from_file());
  ASSERT_TRUE(again) << again.error().text;
  EXPECT_EQ(opened(**again, here, **sealed), plain);

  auto without = from_file();
  without.file = beside("restored/master.key");
  const auto refused = vault::open(**s, without);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::permission);
}

TEST_F(vault_at_work, the_data_directory_shows_no_secret_and_no_key_in_use) {
  {
    const auto v = start(from_file());
    ASSERT_TRUE(db().put(column::keys, "row", v->seal(here, plain), durability::power));
    ASSERT_TRUE(v->rotate());
  }
  close_store();
  const auto master = *parse_key_bytes(file_text(file()));
  std::size_t seen = 0;
  for (const auto& f : std::filesystem::recursive_directory_iterator(data())) {
    if (!f.is_regular_file() || f.path() == file())
      continue;
    const auto bytes = file_text(f.path().string());
    seen += bytes.size();
    EXPECT_EQ(bytes.find(plain), std::string::npos) << f.path();
    EXPECT_EQ(bytes.find(master.view()), std::string::npos) << f.path();
    EXPECT_EQ(bytes.find(digits_of(master)), std::string::npos) << f.path();
  }
  EXPECT_GT(seen, 100U);
}

} // namespace
} // namespace troupe::storage
