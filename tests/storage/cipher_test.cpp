#include "storage/cipher.hpp"

#include "tests/storage/core/record_support.hpp"

#include <set>

namespace troupe::storage {
namespace {

std::string from_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16));
  return bytes;
}

key_bytes counted() {
  key_bytes k;
  for (std::size_t i = 0; i < key_bytes::size; ++i)
    k.data()[i] = static_cast<std::uint8_t>(i);
  return k;
}

constexpr std::string_view counted_hex =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view counted_base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

TEST(key_bytes, are_read_from_hex_and_base64_with_blanks_around) {
  for (const auto& text :
       {std::string{counted_hex}, std::string{counted_base64}, std::string{counted_hex} + '\n',
        '\t' + std::string{counted_base64} + "\r\n ",
        std::string{"000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"}}) {
    const auto k = parse_key_bytes(text);
    ASSERT_TRUE(k) << text;
    EXPECT_TRUE(*k == counted()) << text;
  }
}

TEST(key_bytes, are_read_from_nothing_else) {
  const std::string hex_text{counted_hex};
  const std::string base64{counted_base64};
  for (const auto& text :
       {std::string{}, std::string{" \n"}, std::string{"secret"}, hex_text.substr(1),
        hex_text + "0", "g" + hex_text.substr(1), hex_text.substr(0, 63) + " ",
        "0x" + hex_text.substr(2), base64.substr(0, 43), base64 + "=",
        "=" + base64.substr(1),                         // padding in front
        base64.substr(0, 20) + "=" + base64.substr(21), // and in the middle
        base64.substr(0, 42) + "==",                    // 31 bytes
        base64.substr(0, 43) + "A",                     // 33 bytes
        base64.substr(0, 10) + " " + base64.substr(11),
        base64.substr(0, 10) + "-" + base64.substr(11)})
    EXPECT_FALSE(parse_key_bytes(text)) << text;
}

TEST(key_bytes, print_as_64_digits_that_are_read_again) {
  EXPECT_EQ(print_key_bytes(counted()).reveal(), counted_hex);
  const auto k = key_bytes::random();
  EXPECT_TRUE(*parse_key_bytes(print_key_bytes(k).reveal()) == k);
}

TEST(key_bytes, are_equal_only_if_every_byte_is) {
  for (std::size_t at = 0; at < key_bytes::size; ++at) {
    auto other = counted();
    EXPECT_TRUE(other == counted());
    other.data()[at] ^= 0x80;
    EXPECT_FALSE(other == counted()) << at;
  }
  EXPECT_FALSE(key_bytes::random() == key_bytes::random());
}

TEST(cipher, opens_the_published_vector_of_aes_256_gcm) {
  // McGrew and Viega, The Galois/Counter Mode of Operation, test case 16.
  const auto with =
      parse_key_bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const auto context = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const auto sealed = from_hex("cafebabefacedbaddecaf888"
                               "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                               "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                               "76fc6ece0f4e1768cddf8853bb2d551b");
  const auto plain = open_bytes(*with, context, sealed);
  ASSERT_TRUE(plain);
  EXPECT_EQ(hex(plain->reveal()), "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                                  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
}

TEST(cipher, opens_what_it_sealed_of_any_length) {
  any_values v(1);
  for (const std::size_t length : {0, 1, 15, 16, 17, 39, 1'000, 100'000}) {
    std::string plain(length, '\0');
    for (auto& c : plain)
      c = static_cast<char>(v.number());
    const auto sealed = seal_bytes(counted(), "here", plain);
    EXPECT_EQ(sealed.size(), 12 + length + 16);
    const auto opened = open_bytes(counted(), "here", sealed);
    ASSERT_TRUE(opened) << length;
    EXPECT_EQ(opened->reveal(), plain);
  }
}

TEST(cipher, opens_only_with_the_same_key_and_context) {
  const auto sealed = seal_bytes(counted(), "here", "plain");
  EXPECT_TRUE(open_bytes(counted(), "here", sealed));
  EXPECT_FALSE(open_bytes(key_bytes::random(), "here", sealed));
  for (const auto* context : {"", "her", "hera", "here ", "Here"})
    EXPECT_FALSE(open_bytes(counted(), context, sealed)) << context;
}

TEST(cipher, opens_nothing_of_which_one_bit_changed) {
  const auto sealed = seal_bytes(counted(), "here", "plain");
  const failure refused(errc::corrupt,
                        "a sealed value does not open: it is damaged, or was sealed elsewhere");
  for (std::size_t at = 0; at < sealed.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = sealed;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      const auto opened = open_bytes(counted(), "here", changed);
      ASSERT_FALSE(opened) << at;
      ASSERT_EQ(opened.error(), refused);
    }
  for (std::size_t length = 0; length < sealed.size(); ++length)
    EXPECT_FALSE(open_bytes(counted(), "here", sealed.substr(0, length))) << length;
  EXPECT_FALSE(open_bytes(counted(), "here", sealed + '\0'));
}

TEST(cipher, never_draws_the_same_nonce_for_the_same_words) {
  std::set<std::string> nonces;
  for (int i = 0; i < 1'000; ++i)
    nonces.insert(seal_bytes(counted(), "here", "plain").substr(0, 12));
  EXPECT_EQ(nonces.size(), 1'000U);
}

TEST(cipher, opens_a_sealed_key_and_nothing_of_another_size_as_a_key) {
  const auto k = key_bytes::random();
  const auto opened = open_key(counted(), "here", seal_bytes(counted(), "here", k.view()));
  ASSERT_TRUE(opened);
  EXPECT_TRUE(*opened == k);
  EXPECT_FALSE(open_key(counted(), "there", seal_bytes(counted(), "here", k.view())));
  for (const std::size_t length : {0, 31, 33})
    EXPECT_FALSE(
        open_key(counted(), "here", seal_bytes(counted(), "here", std::string(length, 'x'))))
        << length;
}

TEST(cipher, derives_keys_by_rfc_5869) {
  // Computed by another implementation from the same input.
  EXPECT_EQ(hex(derive_key(counted(), "salt", "purpose").view()),
            "94667bce5e44fbfb519b064d97bb4a4e6714993a9e0f99c8485e090a33876fa8");
  EXPECT_EQ(hex(derive_key(counted(), "salt", "other").view()),
            "88d5a6887c6ab2d49838eb05fbd5a07f403e0e29885400f45d47f80a5c3c9ad3");
}

TEST(cipher, a_fingerprint_names_a_key_by_8_digits) {
  EXPECT_EQ(fingerprint_of(counted()), "6f719aa2");
}

} // namespace
} // namespace troupe::storage
