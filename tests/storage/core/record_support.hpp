#pragma once

#include "protocol/base/result.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::storage {

inline std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

/// Values for records, the same ones for the same seed. Small and extreme ones are frequent.
class any_values {
public:
  explicit any_values(std::uint64_t seed) : dice_(seed) {}

  std::uint64_t number() {
    switch (dice_() % 4) {
    case 0:
      return dice_() % 3;
    case 1:
      return ~std::uint64_t{0} - dice_() % 3;
    default:
      return dice_();
    }
  }
  template <class Number>
  Number as() {
    return static_cast<Number>(number());
  }
  bool coin() { return dice_() % 2 == 0; }
  std::size_t below(std::size_t end) { return dice_() % end; }
  /// Any bytes, zeros among them.
  std::string text(std::size_t length_max = 40) {
    std::string t(below(length_max + 1), '\0');
    for (auto& c : t)
      c = static_cast<char>(dice_());
    return t;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> list(below(4));
    for (auto& t : list)
      t = text();
    return list;
  }
  template <std::size_t Size>
  std::array<std::uint8_t, Size> bytes() {
    std::array<std::uint8_t, Size> b{};
    for (auto& each : b)
      each = static_cast<std::uint8_t>(dice_());
    return b;
  }

private:
  std::mt19937_64 dice_;
};

/// What every decoder keeps, whatever it is given: bytes that end too soon or go on are `corrupt`
/// in words, and what is taken after any change of one byte is what those bytes say: encoded
/// again, they are the same. `sample` is a good record.
template <class Decode>
void keeps_the_rules_of_decoders(const std::string& sample, Decode decode) {
  const auto refused = [&](const std::string& bytes, std::size_t at) {
    const auto read = decode(bytes);
    ASSERT_FALSE(read) << at;
    EXPECT_EQ(read.error().code, errc::corrupt) << at;
    EXPECT_FALSE(read.error().text.empty()) << at;
  };
  for (std::size_t length = 0; length < sample.size(); ++length)
    refused(sample.substr(0, length), length);
  refused(sample + '\0', sample.size());
  for (std::size_t at = 0; at < sample.size(); ++at)
    for (int other = 1; other < 256; ++other) {
      auto bytes = sample;
      bytes[at] = static_cast<char>(bytes[at] ^ other);
      const auto read = decode(bytes);
      if (read)
        ASSERT_EQ(hex(encode(*read)), hex(bytes)) << "byte " << at << " by " << other;
      else
        ASSERT_EQ(read.error().code, errc::corrupt);
    }
}

} // namespace troupe::storage
