#include "storage/core/credential_record.hpp"

#include "tests/storage/core/record_support.hpp"

namespace troupe::storage {

namespace {
credential_record sample() {
  credential_record r;
  r.role = credential_role::admin;
  r.created_at_ms = 0x0102030405;
  r.sha256.fill(0xab);
  return r;
}
} // namespace

TEST(credential_record, its_bytes_are_fixed) {
  EXPECT_EQ(encode(sample()),
            std::string("\x01\x02\x05\x04\x03\x02\x01\x00\x00\x00", 10) + std::string(32, '\xab'));
}

TEST(credential_record, comes_back_as_it_was) {
  const auto back = decode_credential(encode(sample()));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, sample());
}

TEST(credential_record, what_we_did_not_write_is_corrupt_in_words) {
  const auto good = encode(sample());
  for (const auto& bad : {std::string{}, good.substr(0, 41), good + "x", "\x02" + good.substr(1),
                          good.substr(0, 1) + "\x07" + good.substr(2)}) {
    const auto back = decode_credential(bad);
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code, errc::corrupt);
    EXPECT_FALSE(back.error().text.empty());
  }
}

TEST(credential_record, damaged_bytes_are_refused_or_read_for_what_they_say) {
  keeps_the_rules_of_decoders(encode(sample()), decode_credential);
}

} // namespace troupe::storage
