#include "storage/core/item.hpp"

#include "tests/storage/core/record_support.hpp"

#include <limits>

namespace troupe::storage {
namespace {

constexpr std::uint64_t ms = 1 << 16; ///< one millisecond of a clock

item_header full_header() {
  item_header h;
  h.revision = 0x0102030405060708;
  h.written.epoch = 2;
  h.written.clock = 0x0123456789ABCDEF;
  for (std::size_t i = 0; i < h.written.node.size(); ++i)
    h.written.node[i] = static_cast<std::uint8_t>(0xA0 + i);
  h.created_at_ms = 1'700'000'000'000;
  h.changed_at_ms = -2;
  return h;
}

item_header any_header(any_values& v) {
  item_header h;
  h.revision = v.number();
  h.written = {v.number(), v.number(), v.bytes<16>()};
  h.deleted = v.coin();
  h.created_at_ms = v.as<std::int64_t>();
  h.changed_at_ms = v.as<std::int64_t>();
  return h;
}

TEST(item, the_envelope_of_schema_1_lies_on_disk_as_documented) {
  EXPECT_EQ(hex(encode_item("row", full_header(), "xyz")),
            "01"                               // schema
            "00"                               // flags
            "0807060504030201"                 // revision
            "0200000000000000"                 // epoch
            "efcdab8967452301"                 // clock
            "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf" // node
            "0068e5cf8b010000"                 // created_at
            "feffffffffffffff"                 // changed_at
            "03000000"
            "78797a"     // payload
            "b952898d"); // CRC-32C of `row` and all of it
}

TEST(item, a_tombstone_of_schema_1_lies_on_disk_as_documented) {
  item_header h;
  h.revision = 7;
  h.written.clock = 1;
  h.deleted = true;
  h.created_at_ms = 5;
  h.changed_at_ms = 6;
  EXPECT_EQ(hex(encode_item("row", h, "what was there is gone")),
            "01"
            "01" // deleted
            "0700000000000000"
            "0000000000000000"
            "0100000000000000"
            "00000000000000000000000000000000"
            "0500000000000000"
            "0600000000000000"
            "00000000"
            "7a4c6bf4");
}

TEST(item, reads_what_it_wrote) {
  any_values v(7);
  for (int i = 0; i < 2'000; ++i) {
    const auto row = v.text();
    const auto header = any_header(v);
    const auto payload = header.deleted ? std::string{} : v.text(300);
    const auto read = decode_item(row, encode_item(row, header, payload));
    ASSERT_TRUE(read) << i;
    ASSERT_EQ(*read, (item_row{header, payload})) << i;
  }
}

TEST(item, every_truncation_is_refused) {
  const auto bytes = encode_item("row", full_header(), "payload");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto read = decode_item("row", bytes.substr(0, length));
    ASSERT_FALSE(read) << length;
    ASSERT_EQ(read.error(), failure(errc::corrupt, "row 726f77 ends too soon")) << length;
  }
  EXPECT_EQ(decode_item("row", bytes + '\0').error(),
            failure(errc::corrupt, "row 726f77 has bytes too many"));
}

TEST(item, every_change_of_one_byte_is_refused) {
  const auto bytes = encode_item("row", full_header(), "payload");
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (int other = 1; other < 256; ++other) {
      auto changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ other);
      const auto read = decode_item("row", changed);
      ASSERT_FALSE(read) << "byte " << at << " by " << other;
      ASSERT_EQ(read.error().code, errc::corrupt);
    }
}

TEST(item, a_row_that_was_copied_to_another_key_is_refused) {
  const auto bytes = encode_item("row", full_header(), "payload");
  EXPECT_TRUE(decode_item("row", bytes));
  for (const auto* other : {"", "ro", "rov", "rowx", "Row"})
    EXPECT_EQ(decode_item(other, bytes).error().code, errc::corrupt) << other;
}

TEST(item, refuses_an_envelope_it_does_not_know_by_its_number) {
  auto bytes = encode_item("row", full_header(), "payload");
  bytes[0] = 2;
  EXPECT_EQ(decode_item("row", bytes).error(),
            failure(errc::corrupt, "row 726f77 has an envelope of schema 2, this version knows 1"));
}

TEST(item, a_damaged_row_is_named_by_digits_of_bounded_number) {
  EXPECT_EQ(decode_item(std::string("\x00\x1B\n", 3), "\x01").error().text,
            "row 001b0a ends too soon");
  EXPECT_EQ(decode_item(std::string(1'000, 'k'), "\x01").error().text,
            "row 6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b... ends too soon");
}

TEST(item, stamps_are_ordered_by_epoch_then_clock_then_node) {
  const stamp low{1, 9, {9}};
  EXPECT_LT(low, (stamp{2, 1, {1}}));
  EXPECT_LT(low, (stamp{1, 10, {1}}));
  EXPECT_LT(low, (stamp{1, 9, {10}}));
  EXPECT_EQ(low, (stamp{1, 9, {9}}));
}

TEST(next_clock, follows_the_wall_clock) {
  EXPECT_EQ(next_clock(0, 1'000), 1'000 * ms);
  EXPECT_EQ(next_clock(1'000 * ms + 7, 1'001), 1'001 * ms);
}

TEST(next_clock, counts_within_a_millisecond) {
  EXPECT_EQ(next_clock(1'000 * ms, 1'000), 1'000 * ms + 1);
  EXPECT_EQ(next_clock(1'000 * ms + 1, 1'000), 1'000 * ms + 2);
}

TEST(next_clock, a_count_that_overflows_runs_into_the_next_millisecond) {
  EXPECT_EQ(next_clock(1'000 * ms + 0xFFFF, 1'000), 1'001 * ms);
}

TEST(next_clock, goes_on_when_the_wall_clock_steps_back) {
  EXPECT_EQ(next_clock(1'000 * ms + 4, 10), 1'000 * ms + 5);
  EXPECT_EQ(next_clock(1'000 * ms + 4, -10), 1'000 * ms + 5);
  EXPECT_EQ(next_clock(0, std::numeric_limits<std::int64_t>::min()), 1U);
}

TEST(next_clock, goes_on_from_a_clock_far_ahead) {
  EXPECT_EQ(next_clock(0xFFFF'0000'0000'0000, 1'000), 0xFFFF'0000'0000'0001);
}

TEST(next_clock, never_wraps_around) {
  constexpr auto end = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(next_clock(end - 1, 1'000), end);
  EXPECT_EQ(next_clock(end, 1'000), end);
  EXPECT_EQ(next_clock(5, std::numeric_limits<std::int64_t>::max()), 0xFFFF'FFFF'FFFF'0000);
}

TEST(next_clock, is_later_after_every_step_of_a_wild_wall_clock) {
  any_values v(8);
  std::uint64_t last = 0;
  std::int64_t wall = 1'700'000'000'000;
  for (int i = 0; i < 100'000; ++i) {
    wall += static_cast<std::int64_t>(v.below(2'001)) - 1'000;
    const auto now = next_clock(last, wall);
    ASSERT_GT(now, last);
    ASSERT_GE(now >> 16, static_cast<std::uint64_t>(wall));
    last = now;
  }
}

} // namespace
} // namespace troupe::storage
