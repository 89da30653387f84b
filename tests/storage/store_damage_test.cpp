// Flipped bytes, one at a time, in every kind of file that a store has. The promise is the same
// everywhere: it opens, or refuses in words; what was not hit is there; what was hit is told.

#include "tests/storage/damage_support.hpp"

#include <algorithm>
#include <random>

#include <rocksdb/sst_file_reader.h>

namespace troupe::storage {
namespace {

/// Which bytes of a file of `size` to flip: with TROUPE_EVERY_BYTE all, else `count` at random
/// and the last 150, where a table has its footer and a log its newest record.
std::vector<std::size_t> positions(std::size_t size, std::size_t count) {
  std::vector<std::size_t> at;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  count = count / 3; // each start takes several times as long
#endif
  if (std::getenv("TROUPE_EVERY_BYTE") != nullptr)
    count = size;
  std::mt19937 random(20'240'501);
  for (std::size_t i = 0; i < count; ++i)
    at.push_back(count == size ? i : random() % size);
  for (auto i = size - std::min<std::size_t>(size, 150); i < size && count != size; i += 3)
    at.push_back(i);
  return at;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const auto& w : words)
    all += w + '\n';
  return all;
}

/// A store with rows in several columns, as the tests know them.
class damaged_store : public ::testing::Test {
protected:
  void SetUp() override {
    keys_ = items("key-", 60);
    credentials_ = items("id/", 20);
    states_ = {{"s1", std::string(40, 'x')}, {"s2", std::string(40, 'y')}};
    auto s = opened(original());
    for (const auto& [where, rows] :
         {std::pair{column::keys, &keys_}, std::pair{column::credentials, &credentials_},
          std::pair{column::key_state, &states_}})
      for (const auto& [key, value] : *rows)
        ASSERT_TRUE(s->put(where, key, value, durability::process));
    ASSERT_TRUE(s->close());
  }

  std::string original() const { return scratch_.path() + "/original"; }
  std::string copy() const { return scratch_.path() + "/copy"; }

  static std::unique_ptr<store> opened(const std::string& directory) {
    auto s = store::open(small_store(directory));
    if (!s)
      ADD_FAILURE() << s.error().text;
    return s ? *std::move(s) : nullptr;
  }

  /// The table of `c`, in the original.
  std::string table_of(column c) const {
    for (const auto& path : database_files(original(), ".sst")) {
      rocksdb::SstFileReader reader(rocksdb::Options{});
      if (reader.Open(path).ok() && reader.GetTableProperties()->column_family_name == to_string(c))
        return path;
    }
    return {};
  }

  std::string in_copy(const std::string& path) const {
    return copy() + path.substr(original().size());
  }

  /// What is missing of `expected`; rows that are there must be right, and no other be there.
  static std::size_t missing(const store& s, column c, const row_map& expected) {
    const auto found = rows_of(s, c);
    for (const auto& [key, value] : found) {
      const auto at = expected.find(key);
      EXPECT_TRUE(at != expected.end() && at->second == value) << "row " << key;
    }
    return expected.size() - found.size();
  }

  scratch_directory scratch_;
  row_map keys_;
  row_map credentials_;
  row_map states_;
};

TEST_F(damaged_store, a_byte_of_a_table_costs_one_row_at_most_and_is_told) {
  to_tables(original());
  const auto table = table_of(column::keys);
  ASSERT_FALSE(table.empty());
  std::size_t with_loss = 0;
  std::size_t named = 0;
  for (const auto at : positions(bytes_of(table).size(), 120)) {
    SCOPED_TRACE("byte " + std::to_string(at) + " of " + table);
    copy_directory(original(), copy());
    flip_byte(in_copy(table), at);
    {
      const auto s = opened(copy());
      ASSERT_TRUE(s);
      const auto lost = missing(*s, column::keys, keys_);
      EXPECT_LE(lost, 1U);
      EXPECT_EQ(missing(*s, column::credentials, credentials_), 0U);
      EXPECT_EQ(missing(*s, column::key_state, states_), 0U);
      with_loss += lost;
      // Which row it was can be told as long as its length and its name are right.
      const auto words = joined(s->damage());
      if (lost != 0) {
        EXPECT_NE(words.find("is damaged in one place: rows there may be lost"), words.npos);
      }
      named += words.find("lost in the column keys: row 6b65792d") != words.npos ? 1 : 0;
      if (!s->damage().empty()) {
        EXPECT_NE(s->damage().front().find(copy() + "/db.damaged-1"), std::string::npos);
        EXPECT_TRUE(std::filesystem::exists(copy() + "/db.damaged-1"));
      }
      ASSERT_TRUE(s->put(column::keys, "key-000", keys_["key-000"], durability::power));
    }
    const auto again = opened(copy());
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->damage().empty());
    EXPECT_EQ(rows_of(*again, column::keys).count("key-000"), 1U);
  }
  EXPECT_GT(with_loss, 20U);
  EXPECT_GT(named, with_loss / 2);
}

TEST_F(damaged_store, a_byte_of_the_log_costs_one_write_at_most_and_is_told) {
  const auto log = database_files(original(), ".log").back();
  std::size_t with_loss = 0;
  for (const auto at : positions(bytes_of(log).size(), 120)) {
    SCOPED_TRACE("byte " + std::to_string(at) + " of " + log);
    copy_directory(original(), copy());
    flip_byte(in_copy(log), at);
    const auto s = opened(copy());
    ASSERT_TRUE(s);
    const auto lost = missing(*s, column::keys, keys_)
                      + missing(*s, column::credentials, credentials_)
                      + missing(*s, column::key_state, states_);
    EXPECT_LE(lost, 1U);
    with_loss += lost;
    EXPECT_NE(joined(s->damage()).find(".log is damaged in one place: the writes"),
              std::string::npos)
        << joined(s->damage());
  }
  EXPECT_GT(with_loss, 20U);
}

TEST_F(damaged_store, a_log_that_ends_within_its_last_write_is_no_damage) {
  const auto log = database_files(original(), ".log").back();
  const auto size = bytes_of(log).size();
  for (std::size_t cut = 1; cut < 60; cut += 4) {
    SCOPED_TRACE(cut);
    copy_directory(original(), copy());
    std::filesystem::resize_file(in_copy(log), size - cut);
    const auto s = opened(copy());
    ASSERT_TRUE(s);
    EXPECT_TRUE(s->damage().empty()) << joined(s->damage());
    EXPECT_EQ(missing(*s, column::keys, keys_), 0U);
    EXPECT_EQ(rows_of(*s, column::key_state), (row_map{{"s1", states_["s1"]}}));
  }
}

TEST_F(damaged_store, a_byte_of_the_manifest_costs_nothing_and_is_told) {
  to_tables(original());
  const auto manifest = database_files(original(), "MANIFEST").back();
  for (const auto at : positions(bytes_of(manifest).size(), 80)) {
    SCOPED_TRACE("byte " + std::to_string(at) + " of " + manifest);
    copy_directory(original(), copy());
    flip_byte(in_copy(manifest), at);
    const auto s = opened(copy());
    ASSERT_TRUE(s);
    EXPECT_EQ(missing(*s, column::keys, keys_), 0U);
    EXPECT_EQ(missing(*s, column::credentials, credentials_), 0U);
    EXPECT_EQ(missing(*s, column::key_state, states_), 0U);
    EXPECT_NE(joined(s->damage()).find("MANIFEST"), std::string::npos);
  }
}

TEST_F(damaged_store, a_current_that_is_wrong_empty_or_gone_costs_nothing_and_is_told) {
  to_tables(original());
  const auto size = bytes_of(original() + "/db/CURRENT").size();
  for (std::size_t at = 0; at < size + 2; ++at) {
    SCOPED_TRACE(at);
    copy_directory(original(), copy());
    const auto current = copy() + "/db/CURRENT";
    if (at < size - 1)
      flip_byte(current, at);
    else if (at == size - 1)
      continue; // without its last newline it still says the same to us, and RocksDB refuses
    else if (at == size)
      std::filesystem::resize_file(current, 0);
    else
      std::filesystem::remove(current);
    const auto s = opened(copy());
    ASSERT_TRUE(s);
    EXPECT_EQ(missing(*s, column::keys, keys_), 0U);
    EXPECT_EQ(missing(*s, column::credentials, credentials_), 0U);
    EXPECT_FALSE(s->damage().empty());
  }
}

TEST_F(damaged_store, a_table_that_is_gone_costs_its_rows_and_is_told) {
  to_tables(original());
  const auto table = table_of(column::credentials);
  std::filesystem::remove(table);
  const auto s = opened(original());
  ASSERT_TRUE(s);
  EXPECT_EQ(missing(*s, column::keys, keys_), 0U);
  EXPECT_EQ(missing(*s, column::credentials, credentials_), credentials_.size());
  const auto number = std::stoi(std::filesystem::path(table).filename().string());
  EXPECT_NE(joined(s->damage()).find("the table " + std::to_string(number) + ".sst is not there"),
            std::string::npos)
      << joined(s->damage());
}

TEST_F(damaged_store, a_revoked_credential_does_not_come_back_when_its_revocation_is_hit) {
  to_tables(original()); // the credential as it was
  {
    const auto s = opened(original());
    item_header revoked;
    revoked.revision = 2;
    revoked.deleted = true;
    ASSERT_TRUE(s->put(column::credentials, "id/007", encode_item("id/007", revoked, {}),
                       durability::power));
    ASSERT_TRUE(s->put(column::credentials, "id/008", encode_item("id/008", revoked, {}),
                       durability::power));
  }
  to_tables(original()); // its revocation
  std::string newest;
  for (const auto& path : database_files(original(), ".sst"))
    if (bytes_of(path).find("id/007") != std::string::npos)
      newest = path;
  const auto row_at = bytes_of(newest).find("id/007");
  constexpr std::size_t key_and_mark = 6 + 8;
  flip_byte(newest, row_at + key_and_mark + 4); // in the value
  const auto s = opened(original());
  ASSERT_TRUE(s);
  EXPECT_EQ(*s->get(column::credentials, "id/007"), std::nullopt);
  const auto other = s->get(column::credentials, "id/008");
  ASSERT_TRUE(*other);
  EXPECT_TRUE(decode_item("id/008", **other)->header.deleted);
  EXPECT_NE(joined(s->damage()).find("lost in the column credentials: row 69642f303037"),
            std::string::npos)
      << joined(s->damage());
}

TEST_F(damaged_store, nothing_to_rescue_is_refused_instead_of_starting_empty) {
  for (const auto& f : std::filesystem::directory_iterator(original() + "/db"))
    if (f.is_regular_file())
      write_bytes(f.path().string(), std::string(f.file_size(), '\x5A'));
  const auto s = store::open(small_store(original()));
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().code, errc::corrupt);
  EXPECT_NE(s.error().text.find("restore a backup"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(original() + "/db.damaged-1"));
  EXPECT_TRUE(std::filesystem::exists(original() + "/db"));
}

TEST_F(damaged_store, a_rescue_that_was_cut_short_is_ended_by_the_next_start) {
  to_tables(original());
  namespace fs = std::filesystem;
  // Between putting the damaged one aside and putting the new one in place.
  fs::rename(original() + "/db", original() + "/db.ready");
  {
    const auto s = opened(original());
    ASSERT_TRUE(s);
    EXPECT_EQ(missing(*s, column::keys, keys_), 0U);
  }
  // While it was being built: what is half there does not count.
  fs::create_directory(original() + "/db.building");
  write_bytes(original() + "/db.building/CURRENT", "half");
  const auto s = opened(original());
  ASSERT_TRUE(s);
  EXPECT_EQ(missing(*s, column::keys, keys_), 0U);
  EXPECT_FALSE(fs::exists(original() + "/db.building"));
}

TEST_F(damaged_store, a_column_with_a_damaged_row_gives_the_others_and_says_corrupt) {
  to_tables(original());
  const auto s = opened(original());
  ASSERT_TRUE(s);
  const auto table = table_of(column::keys);
  flip_byte(table, bytes_of(table).find("key-059") + 20);
  std::size_t seen = 0;
  const auto read = s->for_each(column::keys, {}, [&](auto, auto) {
    ++seen;
    return true;
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, errc::corrupt);
  EXPECT_GT(seen, 20U);
  EXPECT_LT(seen, 60U);
  row_map whole;
  const auto lying =
      s->for_each_as_it_lies(column::keys, {}, [&](std::string_view key, std::string_view value) {
        if (decode_item(key, value))
          whole.emplace(key, value);
        return true;
      });
  EXPECT_TRUE(lying);
  EXPECT_EQ(whole.size(), 59U);
  EXPECT_EQ(rows_of(*s, column::credentials), credentials_);
  EXPECT_TRUE(s->put(column::keys, "new", "1", durability::power));
}

TEST_F(damaged_store, rows_are_read_as_they_lie_wherever_the_byte_is_wrong) {
  to_tables(original());
  const auto table = table_of(column::keys);
  for (const auto at : positions(bytes_of(table).size(), 80)) {
    SCOPED_TRACE("byte " + std::to_string(at) + " of " + table);
    copy_directory(original(), copy());
    const auto s = opened(copy());
    ASSERT_TRUE(s);
    flip_byte(in_copy(table), at);
    const auto read = s->for_each_as_it_lies(column::keys, {}, [&](auto, auto) { return true; });
    if (!read) {
      EXPECT_EQ(read.error().code, errc::corrupt);
    }
    EXPECT_EQ(rows_of(*s, column::credentials), credentials_);
  }
}

} // namespace
} // namespace troupe::storage
