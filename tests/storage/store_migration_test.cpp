// From a database as earlier versions wrote it, made here with RocksDB alone.

#include "storage/core/credential_item.hpp"
#include "storage/core/credential_record.hpp"
#include "storage/core/table_file.hpp"
#include "tests/storage/damage_support.hpp"

#include <array>

#include <rocksdb/db.h>
#include <rocksdb/options.h>

namespace troupe::storage {
namespace {

/// A database of layout 1, opened as that version did.
class old_database {
public:
  static constexpr std::array names{"settings",   "keys",        "credentials", "key_state",
                                    "statistics", "request_log", "resources",   "replication"};

  explicit old_database(const std::string& directory) {
    std::filesystem::create_directories(directory);
    rocksdb::DBOptions options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    std::vector<rocksdb::ColumnFamilyDescriptor> all;
    for (const auto* name : names)
      all.emplace_back(name, rocksdb::ColumnFamilyOptions{});
    all.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions{});
    const auto status = rocksdb::DB::Open(options, directory + "/db", all, &handles_, &db_);
    EXPECT_TRUE(status.ok()) << status.ToString();
    layout("1");
  }
  ~old_database() {
    for (auto* handle : handles_)
      (void)db_->DestroyColumnFamilyHandle(handle);
    delete db_;
  }
  old_database(const old_database&) = delete;
  old_database& operator=(const old_database&) = delete;

  void put(std::size_t column_number, const std::string& key, const std::string& value) {
    EXPECT_TRUE(db_->Put({}, handles_[column_number], key, value).ok());
  }
  void layout(const std::string& number) {
    EXPECT_TRUE(db_->Put({}, handles_.back(), "layout", number).ok());
  }
  void to_tables() {
    for (auto* handle : handles_)
      EXPECT_TRUE(db_->Flush({}, handle).ok());
  }

private:
  rocksdb::DB* db_ = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

constexpr std::size_t keys_number = 1;
constexpr std::size_t credentials_number = 2;

/// Schema 1, role, 8 bytes of milliseconds, 32 bytes of hash.
std::string old_record(char role, char hash_byte) {
  return std::string{'\x01', role} + std::string("\x39\x30\x00\x00\x00\x00\x00\x00", 8)
         + std::string(32, hash_byte);
}

std::string layout_of(const std::string& directory) {
  auto opening = database::open(small_store(directory), database_path(directory));
  std::string row;
  if (opening.data)
    (void)opening.data->db().Get({}, opening.data->in_default(), "layout", &row);
  return row;
}

std::unique_ptr<store> opened(const std::string& directory) {
  auto s = store::open(small_store(directory));
  if (!s)
    ADD_FAILURE() << s.error().text;
  return s ? *std::move(s) : nullptr;
}

TEST(store_migration, credentials_of_layout_1_become_items_and_keep_their_hashes) {
  for (const bool in_tables : {false, true}) {
    const scratch_directory where;
    {
      old_database old(where.path());
      old.put(credentials_number, "client/phone", old_record('\x01', '\x11'));
      old.put(credentials_number, "admin/root", old_record('\x02', '\xEE'));
      old.put(keys_number, "some", "row");
      if (in_tables)
        old.to_tables();
    }
    {
      const auto s = opened(where.path());
      ASSERT_TRUE(s);
      EXPECT_TRUE(s->damage().empty());
      const auto rows = rows_of(*s, column::credentials);
      ASSERT_EQ(rows.size(), 2U);
      const auto client = "id/" + std::string(8, '\x11');
      const auto admin = "id/" + std::string(8, '\xEE');
      const auto c = decode_item(client, rows.at(client));
      const auto a = decode_item(admin, rows.at(admin));
      ASSERT_TRUE(c);
      ASSERT_TRUE(a);
      EXPECT_EQ(c->header.revision, 1U);
      EXPECT_EQ(c->header.created_at_ms, 12'345);
      const auto client_item = decode_credential_item(c->payload);
      const auto admin_item = decode_credential_item(a->payload);
      ASSERT_TRUE(client_item);
      ASSERT_TRUE(admin_item);
      EXPECT_EQ(client_item->what, role::client);
      EXPECT_EQ(client_item->name, "phone");
      EXPECT_EQ(client_item->sha256[31], 0x11);
      EXPECT_EQ(client_item->expires_at_ms, 0);
      EXPECT_EQ(admin_item->what, role::operator_);
      EXPECT_EQ(admin_item->name, "root");
      EXPECT_EQ(rows_of(*s, column::keys), (row_map{{"some", "row"}}));
      EXPECT_TRUE(s->put(column::audit, "new column", "1", durability::process));
    }
    EXPECT_EQ(layout_of(where.path()), "2");
    const auto again = opened(where.path());
    EXPECT_EQ(rows_of(*again, column::credentials).size(), 2U);
    EXPECT_EQ(rows_of(*again, column::audit), (row_map{{"new column", "1"}}));
  }
}

TEST(store_migration, tables_of_layout_1_become_such_as_can_be_read_row_by_row) {
  const scratch_directory where;
  {
    old_database old(where.path());
    for (int i = 0; i < 300; ++i)
      old.put(keys_number, "key" + std::to_string(1'000 + i), std::string(300, 'x'));
    old.to_tables();
  }
  const auto s = opened(where.path());
  ASSERT_TRUE(s);
  EXPECT_EQ(rows_of(*s, column::keys).size(), 300U);
  std::size_t rows = 0;
  for (const auto& path : database_files(where.path(), ".sst")) {
    const auto table = read_table(bytes_of(path));
    EXPECT_FALSE(table.foreign);
    EXPECT_EQ(table.damaged, 0U);
    rows += table.column == "keys" ? table.rows.size() : 0;
  }
  EXPECT_EQ(rows, 300U);
}

TEST(store_migration, a_credential_that_cannot_be_read_stays_where_it_is_and_is_told) {
  const scratch_directory where;
  {
    old_database old(where.path());
    old.put(credentials_number, "client/good", old_record('\x01', '\x11'));
    old.put(credentials_number, "client/short", "\x01\x01");
    old.put(credentials_number, "admin/odd", old_record('\x07', '\x22'));
  }
  const auto s = opened(where.path());
  ASSERT_TRUE(s);
  const auto rows = rows_of(*s, column::credentials);
  EXPECT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows.count("client/short"), 1U);
  EXPECT_EQ(rows.count("admin/odd"), 1U);
  EXPECT_EQ(rows.count("id/" + std::string(8, '\x11')), 1U);
  ASSERT_EQ(s->damage().size(), 2U);
  EXPECT_NE(s->damage()[0].find("the credential client/short of an earlier version cannot be read"),
            std::string::npos);
  EXPECT_NE(s->damage()[1].find("admin/odd"), std::string::npos);
}

TEST(store_migration, two_credentials_with_the_same_characters_become_one_and_it_is_told) {
  const scratch_directory where;
  {
    old_database old(where.path());
    old.put(credentials_number, "client/a", old_record('\x01', '\x11'));
    old.put(credentials_number, "admin/b", old_record('\x02', '\x11'));
  }
  const auto s = opened(where.path());
  ASSERT_TRUE(s);
  EXPECT_EQ(rows_of(*s, column::credentials).size(), 1U);
  ASSERT_EQ(s->damage().size(), 1U);
  EXPECT_NE(s->damage()[0].find("the credentials client/a and admin/b"), std::string::npos);
}

TEST(store_migration, a_database_cut_short_before_it_had_a_layout_is_brought_to_ours) {
  const scratch_directory where;
  (void)database::open(small_store(where.path()), database_path(where.path()));
  EXPECT_EQ(layout_of(where.path()), "");
  EXPECT_TRUE(opened(where.path()));
  EXPECT_EQ(layout_of(where.path()), "2");
}

TEST(store_migration, a_later_layout_is_refused_and_not_touched) {
  for (const std::string later : {"3", "10", "new", ""}) {
    const scratch_directory where;
    {
      old_database old(where.path());
      old.put(credentials_number, "client/phone", old_record('\x01', '\x11'));
      old.layout(later);
    }
    const auto s = store::open(small_store(where.path()));
    ASSERT_FALSE(s) << later;
    EXPECT_EQ(s.error().code, errc::corrupt);
    EXPECT_NE(s.error().text.find("has layout " + later + ", this version knows 2"),
              std::string::npos)
        << s.error().text;
    EXPECT_EQ(layout_of(where.path()), later);
    EXPECT_FALSE(std::filesystem::exists(where.path() + "/db.damaged-1"));
  }
}

} // namespace
} // namespace troupe::storage
