#include "storage/core/credential_item.hpp"

#include "tests/storage/core/record_support.hpp"

namespace troupe::storage {
namespace {

credential_item full() {
  credential_item c;
  c.what = role::viewer;
  for (std::size_t i = 0; i < c.sha256.size(); ++i)
    c.sha256[i] = static_cast<std::uint8_t>(i);
  c.expires_at_ms = 0x0102030405060708;
  c.name = "ci";
  c.note = "n";
  c.models = {"gemini-*"};
  c.groups = {"free", "paid"};
  c.limits = {{"", limit_kind::rpd, 5}};
  return c;
}

credential_item any_credential(any_values& v) {
  credential_item c;
  c.what = static_cast<role>(1 + v.below(3));
  c.sha256 = v.bytes<32>();
  c.expires_at_ms = v.as<std::int64_t>();
  c.name = v.text();
  c.note = v.text();
  c.models = v.texts();
  c.groups = v.texts();
  c.limits.resize(v.below(3));
  for (auto& l : c.limits)
    l = {v.text(), static_cast<limit_kind>(1 + v.below(7)), v.number()};
  return c;
}

TEST(credential_item, schema_2_lies_on_disk_as_documented) {
  EXPECT_EQ(hex(encode(full())),
            "02" // schema
            "03" // viewer
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
            "0807060504030201" // expires_at
            "0200"
            "6369" // name
            "0100"
            "6e" // note
            "0100"
            "0800"
            "67656d696e692d2a" // models
            "0200"
            "0400"
            "66726565"
            "0400"
            "70616964" // groups
            "0100"
            "0000"
            "05"
            "0500000000000000"); // limits
}

TEST(credential_item, reads_what_it_wrote) {
  EXPECT_EQ(*decode_credential_item(encode(full())), full());
  any_values v(2);
  for (int i = 0; i < 2'000; ++i) {
    const auto c = any_credential(v);
    const auto read = decode_credential_item(encode(c));
    ASSERT_TRUE(read) << i;
    ASSERT_EQ(*read, c) << i;
  }
}

TEST(credential_item, damaged_bytes_are_refused_or_read_for_what_they_say) {
  keeps_the_rules_of_decoders(encode(full()), decode_credential_item);
}

TEST(credential_item, refuses_a_schema_it_does_not_know_by_its_number) {
  auto bytes = encode(full());
  bytes[0] = 1; // the whole row of earlier versions: migrated elsewhere, never read as this
  EXPECT_EQ(decode_credential_item(bytes).error(),
            failure(errc::corrupt, "a credential's record has schema 1, this version knows 2"));
}

TEST(credential_item, an_unknown_role_is_never_taken_for_a_known_one) {
  for (const char r : {'\0', '\x04', '\xFF'}) {
    auto bytes = encode(full());
    bytes[1] = r;
    EXPECT_EQ(decode_credential_item(bytes).error(),
              failure(errc::corrupt, "a credential's record says what this version does not know"));
  }
}

TEST(credential_item, roles_keep_their_numbers_and_names) {
  EXPECT_EQ(to_string(static_cast<role>(1)), "client");
  EXPECT_EQ(to_string(static_cast<role>(2)), "operator");
  EXPECT_EQ(to_string(static_cast<role>(3)), "viewer");
}

TEST(credential_item, is_named_by_the_first_64_bits_of_its_hash) {
  EXPECT_EQ(credential_id(full().sha256), 0x0001020304050607U);
  EXPECT_EQ(credential_name(0x0001020304050607), "cred_0001020304050607");
  EXPECT_EQ(credential_name(0xFEDCBA9876543210), "cred_fedcba9876543210");
}

TEST(credential_item, a_name_and_its_number_are_inverse) {
  any_values v(3);
  for (int i = 0; i < 1'000; ++i) {
    const auto id = v.number();
    ASSERT_EQ(parse_credential_name(credential_name(id)), id);
    ASSERT_EQ(credential_of_row(credential_row(id)), id);
  }
}

TEST(credential_item, what_is_no_name_has_no_number) {
  for (const auto* text : {"", "cred_", "cred_123", "key_0123456789abcdef", "0123456789abcdef",
                           "cred_0123456789ABCDEF", "cred_0123456789abcdeg",
                           "cred_0123456789abcdef0", " cred_0123456789abcdef"})
    EXPECT_EQ(parse_credential_name(text), 0U) << text;
}

TEST(credential_item, rows_begin_with_id_and_lie_in_order) {
  EXPECT_EQ(hex(credential_row(0x0102030405060708)), "69642f"
                                                     "0102030405060708");
  EXPECT_LT(credential_row(255), credential_row(256));
  EXPECT_EQ(credential_of_row("client/default"), 0U);
  EXPECT_EQ(credential_of_row("id/short"), 0U);
}

} // namespace
} // namespace troupe::storage
