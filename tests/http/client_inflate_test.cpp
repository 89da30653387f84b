#include "http/detail/client_inflate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace troupe::http::detail {
namespace {

std::string pack(std::string_view text, int window_bits) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string gzip(std::string_view text) {
  return pack(text, 15 + 16);
}

struct unpacked {
  std::string text;
  bool whole = false;
  bool failed = false;
};

unpacked unpack(inflater::format format, std::string_view packed, std::size_t piece) {
  inflater in{format};
  unpacked u;
  while (!packed.empty()) {
    in.feed(packed.substr(0, piece));
    packed.remove_prefix(std::min(piece, packed.size()));
    while (true) {
      const auto bytes = in.next();
      if (!bytes) {
        u.failed = true;
        return u;
      }
      if (bytes->empty())
        break;
      EXPECT_LE(bytes->size(), inflater::step_bytes);
      u.text += *bytes;
    }
  }
  u.whole = in.at_end();
  return u;
}

std::string long_text() {
  std::string text;
  for (int i = 0; i < 20'000; ++i)
    text += std::to_string(i * 7919 % 10'007) + ' ';
  return text;
}

TEST(client_inflate, unpacks_gzip_zlib_and_bare_deflate_in_pieces_of_any_size) {
  const auto text = long_text();
  for (const std::size_t piece : {1U, 7U, 1000U, 1'000'000U}) {
    const auto g = unpack(inflater::format::gzip, gzip(text), piece);
    EXPECT_EQ(g.text, text);
    EXPECT_TRUE(g.whole);
    const auto z = unpack(inflater::format::deflate, pack(text, 15), piece);
    EXPECT_EQ(z.text, text);
    EXPECT_TRUE(z.whole);
    const auto d = unpack(inflater::format::deflate, pack(text, -15), piece);
    EXPECT_EQ(d.text, text);
    EXPECT_TRUE(d.whole);
  }
}

TEST(client_inflate, gzip_members_follow_one_another) {
  const auto u = unpack(inflater::format::gzip, gzip("one ") + gzip("two"), 3);
  EXPECT_EQ(u.text, "one two");
  EXPECT_TRUE(u.whole);
}

TEST(client_inflate, a_cut_stream_is_not_whole) {
  const auto packed = gzip(long_text());
  for (const std::size_t cut :
       {std::size_t{1}, std::size_t{15}, packed.size() / 2, packed.size() - 8, packed.size() - 1}) {
    const auto u = unpack(inflater::format::gzip, packed.substr(0, cut), 100);
    EXPECT_FALSE(u.whole) << cut;
    EXPECT_FALSE(u.failed) << cut;
  }
}

TEST(client_inflate, nothing_at_all_is_whole) {
  EXPECT_TRUE(unpack(inflater::format::gzip, "", 1).whole);
}

TEST(client_inflate, garbage_fails) {
  EXPECT_TRUE(unpack(inflater::format::gzip, "this is not gzip", 100).failed);
  EXPECT_TRUE(unpack(inflater::format::gzip, gzip("x") + "tail", 100).failed);
  EXPECT_TRUE(unpack(inflater::format::deflate, pack("x", 15) + "tail", 100).failed);
  auto wrong_sum = gzip("hello");
  wrong_sum[wrong_sum.size() - 6] ^= 1;
  EXPECT_TRUE(unpack(inflater::format::gzip, wrong_sum, 100).failed);
}

TEST(client_inflate, a_bomb_comes_out_in_bounded_steps) {
  const auto bomb = gzip(std::string(50'000'000, '\0'));
  ASSERT_LT(bomb.size(), 100'000U);
  inflater in{inflater::format::gzip};
  in.feed(bomb);
  for (int i = 0; i < 3; ++i) {
    const auto bytes = in.next();
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->size(), inflater::step_bytes);
  }
}

TEST(client_inflate, knows_the_codings_it_undoes) {
  EXPECT_TRUE(read_coding("identity").known);
  EXPECT_FALSE(read_coding("identity").packed);
  EXPECT_EQ(read_coding("GZip").packed, inflater::format::gzip);
  EXPECT_EQ(read_coding("x-gzip").packed, inflater::format::gzip);
  EXPECT_EQ(read_coding("deflate").packed, inflater::format::deflate);
  EXPECT_FALSE(read_coding("br").known);
  EXPECT_FALSE(read_coding("gzip, gzip").known);
}

} // namespace
} // namespace troupe::http::detail
