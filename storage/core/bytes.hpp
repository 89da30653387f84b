#pragma once

// The bytes that records are made of: numbers little-endian, texts with their length before
// them. Every format of this room is written and read with these two, so that what no reader may
// do (run beyond the end, believe a length) is decided here, once.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe::storage {

/// Writes one record. A plain value.
class byte_writer {
public:
  /// The longest text, and the most elements of a list.
  static constexpr std::size_t short_max = std::numeric_limits<std::uint16_t>::max();

  template <class Number>
  void number(Number n) {
    auto rest = static_cast<std::make_unsigned_t<Number>>(n);
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
      bytes_.push_back(static_cast<char>(rest & 0xFF));
      if constexpr (sizeof(Number) > 1)
        rest >>= 8;
    }
  }

  /// u16 length and bytes; what is longer is cut there.
  void text(std::string_view t) {
    t = t.substr(0, short_max);
    number(static_cast<std::uint16_t>(t.size()));
    bytes_.append(t);
  }

  /// u32 length and bytes.
  void long_text(std::string_view t) {
    number(static_cast<std::uint32_t>(t.size()));
    bytes_.append(t);
  }

  /// u16 count, then the texts.
  void texts(const std::vector<std::string>& list) {
    number(static_cast<std::uint16_t>(list.size() < short_max ? list.size() : short_max));
    for (std::size_t i = 0; i < list.size() && i < short_max; ++i)
      text(list[i]);
  }

  /// Bytes as they are; their number is known to the reader.
  void raw(std::string_view bytes) { bytes_.append(bytes); }

  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::move(bytes_); }

private:
  std::string bytes_;
};

/// Reads in order; after bytes that end too soon everything is 0 or empty, and `complete` is
/// false. No length is believed before the bytes are there: what is read takes memory in
/// proportion to the record, whatever its numbers say. Bytes must outlive the reader.
class byte_reader {
public:
  explicit byte_reader(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  void number(Number& n) {
    std::make_unsigned_t<Number> sum = 0;
    const auto bytes = raw(sizeof(Number));
    for (std::size_t i = bytes.size(); i > 0; --i) {
      if constexpr (sizeof(Number) > 1)
        sum = static_cast<decltype(sum)>(sum << 8);
      sum = static_cast<decltype(sum)>(sum | static_cast<unsigned char>(bytes[i - 1]));
    }
    n = static_cast<Number>(sum);
  }

  void text(std::string& t) {
    std::uint16_t length = 0;
    number(length);
    t = raw(length);
  }

  void long_text(std::string& t) {
    std::uint32_t length = 0;
    number(length);
    t = raw(length);
  }

  void texts(std::vector<std::string>& list) {
    std::uint16_t count = 0;
    number(count);
    list.clear();
    for (std::uint16_t i = 0; i < count && complete_; ++i)
      text(list.emplace_back());
  }

  std::string_view raw(std::size_t count) {
    if (!complete_ || rest_.size() < count) {
      complete_ = false;
      return {};
    }
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  bool complete() const { return complete_; }
  std::size_t left() const { return rest_.size(); }

private:
  std::string_view rest_;
  bool complete_ = true;
};

} // namespace troupe::storage
