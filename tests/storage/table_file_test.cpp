// Tables as RocksDB writes them for us, read by our own reader.

#include "storage/core/table_file.hpp"

#include "tests/storage/damage_support.hpp"

namespace troupe::storage {
namespace {

class table_file : public ::testing::Test {
protected:
  void SetUp() override {
    rows_ = items("key-", 120);
    {
      auto s = store::open(small_store(scratch_.path()));
      ASSERT_TRUE(s) << s.error().text;
      for (const auto& [key, value] : rows_)
        ASSERT_TRUE((*s)->put(column::keys, key, value, durability::process));
      ASSERT_TRUE((*s)->erase(column::keys, "gone", durability::process));
    }
    to_tables(scratch_.path());
    for (const auto& path : database_files(scratch_.path(), ".sst"))
      if (auto bytes = bytes_of(path); bytes.find("key-000") != std::string::npos)
        bytes_ = std::move(bytes);
    ASSERT_FALSE(bytes_.empty());
  }

  /// How many of the rows are missing; those that are there and prove themselves must be right.
  std::size_t missing(const table_contents& table) const {
    row_map found;
    for (const auto& row : table.rows) {
      if (row.erased || (!row.sound && !decode_item(row.key, row.value)))
        continue;
      const auto expected = rows_.find(std::string{row.key});
      EXPECT_NE(expected, rows_.end());
      if (expected != rows_.end()) {
        EXPECT_EQ(row.value, expected->second);
      }
      found[std::string{row.key}] = row.value;
    }
    return rows_.size() - found.size();
  }

  scratch_directory scratch_;
  row_map rows_;
  std::string bytes_;
};

TEST_F(table_file, gives_every_row_its_column_and_what_was_erased) {
  const auto table = read_table(bytes_);
  EXPECT_EQ(table.column, "keys");
  EXPECT_EQ(table.id, 2U);
  EXPECT_EQ(table.damaged, 0U);
  EXPECT_FALSE(table.foreign);
  EXPECT_EQ(missing(table), 0U);
  ASSERT_EQ(table.rows.size(), 121U);
  EXPECT_EQ(table.rows.front().key, "gone");
  EXPECT_TRUE(table.rows.front().erased);
  EXPECT_GT(table.rows.front().sequence, table.rows.back().sequence);
  for (const auto& row : table.rows)
    EXPECT_TRUE(row.sound);
}

TEST_F(table_file, a_wrong_byte_anywhere_costs_one_row_and_never_the_column) {
  for (std::size_t at = 0; at < bytes_.size(); ++at) {
    auto bytes = bytes_;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x41);
    const auto table = read_table(bytes);
    EXPECT_LE(missing(table), 1U) << at;
    EXPECT_TRUE(table.column == "keys" || table.id == 2U) << at;
    EXPECT_FALSE(table.foreign) << at;
  }
}

TEST_F(table_file, without_an_index_a_lost_page_costs_the_rows_that_lay_there) {
  auto bytes = bytes_;
  bytes.resize(bytes.size() - 40); // no footer
  std::fill_n(bytes.begin() + 8'192, 1'024, '\0');
  const auto table = read_table(bytes);
  EXPECT_GE(table.damaged, 1U);
  EXPECT_GT(missing(table), 0U);
  EXPECT_LT(missing(table), 30U); // the rows of one block
}

TEST_F(table_file, what_is_no_table_gives_no_rows) {
  for (const auto& bytes : {std::string{}, std::string("x"), std::string(100'000, '\0'),
                            std::string(10'000, '\xFF'), bytes_.substr(0, 3)})
    EXPECT_TRUE(read_table(bytes).rows.empty());
}

} // namespace
} // namespace troupe::storage
