#include "storage/core/log_file.hpp"

#include "storage/core/crc32c.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace troupe::storage {
namespace {

constexpr std::size_t block = 32'768;
constexpr std::size_t head = 7;

void add_number(std::string& out, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out += static_cast<char>(number >> (8 * i) & 0xFF);
}

/// A log as RocksDB writes it, from the description of its format.
std::string log_of(const std::vector<std::string>& records) {
  std::string out;
  for (const auto& record : records) {
    std::size_t at = 0;
    bool begun = false;
    do {
      auto left = block - out.size() % block;
      if (left < head) {
        out.append(left, '\0');
        left = block;
      }
      const auto size = std::min(record.size() - at, left - head);
      const bool ends = at + size == record.size();
      const char type = static_cast<char>(begun ? (ends ? 4 : 3) : (ends ? 1 : 2));
      const auto summed = type + record.substr(at, size);
      const auto crc = crc32c(summed);
      add_number(out, static_cast<std::uint32_t>((crc >> 15 | crc << 17) + 0xA282EAD8U), 4);
      add_number(out, size, 2);
      out += summed;
      at += size;
      begun = true;
    } while (at < record.size());
  }
  return out;
}

std::vector<std::string> some_records() {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < 12; ++i)
    all.push_back(std::to_string(i) + std::string(20 + 7 * i, static_cast<char>('a' + i)));
  all.insert(all.begin() + 6, std::string(block + 500, 'L')); // in two or three parts
  return all;
}

TEST(log_file, gives_what_was_written) {
  for (const auto& records : {std::vector<std::string>{}, {""}, {"a", "", "b"}, some_records()}) {
    const auto found = read_log(log_of(records));
    EXPECT_EQ(found.records, records);
    EXPECT_EQ(found.damaged, 0U);
    EXPECT_FALSE(found.unfinished);
  }
}

TEST(log_file, a_wrong_byte_costs_one_record_and_is_never_taken_for_an_unfinished_end) {
  const auto records = some_records();
  const auto whole = log_of(records);
  for (std::size_t at = 0; at < whole.size(); at += at % block < 2'000 ? 1 : 97) {
    for (const char with : {'\x01', '\x80', '\xFF'}) {
      auto bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ with);
      const auto found = read_log(bytes);
      EXPECT_GE(found.damaged, 1U) << at;
      EXPECT_GE(found.records.size() + 1, records.size()) << at;
      for (const auto& r : found.records)
        EXPECT_NE(std::find(records.begin(), records.end(), r), records.end()) << at;
    }
  }
}

TEST(log_file, an_end_cut_anywhere_is_unfinished_and_no_damage) {
  const auto records = some_records();
  const auto whole = log_of(records);
  std::vector<std::size_t> ends; // of records, in the file
  for (std::size_t i = 0; i <= records.size(); ++i)
    ends.push_back(log_of({records.begin(), records.begin() + static_cast<long>(i)}).size());
  for (std::size_t size = 0; size < whole.size(); size += size % block < 2'000 ? 1 : 97) {
    const auto found = read_log(std::string_view{whole}.substr(0, size));
    EXPECT_EQ(found.damaged, 0U) << size;
    const auto complete = std::upper_bound(ends.begin(), ends.end(), size) - ends.begin() - 1;
    EXPECT_EQ(found.records.size(), static_cast<std::size_t>(complete)) << size;
    EXPECT_EQ(found.unfinished, std::find(ends.begin(), ends.end(), size) == ends.end()) << size;
  }
}

TEST(log_file, room_that_was_set_aside_is_no_damage) {
  const auto found = read_log(log_of({"a", "b"}) + std::string(3 * block, '\0'));
  EXPECT_EQ(found.records, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(found.damaged, 0U);
}

TEST(log_file, a_lost_page_in_the_middle_leaves_what_is_around_it) {
  std::vector<std::string> records;
  for (int i = 0; i < 2'000; ++i)
    records.push_back(std::to_string(i) + std::string(60, 'x'));
  auto bytes = log_of(records);
  std::fill_n(bytes.begin() + 40'960, 4'096, '\0');
  const auto found = read_log(bytes);
  EXPECT_GE(found.damaged, 1U);
  EXPECT_GT(found.records.size(), 2'000U - 70);
  EXPECT_EQ(found.records.front(), records.front());
  EXPECT_EQ(found.records.back(), records.back());
}

TEST(log_file, changes_of_a_record_are_told_with_their_sequence) {
  std::string record;
  add_number(record, 77, 8);
  add_number(record, 3, 4);
  record += std::string("\x05\x02\x01k\x03val", 8); // put, column 2
  record += std::string("\x04\x81\x01\x01z", 5);    // erase, column 129
  record += std::string("\x01\x01"
                        "d\x00",
                        4); // put in the default column, empty value
  std::string told;
  ASSERT_TRUE(for_each_change(record, [&](const logged_change& c) {
    told += std::to_string(c.column) + (c.erase ? '-' : '+') + std::to_string(c.sequence) + ' '
            + std::string{c.key} + '=' + std::string{c.value} + ';';
  }));
  EXPECT_EQ(told, "2+77 k=val;129-78 z=;0+79 d=;");
}

TEST(log_file, a_record_that_we_did_not_write_gives_no_change_at_all) {
  std::string good;
  add_number(good, 1, 8);
  add_number(good, 1, 4);
  good += std::string("\x05\x02\x01k\x03val", 8);
  auto another_tag = good;
  another_tag[12] = '\x0F';
  auto another_count = good;
  another_count[8] = '\x02';
  for (const auto& bad : {std::string{}, good.substr(0, 11), good.substr(0, good.size() - 1),
                          good + "x", another_tag, another_count})
    EXPECT_FALSE(for_each_change(bad, [](const logged_change&) { FAIL(); }));
  EXPECT_TRUE(for_each_change(good, [](const logged_change&) {}));
}

} // namespace
} // namespace troupe::storage
