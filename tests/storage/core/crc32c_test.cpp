#include "storage/core/crc32c.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::storage {
namespace {

TEST(crc32c, agrees_with_the_published_vectors) {
  // The check value of CRC-32/ISCSI, and RFC 3720, B.4.
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  std::string ascending;
  for (char c = 0; c < 32; ++c)
    ascending += c;
  EXPECT_EQ(crc32c(ascending), 0x46DD794EU);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(crc32c, goes_on_where_it_stopped) {
  const std::string text = "123456789";
  for (std::size_t at = 0; at <= text.size(); ++at)
    EXPECT_EQ(crc32c(text.substr(at), crc32c(text.substr(0, at))), 0xE3069283U) << at;
}

} // namespace
} // namespace troupe::storage
