#include "storage/core/item.hpp"
#include "storage/core/key_item.hpp"
#include "tests/storage/vault_support.hpp"
#include "tests/support/full_disk.hpp"

// A vault and its master key: lost, wrong, changed; and damage of what the vault keeps.

namespace troupe::storage {
namespace {

class vault_master : public sealed_stage {};

TEST_F(vault_master, that_is_wrong_is_refused_with_both_fingerprints) {
  begin(from_environment(one_));
  const auto why = refused_start(from_environment(other_));
  EXPECT_EQ(why.code, errc::permission);
  EXPECT_TRUE(says(why.text, fingerprint_of(one_))) << why.text;
  EXPECT_TRUE(says(why.text, fingerprint_of(other_))) << why.text;
  EXPECT_TRUE(says(why.text, "TROUPE_MASTER_KEY holds")) << why.text;
  tells_nothing_of(other_, why.text);
  still_opens(*start(from_environment(one_)));
}

TEST_F(vault_master, in_a_file_that_is_wrong_is_refused_and_the_file_kept) {
  begin(from_environment(one_));
  put_key(file(), other_);
  const auto why = refused_start(from_file());
  EXPECT_EQ(why.code, errc::permission);
  EXPECT_TRUE(says(why.text, file() + " holds " + fingerprint_of(other_))) << why.text;
}

TEST_F(vault_master, that_is_missing_is_refused_and_none_is_made) {
  begin(from_file());
  const auto wanted = fingerprint_of(in_file());
  const auto kept = file_text(file());
  ASSERT_TRUE(std::filesystem::remove(file()));
  const auto why = refused_start(from_file());
  EXPECT_EQ(why.code, errc::permission);
  EXPECT_TRUE(says(why.text, wanted + ", which is missing")) << why.text;
  EXPECT_TRUE(says(why.text, "put it into " + file())) << why.text;
  EXPECT_TRUE(key_files().empty());
  put_file(file(), kept);
  still_opens(*start(from_file()));
}

TEST_F(vault_master, in_a_file_of_nonsense_is_refused_before_anything_is_made) {
  for (const auto* text : {"", "nonsense\n", "0123"}) {
    put_file(file(), text);
    EXPECT_EQ(refused_start(from_file()).code, errc::invalid_argument) << text;
    EXPECT_TRUE(rows()["settings"].empty());
  }
}

TEST_F(vault_master, in_a_file_of_nonsense_is_refused_when_something_is_sealed) {
  begin(from_file());
  put_file(file(), "nonsense\n");
  EXPECT_EQ(refused_start(from_file()).code, errc::invalid_argument);
}

TEST_F(vault_master, in_a_file_that_others_may_read_is_refused) {
  begin(from_file());
  ASSERT_EQ(::chmod(file().c_str(), 0644), 0);
  const auto why = refused_start(from_file());
  EXPECT_EQ(why.code, errc::permission);
  EXPECT_TRUE(says(why.text, "chmod 600")) << why.text;
  tells_nothing_of(in_file(), why.text);
}

TEST_F(vault_master, in_the_environment_that_is_none_is_refused_with_how_to_make_one) {
  for (const bool sealed : {false, true}) {
    if (sealed)
      begin(from_file());
    auto from = from_file();
    const auto half = digits_of(one_).substr(2);
    from.from_environment = secret{half};
    const auto why = refused_start(from);
    EXPECT_EQ(why, failure(errc::invalid_argument,
                           "TROUPE_MASTER_KEY must be 32 bytes as 64 hex digits or base64; make "
                           "one with: openssl rand -hex 32"));
  }
}

TEST_F(vault_master, of_the_environment_wins_over_the_file) {
  put_key(file(), other_);
  begin(from_environment(one_));
  EXPECT_EQ(start(from_environment(one_))->master_origin(), "TROUPE_MASTER_KEY");
  EXPECT_TRUE(in_file() == other_);
}

TEST_F(vault_master, of_the_environment_that_does_not_fit_is_not_silently_replaced_by_the_file) {
  begin(from_file());
  const auto why = refused_start(from_environment(other_));
  EXPECT_EQ(why.code, errc::permission);
  EXPECT_TRUE(says(why.text, fingerprint_of(in_file()) + ", which is in " + file())) << why.text;
  EXPECT_TRUE(says(why.text, "TROUPE_MASTER_KEY holds " + fingerprint_of(other_))) << why.text;
  tells_nothing_of(in_file(), why.text);
  tells_nothing_of(other_, why.text);
}

TEST_F(vault_master, changes_from_the_file_to_the_environment_as_the_refusal_says) {
  begin(from_file());
  const auto old = in_file();
  const auto v = start(with_previous(from_environment(other_), old));
  ASSERT_TRUE(v);
  still_opens(*v);
  EXPECT_EQ(v->master_origin(), "TROUPE_MASTER_KEY");
  still_opens(*start(from_environment(other_)));
  EXPECT_TRUE(in_file() == old);
}

TEST_F(vault_master, changes_to_a_new_one_when_the_previous_fits_and_says_so) {
  begin(from_environment(one_));
  const auto v = start(with_previous(from_environment(other_), one_));
  ASSERT_TRUE(v);
  still_opens(*v);
  EXPECT_EQ(v->master_fingerprint(), fingerprint_of(other_));
  ASSERT_EQ(v->notes().size(), 1U);
  EXPECT_EQ(v->notes()[0], "the master key was changed from " + fingerprint_of(one_) + " to "
                               + fingerprint_of(other_)
                               + " (TROUPE_MASTER_KEY): TROUPE_MASTER_KEY_PREVIOUS is not needed "
                                 "any more");
  EXPECT_EQ(refused_start(from_environment(one_)).code, errc::permission);
  still_opens(*start(from_environment(other_)));
  const auto again = start(with_previous(from_environment(other_), one_));
  still_opens(*again);
  EXPECT_TRUE(again->notes().empty());
}

TEST_F(vault_master, in_a_file_that_was_replaced_changes_over_from_the_previous) {
  begin(from_file());
  const auto old = in_file();
  put_key(file(), other_);
  still_opens(*start(with_previous(from_file(), old)));
  still_opens(*start(from_file()));
}

TEST_F(vault_master, does_not_change_when_neither_fits_or_the_previous_is_none) {
  begin(from_environment(one_));
  const auto neither = refused_start(with_previous(from_environment(other_), key_bytes::random()));
  EXPECT_EQ(neither.code, errc::permission);
  auto from = from_environment(other_);
  from.previous = secret{"nonsense"};
  const auto none = refused_start(from);
  EXPECT_EQ(none.code, errc::invalid_argument);
  EXPECT_TRUE(says(none.text, "TROUPE_MASTER_KEY_PREVIOUS must be 32 bytes")) << none.text;
}

TEST_F(vault_master, the_previous_alone_opens_nothing_but_is_recognized) {
  begin(from_environment(one_));
  const auto why = refused_start(with_previous(from_file(), one_));
  EXPECT_EQ(why.code, errc::permission);
  EXPECT_TRUE(says(why.text, "it is in TROUPE_MASTER_KEY_PREVIOUS, but there is no new one"))
      << why.text;
}

TEST_F(vault_master, a_change_on_a_full_disk_is_a_failure_and_the_old_one_fits_still) {
  begin(from_environment(one_));
  open_store();
  {
    const full_disk now;
    EXPECT_EQ(vault::open(db(), with_previous(from_environment(other_), one_)).error().code,
              errc::storage_full);
  }
  still_opens(*start(from_environment(one_)));
  still_opens(*start(with_previous(from_environment(other_), one_)));
}

// Damage of what the vault keeps in the database.

TEST_F(vault_master, a_damaged_record_is_told_from_a_wrong_key) {
  begin(from_environment(one_));
  for (const auto* row : {"vault/master", "vault/key/1"}) {
    const auto good = **db().get(column::settings, row);
    for (std::size_t at = 0; at < good.size(); ++at) {
      auto changed = good;
      changed[at] = static_cast<char>(changed[at] ^ 4);
      ASSERT_TRUE(db().put(column::settings, row, changed, durability::process));
      const auto v = vault::open(db(), from_environment(one_));
      ASSERT_FALSE(v) << row << " at " << at;
      const bool in_fingerprint = std::string_view{row} == "vault/master" && at >= 19;
      EXPECT_EQ(v.error().code, in_fingerprint ? errc::permission : errc::corrupt) << at;
      EXPECT_EQ(**db().get(column::settings, row), changed);
    }
    ASSERT_TRUE(db().put(column::settings, row, good, durability::process));
  }
  still_opens(*start(from_environment(one_)));
}

TEST_F(vault_master, half_of_the_records_is_not_a_first_start) {
  begin(from_environment(one_));
  for (const auto* row : {"vault/master", "vault/key/1"}) {
    const auto good = **db().get(column::settings, row);
    ASSERT_TRUE(db().erase(column::settings, row, durability::process));
    EXPECT_EQ(refused_start(from_environment(one_)).code, errc::corrupt) << row;
    ASSERT_TRUE(db().put(column::settings, row, good, durability::process));
  }
}

TEST_F(vault_master, a_data_key_in_the_place_of_another_is_refused) {
  begin(from_environment(one_));
  const auto first = **db().get(column::settings, "vault/key/1");
  ASSERT_TRUE(db().put(column::settings, "vault/key/2", first, durability::process));
  EXPECT_EQ(refused_start(from_environment(one_)).code, errc::corrupt);
  auto renumbered = first;
  renumbered[1] = 2;
  ASSERT_TRUE(db().put(column::settings, "vault/key/2", renumbered, durability::process));
  EXPECT_EQ(refused_start(from_environment(one_)).code, errc::corrupt);
}

TEST_F(vault_master, sealed_keys_without_a_vault_are_no_first_start) {
  key_item configured;
  ASSERT_TRUE(db().put(column::keys, "configured",
                       encode_item("configured", {}, encode(configured)), durability::process));
  ASSERT_TRUE(db().put(column::keys, "damaged", "no item at all", durability::process));
  begin(from_file());
  ASSERT_TRUE(std::filesystem::remove(file()));
  for (const auto* row : {"vault/master", "vault/key/1"})
    ASSERT_TRUE(db().erase(column::settings, row, durability::process));
  key_item k;
  k.sealed_secret = sealed_;
  ASSERT_TRUE(
      db().put(column::keys, "row", encode_item("row", {}, encode(k)), durability::process));
  const auto why = refused_start(from_file());
  EXPECT_EQ(why.code, errc::corrupt);
  EXPECT_TRUE(says(why.text, "restore a backup")) << why.text;
  EXPECT_TRUE(key_files().empty());
}

} // namespace
} // namespace troupe::storage
