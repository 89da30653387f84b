#include "storage/core/bytes.hpp"

#include "tests/storage/core/record_support.hpp"

namespace troupe::storage {
namespace {

TEST(bytes, numbers_lie_with_their_smallest_byte_first) {
  byte_writer out;
  out.number(std::uint8_t{0x01});
  out.number(std::uint16_t{0x0203});
  out.number(std::uint32_t{0x04050607});
  out.number(std::uint64_t{0x08090A0B0C0D0E0F});
  out.number(std::int32_t{-2});
  out.number(std::int64_t{-3});
  EXPECT_EQ(hex(out.bytes()), "01"
                              "0302"
                              "07060504"
                              "0f0e0d0c0b0a0908"
                              "feffffff"
                              "fdffffffffffffff");
}

TEST(bytes, texts_have_their_length_before_them) {
  byte_writer out;
  out.text("ab");
  out.long_text("c");
  out.texts({"d", ""});
  out.raw("e");
  EXPECT_EQ(hex(out.bytes()), "02006162"
                              "0100000063"
                              "0200"
                              "010064"
                              "0000"
                              "65");
}

TEST(bytes, what_was_written_is_read) {
  byte_writer out;
  out.number(std::int64_t{-3});
  out.text("ab");
  out.long_text("c");
  out.texts({"d", ""});
  out.raw("ef");
  const auto bytes = out.take();
  byte_reader in(bytes);
  std::int64_t n = 0;
  std::string text;
  std::string long_text;
  std::vector<std::string> texts;
  in.number(n);
  in.text(text);
  in.long_text(long_text);
  in.texts(texts);
  EXPECT_EQ(in.left(), 2U);
  EXPECT_EQ(in.raw(2), "ef");
  EXPECT_TRUE(in.complete());
  EXPECT_EQ(in.left(), 0U);
  EXPECT_EQ(n, -3);
  EXPECT_EQ(text, "ab");
  EXPECT_EQ(long_text, "c");
  EXPECT_EQ(texts, (std::vector<std::string>{"d", ""}));
}

TEST(bytes, after_an_end_that_comes_too_soon_nothing_is_read_any_more) {
  const std::string bytes("\x05\x00xx\x01", 5);
  byte_reader in(bytes);
  std::string text = "before";
  std::uint8_t n = 9;
  in.text(text);
  EXPECT_FALSE(in.complete());
  EXPECT_EQ(text, "");
  in.number(n);
  EXPECT_EQ(n, 0U);
  EXPECT_EQ(in.raw(1), "");
}

TEST(bytes, a_length_is_not_believed_before_the_bytes_are_there) {
  const std::string bytes("\xFF\xFF\xFF\xFFx", 5);
  byte_reader as_text(bytes);
  std::string text;
  as_text.long_text(text);
  EXPECT_FALSE(as_text.complete());
  EXPECT_EQ(text.capacity(), std::string{}.capacity());

  byte_reader as_list(bytes);
  std::vector<std::string> list;
  as_list.texts(list);
  EXPECT_FALSE(as_list.complete());
  EXPECT_LE(list.size(), 1U);
}

TEST(bytes, what_is_too_long_for_its_length_is_cut) {
  byte_writer out;
  out.text(std::string(70'000, 'x'));
  EXPECT_EQ(out.bytes().size(), 2U + 65'535U);
  EXPECT_EQ(hex(out.bytes().substr(0, 2)), "ffff");

  byte_writer many;
  many.texts(std::vector<std::string>(70'000));
  EXPECT_EQ(many.bytes().size(), 2U + 2U * 65'535U);
}

} // namespace
} // namespace troupe::storage
