#include "storage/core/record_layout.hpp"

#include "tests/storage/core/record_support.hpp"

namespace troupe::storage {
namespace {

key_state_record full_record() {
  key_state_record r;
  r.disabled = 6;
  r.since_at_ms = 0x0102030405060708;
  r.strikes = 3;
  r.rest_reason = 8;
  r.rest_until_at_ms = -2;
  r.granted = 10;
  r.expired = 11;
  r.abandoned = 12;
  for (std::size_t i = 0; i < r.answers.size(); ++i)
    r.answers[i] = i + 1;
  r.prompt_tokens = 20;
  r.output_tokens = 21;
  r.thought_tokens = 22;
  r.cached_tokens = 23;
  r.last_used_at_ms = 30;
  r.last_error_at_ms = 31;
  r.last_error = "Q";
  r.models.push_back(
      {.model = "flash", .reason = 2, .until_at_ms = 0x01FF, .throttles = 4, .strikes = 5});
  r.models.push_back({});
  return r;
}

TEST(record_layout, schema_1_lies_on_disk_as_documented) {
  const std::string expected = "01"               // schema
                               "06"               // disabled
                               "0807060504030201" // since
                               "03000000"         // strikes
                               "08"               // rest_reason
                               "feffffffffffffff" // rest_until
                               "0a00000000000000" // granted
                               "0b00000000000000" // expired
                               "0c00000000000000" // abandoned
                               "0100000000000000" // answers
                               "0200000000000000"
                               "0300000000000000"
                               "0400000000000000"
                               "0500000000000000"
                               "0600000000000000"
                               "0700000000000000"
                               "0800000000000000"
                               "0900000000000000"
                               "0a00000000000000"
                               "0b00000000000000"
                               "0c00000000000000"
                               "0d00000000000000"
                               "1400000000000000" // tokens
                               "1500000000000000"
                               "1600000000000000"
                               "1700000000000000"
                               "1e00000000000000" // last_used
                               "1f00000000000000" // last_error_at
                               "0100"             // last_error
                               "51"
                               "0200" // models
                               "0500"
                               "666c617368"
                               "02"
                               "ff01000000000000"
                               "04000000"
                               "05000000"
                               "0000"
                               "00"
                               "0000000000000000"
                               "00000000"
                               "00000000";
  EXPECT_EQ(hex(encode(full_record())), expected);
}

TEST(record_layout, reads_what_it_wrote) {
  const auto read = decode_key_state(encode(full_record()));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, full_record());
  EXPECT_EQ(*decode_key_state(encode({})), key_state_record{});
}

TEST(record_layout, refuses_a_schema_it_does_not_know) {
  auto bytes = encode(full_record());
  bytes[0] = 2;
  const auto read = decode_key_state(bytes);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error(),
            failure(errc::corrupt, "a key's state has schema 2, this version knows 1"));
}

TEST(record_layout, refuses_bytes_that_end_too_soon_wherever_they_end) {
  const auto bytes = encode(full_record());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto read = decode_key_state(std::string_view{bytes}.substr(0, length));
    ASSERT_FALSE(read) << length;
    ASSERT_EQ(read.error().code, errc::corrupt);
  }
}

TEST(record_layout, refuses_bytes_that_are_left_over) {
  const auto read = decode_key_state(encode(full_record()) + "x");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error(), failure(errc::corrupt, "a key's state has 1 bytes too many"));
}

TEST(record_layout, damaged_bytes_are_refused_or_read_for_what_they_say) {
  keeps_the_rules_of_decoders(encode(full_record()), decode_key_state);
}

TEST(record_layout, a_text_that_is_too_long_is_cut_not_wrapped) {
  key_state_record r;
  r.last_error.assign(70'000, 'x');
  const auto read = decode_key_state(encode(r));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->last_error.size(), 65'535U);
}

TEST(record_layout, rows_lie_in_the_order_of_their_keys) {
  EXPECT_EQ(hex(row_of(0x0102030405060708)), "0102030405060708");
  EXPECT_LT(row_of(255), row_of(256));
  EXPECT_EQ(key_of_row(row_of(0xFEDCBA9876543210)), 0xFEDCBA9876543210);
  EXPECT_EQ(key_of_row("short"), 0U);
}

} // namespace
} // namespace troupe::storage
