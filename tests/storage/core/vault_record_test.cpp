#include "storage/core/vault_record.hpp"

#include "tests/storage/core/record_support.hpp"

#include <algorithm>

namespace troupe::storage {
namespace {

std::string count_up(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i)
    bytes += static_cast<char>(i);
  return bytes;
}

TEST(vault_record, the_master_keys_record_lies_on_disk_as_documented) {
  EXPECT_EQ(hex(encode(master_record{count_up(16), "0badcafe"})),
            "01"                               // schema
            "000102030405060708090a0b0c0d0e0f" // salt
            "0800"
            "3062616463616665"); // fingerprint
  EXPECT_EQ(master_row, "vault/master");
}

TEST(vault_record, a_data_keys_record_lies_on_disk_as_documented) {
  EXPECT_EQ(hex(encode(data_key_record{0x01020304, count_up(60)})),
            "01"                                                               // schema
            "04030201"                                                         // number
            "000102030405060708090a0b"                                         // nonce
            "0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b" // ciphertext
            "2c2d2e2f303132333435363738393a3b");                               // tag
  EXPECT_EQ(data_key_row(4'294'967'295), "vault/key/4294967295");
}

TEST(vault_record, a_sealed_text_begins_with_its_schema_and_data_key) {
  const auto box = count_up(28);
  const auto sealed = join_sealed(0x01020304, box);
  EXPECT_EQ(hex(sealed), "01"
                         "04030201"
                             + hex(box));
  const auto parts = split_sealed(sealed);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->data_key, 0x01020304U);
  EXPECT_EQ(parts->box, box);
}

TEST(vault_record, what_is_too_short_or_of_another_schema_is_no_sealed_text) {
  const auto sealed = join_sealed(1, count_up(28));
  for (std::size_t length = 0; length < sealed.size(); ++length)
    EXPECT_FALSE(split_sealed(sealed.substr(0, length))) << length;
  EXPECT_FALSE(split_sealed('\x02' + sealed.substr(1)));
}

TEST(vault_record, reads_what_it_wrote) {
  any_values v(9);
  for (int i = 0; i < 1'000; ++i) {
    const auto salt = v.bytes<16>();
    const master_record m{{salt.begin(), salt.end()}, "f" + v.text()};
    ASSERT_EQ(*decode_master_record(encode(m)), m);
    const auto wrapped = v.bytes<60>();
    const data_key_record k{std::max(v.as<std::uint32_t>(), 1U), {wrapped.begin(), wrapped.end()}};
    ASSERT_EQ(*decode_data_key_record(encode(k)), k);
  }
}

TEST(vault_record, damaged_bytes_are_refused_or_read_for_what_they_say) {
  keeps_the_rules_of_decoders(encode(master_record{count_up(16), "0badcafe"}),
                              decode_master_record);
  keeps_the_rules_of_decoders(encode(data_key_record{1, count_up(60)}), decode_data_key_record);
}

TEST(vault_record, refuses_a_later_schema_a_missing_fingerprint_and_the_number_0) {
  const failure master(errc::corrupt,
                       "the record of the master key is damaged, or of a later version");
  auto later = encode(master_record{count_up(16), "f"});
  later[0] = 2;
  EXPECT_EQ(decode_master_record(later).error(), master);
  EXPECT_EQ(decode_master_record(encode(master_record{count_up(16), ""})).error(), master);

  const failure key(errc::corrupt, "the record of a data key is damaged, or of a later version");
  later = encode(data_key_record{1, count_up(60)});
  later[0] = 2;
  EXPECT_EQ(decode_data_key_record(later).error(), key);
  EXPECT_EQ(decode_data_key_record(encode(data_key_record{0, count_up(60)})).error(), key);
}

TEST(vault_record, rows_of_data_keys_are_told_from_others) {
  EXPECT_TRUE(is_data_key_row(data_key_row(1)));
  EXPECT_FALSE(is_data_key_row(master_row));
  EXPECT_FALSE(is_data_key_row("version/1"));
}

} // namespace
} // namespace troupe::storage
